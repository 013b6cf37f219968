"""Evidence of warnings: every warning kept must stand as its last event told."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from mumian.brain.warnings import store
from mumian.brain.warnings.events import WarningChanged, WarningLifted, WarningRaised
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Row, Session

_SAME = ("rule", "key", "dimension", "level", "vital", "value", "threshold", "title", "label")


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the warnings kept and the events."""
    told: dict[str, dict[str, Any]] = {}
    sql = "SELECT type, subject, payload FROM kernel_outbox WHERE type IN (:raised, :changed, :lifted) ORDER BY id"
    for event in session.rows(sql, raised=WarningRaised.type, changed=WarningChanged.type, lifted=WarningLifted.type):
        data = msgspec.json.decode(event["payload"])
        raised = data["time"] if event["type"] == WarningRaised.type else told.get(event["subject"], {}).get("raised_at")
        lifted = data["time"] if event["type"] == WarningLifted.type else None
        state = "active" if lifted is None else "lifted"
        told[event["subject"]] = data | {"raised_at": raised, "lifted_at": lifted, "state": state}
    for row in store.everything(session):
        yield from _differences(row, told.pop(row["id"], None))
    for subject in told:
        yield Fault("warnings_warning", subject, "row", "a warning", "nothing")


def _differences(row: Row, told: dict[str, Any] | None) -> Iterator[Fault]:
    if told is None:
        yield Fault("warnings_warning", row["id"], "row", "no warning", "a warning that no event told of")
        return
    for field in (*_SAME, "raised_at", "lifted_at", "state"):
        found = row[field]
        if field in ("title", "label"):
            try:
                found = json.loads(found)
            except ValueError:
                found = row[field]
        if found != told[field]:
            yield Fault("warnings_warning", row["id"], field, str(told[field]), str(found))
