"""Evidence of incidents: state kept and history must be what the events told, by digest and word by word."""

from collections.abc import Iterator
from typing import Any

import msgspec

from mumian.brain.incidents import store
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Row, Session

_TABLE, _HISTORY = "incidents_incident", "incidents_history"


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the incidents kept and the events."""
    last: dict[str, dict[str, Any]] = {}
    steps: dict[tuple[str, int], tuple[str, ...]] = {}
    sql = "SELECT subject, time, actor, payload FROM kernel_outbox WHERE type LIKE 'brain.incidents.%' ORDER BY id"
    for event in session.rows(sql):
        data = msgspec.json.decode(event["payload"])
        last[event["subject"]] = data
        steps[event["subject"], data["version"]] = (
            event["time"],
            event["actor"],
            data["action"],
            data["source"],
            data["target"],
            data["note"],
        )
    for row in store.everything(session):
        yield from _state(row, last.pop(row["number"], None))
    for number in last:
        yield Fault(_TABLE, number, "row", "an incident", "nothing")
    yield from _histories(session, steps)


def _state(row: Row, told: dict[str, Any] | None) -> Iterator[Fault]:
    number, kept = row["number"], row.pop("digest")
    if told is None:
        yield Fault(_TABLE, number, "row", "no incident", "an incident that no event told of")
        return
    try:
        digest = store.digest(store.load(row))
    except (msgspec.DecodeError, TypeError) as error:
        yield Fault(_TABLE, number, "state", "readable", str(error))
        return
    if digest != told["digest"]:
        wrong = [name for name, value in told["incident"].items() if row.get(name) != value]
        yield Fault(_TABLE, number, ", ".join(wrong) or "state", told["digest"], digest)
    if kept != told["digest"]:
        yield Fault(_TABLE, number, "digest", told["digest"], str(kept))


def _histories(session: Session, steps: dict[tuple[str, int], tuple[str, ...]]) -> Iterator[Fault]:
    names = ("time", "actor", "action", "from_state", "to_state", "note")
    for row in session.rows(f"SELECT number, version, {', '.join(names)} FROM incidents_history ORDER BY number, version"):
        place = f"{row['number']} version {row['version']}"
        told = steps.pop((row["number"], row["version"]), None)
        if told is None:
            yield Fault(_HISTORY, place, "row", "no step", "a step that no event told of")
            continue
        for name, expected in zip(names, told, strict=True):
            if row[name] != expected:
                yield Fault(_HISTORY, place, name, expected, str(row[name]))
    for number, version in steps:
        yield Fault(_HISTORY, f"{number} version {version}", "row", "a step", "nothing")
