"""Evidence of grids: the registers must hold what the events told, batch by batch, and the lineage what its steps said."""

from collections.abc import Iterator

import msgspec

from mumian.foundation.grids import store
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Session


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the registers and the events."""
    told = {}
    sql = "SELECT subject, payload FROM kernel_outbox WHERE type = 'foundation.grids.recorded' ORDER BY id"
    for event in session.rows(sql):
        told[event["subject"]] = msgspec.json.decode(event["payload"])
    for name, register in store.REGISTERS.items():
        table = f"grids_{name}"
        own = {batch: data for batch, data in told.items() if data["register"] == name}
        for batch in sorted(register.batches(session) - own.keys()):
            yield Fault(table, batch, "batch", "no row", "rows that no event told of")
        for batch, data in own.items():
            found = register.digest(session, batch)
            expected = (data["rows"], data["digest"], data["ended"], data["ended_digest"])
            if found != expected:
                yield Fault(table, batch, "rows", str(expected), str(found))
        if loose := register.loose_ends(session):
            yield Fault(table, "*", "valid_to", "ended by a batch", f"{loose} versions ended by none")
    steps = {(batch, old, new) for batch, data in told.items() for old, new in data["detail"].get("lineage", ())}
    kept = {(row["batch"], row["old"], row["new"]) for row in store.lineage(session)}
    for step in sorted(steps ^ kept):
        yield Fault("grids_lineage", " ".join(step), "row", "a step" if step in steps else "no step", "the opposite")
