"""Evidence of addresses: what the library holds must be what the events told, batch by batch."""

from collections.abc import Iterator

import msgspec

from mumian.foundation.addresses import store
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Session

_TABLE = "addresses_address"


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the library and the events."""
    told = {}
    sql = "SELECT subject, payload FROM kernel_outbox WHERE type = 'foundation.addresses.recorded' ORDER BY id"
    for event in session.rows(sql):
        told[event["subject"]] = msgspec.json.decode(event["payload"])
    for batch in store.batches(session):
        if batch not in told:
            yield Fault(_TABLE, batch, "batch", "no row", "rows that no event told of")
    for batch, data in told.items():
        rows, digest, closed, closed_digest = store.batch_digest(session, batch)
        if (rows, digest) != (data["rows"], data["digest"]):
            yield Fault(_TABLE, batch, "rows", f"{data['rows']} {data['digest']}", f"{rows} {digest}")
        if (closed, closed_digest) != (data["closed"], data["closed_digest"]):
            yield Fault(_TABLE, batch, "closed rows", f"{data['closed']} {data['closed_digest']}", f"{closed} {closed_digest}")
    open_rows = session.value("SELECT COUNT(*) FROM addresses_address WHERE (valid_to = '') <> (closed_by = '')")
    if open_rows:
        yield Fault(_TABLE, "*", "valid_to", "ended by a batch", f"{open_rows} rows ended by none")
