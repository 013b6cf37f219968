"""Contracts of understanding: what was read from a report, and how people corrected it."""

from typing import Any

import msgspec

from mumian.brain.understanding.rules.same import HotIssue, Report
from mumian.brain.understanding.rules.times import Moment
from mumian.brain.understanding.rules.tone import Tone

__all__ = ["Correction", "HotIssue", "Moment", "Place", "Report", "Same", "Tone", "Understood"]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a text: its words, where they begin, its standard form, and the point (WGS 84) where the library knows one."""

    words: str
    start: int
    standard: str
    district: str
    longitude: float | None = None
    latitude: float | None = None
    radius: float | None = None
    confidence: float = 0.0


class Same(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that may be of the same event: how alike the words are, how far away it is, and the score of all (0–1)."""

    incident: str
    score: float
    alike: float
    metres: float | None
    reported: str


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says.

    `category` holds `label` (empty where the model abstains, and where none is in use), `levels` that are sure enough,
    `candidates` with calibrated confidence, `model`, `reasons` (words that speak for it) and `similar` (past cases).
    """

    category: dict[str, Any]
    places: list[Place]
    times: list[Moment]
    urgency: Tone
    emotion: Tone
    same: list[Same]


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says the category of a text is; `said` is what the model had said. Times are ISO instants."""

    id: str
    model: str
    title: str
    text: str
    said: str
    label: str
    incident: str
    time: str
    by: str
