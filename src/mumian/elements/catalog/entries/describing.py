"""Describing: an entry as people see it, with its streams, rows and freshness of now."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mumian.elements.catalog import rules
from mumian.elements.catalog.entries.contracts import Distribution
from mumian.elements.catalog.models import FieldSpec
from mumian.foundation.sensing.api import Sensing, StreamInfo, instant
from mumian.kernel.clock import parse_iso
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row


@dataclass(frozen=True)
class Dataset:
    """A dataset: `kind` is `stream` (entered by itself), `dataset` (declared) or `harvested` (from the catalogue `origin`).

    `members` are the streams it is made of, `observations` how many they have, `rows` those of its own table. `score` is its
    quality from 0 to 100, None before it was measured; `uses` how often it was used. `changed_at` is when its description
    changed, as ISO text, `last_observed` when data last came in. `fields` are its declared fields. `facts` is all else.
    """

    name: str
    title: dict[str, str]
    description: dict[str, str] | None
    owner: str | None
    kind: str
    unit: str | None
    observed_property: str | None
    frequency_seconds: int | None
    licence: str | None
    source: str | None
    members: tuple[str, ...]
    last_observed: datetime | None
    freshness: rules.Freshness
    observations: int
    origin: str | None = None
    theme: str | None = None
    duty: str | None = None
    share: str | None = None
    opened: str | None = None
    keywords: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    fields: tuple[dict[str, Any], ...] = ()
    key: tuple[str, ...] = ()
    rows: int | None = None
    score: float | None = None
    uses: int = 0
    version: int = 1
    entered_at: str = ""
    changed_at: str = ""
    publisher: str | None = None
    landing_page: str | None = None
    source_url: str | None = None
    contact: str | None = None
    series: str | None = None
    high_value: str | None = None
    issued: str | None = None
    modified: str | None = None
    distributions: tuple[Distribution, ...] = field(default=())

    @property
    def public(self) -> bool:
        """Whether everybody may see that it exists: what is opened in any way, streams, and what others have published."""
        return self.kind != "dataset" or self.opened != "none"


_SAME = (
    "unit",
    "observed_property",
    "licence",
    "source",
    "publisher",
    "landing_page",
    "source_url",
    "contact",
    "series",
    "high_value",
    "issued",
    "modified",
)


class Describing:
    """Makes datasets of rows; streams are looked up once for all."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def datasets(self, rows: Iterable[Row], now: datetime) -> list[Dataset]:
        """The datasets of these rows, in their order."""
        told = list(rows)
        observed = {row["observes"] for row in told if row["observes"]}
        members: dict[str, list[StreamInfo]] = {}
        for info in self._platform.get(Sensing).streams(observed) if observed else ():
            members.setdefault(info.observed_property, []).append(info)
        return [self._dataset(row, self._stream(row) or members.get(row["observes"] or "", []), now) for row in told]

    def _stream(self, row: Row) -> list[StreamInfo]:
        if row["kind"] != "stream":
            return []
        try:
            return [self._platform.get(Sensing).stream(row["name"])]
        except NotFound:
            return []

    def _dataset(self, row: Row, members: list[StreamInfo], now: datetime) -> Dataset:
        facts = json.loads(row["facts"])
        last, count = self._observed(members)
        if last is None and row["reached_at"]:
            last = parse_iso(row["reached_at"])
        title = {"zh": row["title_zh"], "en": row["title_en"]}
        if row["kind"] == "stream" and members:
            title = members[0].title
        return Dataset(
            name=row["name"],
            title=title,
            description=facts.get("description"),
            owner=row["owner"],
            kind=row["kind"],
            frequency_seconds=row["frequency_seconds"],
            members=tuple(info.name for info in members),
            last_observed=last,
            freshness=rules.freshness(last, row["frequency_seconds"], now),
            observations=count,
            origin=row["origin"],
            theme=row["theme"],
            duty=row["duty"],
            share=row["share"],
            opened=row["opened"],
            keywords=tuple(facts.get("keywords", ())),
            formats=tuple(json.loads(row["formats"])),
            fields=tuple(FieldSpec.model_validate(each).model_dump() for each in facts.get("fields", ())),
            key=tuple(facts.get("key", ())),
            rows=row["held_rows"],
            score=row["score"],
            uses=row["uses"],
            version=row["version"],
            entered_at=row["entered_at"],
            changed_at=row["changed_at"],
            distributions=tuple(Distribution(**each) for each in facts.get("distributions", ())),
            **{name: facts.get(name) for name in _SAME},
        )

    def _observed(self, streams: list[StreamInfo]) -> tuple[datetime | None, int]:
        """The newest observation of these streams (a value recorded as missing is one, too), and how many they have."""
        if not streams:
            return None, 0
        sensing, ids = self._platform.get(Sensing), [info.id for info in streams]
        times = sensing.latest(ids).times
        return (instant(int(times.max())) if len(times) else None), sum(sensing.counts(ids).values())
