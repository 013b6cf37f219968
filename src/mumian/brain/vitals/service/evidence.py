"""Evidence of vitals: every value kept must be the one that its last event told of."""

from collections.abc import Iterator

import msgspec

from mumian.brain.vitals import store
from mumian.brain.vitals.events import VitalsEvaluated
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Session

_TABLE = "vitals_value"


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the values kept and the events."""
    told: dict[tuple[str, str, str], tuple[float | None, str | None, int]] = {}
    for row in session.rows("SELECT payload FROM kernel_outbox WHERE type = :type ORDER BY id", type=VitalsEvaluated.type):
        for value in msgspec.json.decode(row["payload"])["values"]:
            told[value["vital"], value["key"], value["time"]] = (value["value"], value["level"], value["version"])
    for row in store.everything(session):
        place = (row["vital"], row["key"], row["time"])
        name = " ".join(place)
        expected = told.pop(place, None)
        if expected is None:
            yield Fault(_TABLE, name, "row", "no value", "a value that no event told of")
            continue
        found = (row["value"], row["level"], row["version"])
        for field, was, is_ in zip(("value", "level", "version"), expected, found, strict=True):
            if was != is_:
                yield Fault(_TABLE, name, field, str(was), str(is_))
        state = "missing" if row["value"] is None else "ok"
        if row["state"] != state:
            yield Fault(_TABLE, name, "state", state, row["state"])
    for place in told:
        yield Fault(_TABLE, " ".join(place), "row", "a value", "nothing")
