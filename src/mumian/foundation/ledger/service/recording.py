"""Recording: one entry for each event, in the same commit, with a digest of the payload instead of the payload."""

from hashlib import sha256

import msgspec

from mumian.foundation.ledger.store import INSERT_ENTRY
from mumian.kernel.events import EmittedEvent
from mumian.kernel.unit_of_work import Session


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What an entry says; encoded in this order, which is that of the alphabet, it is canonical JSON."""

    actor: str
    payload: str
    seq: int
    subject: str
    time: str
    type: str


_encode = msgspec.json.Encoder().encode


def record(session: Session, events: list[EmittedEvent]) -> None:
    """Write the entries of a transaction's events. Event n of the outbox is entry n - 1, so that both are gapless together."""
    rows = []
    for event in events:
        seq, digest = event.id - 1, sha256(event.payload).hexdigest()
        body = _encode(Body(event.actor, digest, seq, event.subject, event.time, event.type))
        rows.append(
            {
                "seq": seq,
                "time": event.time,
                "actor": event.actor,
                "type": event.type,
                "subject": event.subject,
                "body": body.decode(),
                "leaf": sha256(b"\x00" + body).hexdigest(),
            }
        )
    session.execute_many(INSERT_ENTRY, rows)
