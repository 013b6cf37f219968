"""Evidence of context: every entity kept must be as the event of its last change told, and none may be missing."""

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from mumian.foundation.context import store
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Session

_TABLE = "context_entity"
_PAGE = 20_000


def digest(number: int, id_: str, body: str | None) -> str:
    """The digest of one change: 128 bits of SHA-256 over its number, the entity's id, and its stored form (empty: deleted)."""
    return sha256(f"{number}\n{id_}\n{body or ''}".encode()).hexdigest()[:32]


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the entities kept and the events."""
    kept: dict[int, tuple[str, str]] = {}
    after = ""
    while rows := store.entities(session, after, _PAGE):
        kept |= {int(row["number"]): (row["id"], digest(row["number"], row["id"], row["body"])) for row in rows}
        after = rows[-1]["id"]
    count, there = 0, len(kept)
    sql = "SELECT payload FROM kernel_outbox WHERE type = 'context.entities.changed' ORDER BY id"
    for event in session.rows(sql):
        told = msgspec.json.decode(event["payload"])
        count += told["created"] - told["deleted"]
        for number, expected in zip(told["numbers"], told["digests"], strict=True):
            id_, found = kept.pop(number, ("", expected))
            if found != expected:
                yield Fault(_TABLE, id_, "body", expected, found)
    for number, (id_, _) in kept.items():
        yield Fault(_TABLE, id_, "number", "a change that an event told of", str(number))
    if count != there:
        yield Fault(_TABLE, None, "rows", f"{count} entities", f"{there} entities")
