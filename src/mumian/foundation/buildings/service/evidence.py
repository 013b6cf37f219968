"""Evidence of buildings: the registers must hold what the events told, batch by batch, and networks what was brought in."""

from collections.abc import Iterator

import msgspec

from mumian.foundation.buildings import store
from mumian.foundation.buildings.pipes import store as pipes
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Session


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the tables and the events."""
    told = {}
    sql = "SELECT subject, payload FROM kernel_outbox WHERE type = 'foundation.buildings.recorded' ORDER BY id"
    for event in session.rows(sql):
        told[event["subject"]] = msgspec.json.decode(event["payload"])
    for name, register in store.REGISTERS.items():
        own = {batch: data for batch, data in told.items() if data["register"] == name}
        for batch in sorted(register.batches(session) - own.keys()):
            yield Fault(register.table, batch, "batch", "no row", "rows that no event told of")
        for batch, data in own.items():
            found, expected = register.digest(session, batch), (data["rows"], data["digest"])
            if found != expected:
                yield Fault(register.table, batch, "rows", str(expected), str(found))
        if misplaced := register.misplaced(session):
            yield Fault(register.table, "*", "newest", "the last version", f"{misplaced} versions marked wrongly")
    yield from _networks(session)


def _networks(session: Session) -> Iterator[Fault]:
    told: dict[str, str] = {}
    sql = "SELECT type, subject, payload FROM kernel_outbox WHERE type LIKE 'foundation.buildings.network%' ORDER BY id"
    for event in session.rows(sql):
        data = msgspec.json.decode(event["payload"])
        told[event["subject"]] = data.get("digest", "")
    expected = {name: digest for name, digest in told.items() if digest}
    for name in pipes.names(session):
        digest = pipes.digest(session, name)
        if expected.pop(name, None) != digest:
            yield Fault("buildings_network", name, "digest", told.get(name) or "no network", digest)
    for name in expected:
        yield Fault("buildings_network", name, "row", "a network", "nothing")
