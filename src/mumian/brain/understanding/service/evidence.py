"""Evidence of understanding: texts and corrections must be what the events told."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from mumian.brain.understanding import store
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.unit_of_work import Session

_EVENTS = "SELECT type, subject, payload FROM kernel_outbox WHERE type LIKE 'brain.understanding.%' ORDER BY id"
_TOLD = ("model", "said", "label", "incident", "sha256")


def faults(session: Session) -> Iterator[Fault]:
    """Every difference between rows and events."""
    read: dict[str, dict[str, Any]] = {}
    corrected: dict[str, dict[str, Any]] = {}
    for event in session.rows(_EVENTS):
        data = msgspec.json.decode(event["payload"])
        if event["type"] == "brain.understanding.read":
            read[event["subject"]] = {"sha256": data["sha256"], "category": data["told"]["category"]}
        else:
            corrected[event["subject"]] = {name: data[name] for name in _TOLD}
    yield from differences("understanding_text", read, _texts(session))
    kept = (
        (each.id, {**msgspec.structs.asdict(each), "sha256": _digest(f"{each.title}\n{each.text}")})
        for each in store.every_correction(session)
    )
    yield from differences("understanding_correction", corrected, kept)


def _texts(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in session.rows("SELECT incident, title, text, told FROM understanding_text WHERE told <> '' ORDER BY incident"):
        told = msgspec.json.decode(row["told"])
        yield row["incident"], {"sha256": _digest(f"{row['title']}\n{row['text']}"), "category": told["category"]["label"]}


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
