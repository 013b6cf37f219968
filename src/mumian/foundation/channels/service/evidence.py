"""Evidence of channels: every message says what its event told, and stands as its last event left it."""

from collections.abc import Iterator

from mumian.foundation.channels import store
from mumian.foundation.channels.events import ContactChanged, MessageGivenUp, MessageQueued, MessageRead, MessageSent
from mumian.foundation.channels.service.queueing import GIVEN_UP, SENT, digest
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.bus import delivered
from mumian.kernel.unit_of_work import Row, Session

_ENDS = {MessageSent.type: SENT, MessageGivenUp.type: GIVEN_UP}


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the messages kept and the events."""
    sql = (
        "SELECT id, type, subject, time, actor, payload FROM kernel_outbox "
        "WHERE type LIKE 'foundation.channels.%' AND type <> :contact ORDER BY id"
    )
    told: dict[str, Row] = {}
    for event in map(delivered, session.rows(sql, contact=ContactChanged.type)):
        row = told.setdefault(event.subject, {"read": False, "acknowledged": False})
        if event.type == MessageQueued.type:
            row |= {"digest": event.data["digest"], "state": event.data["state"]}
        elif event.type == MessageRead.type:
            row |= {"read": True, "acknowledged": row["acknowledged"] or event.data["acknowledged"]}
        elif event.type in _ENDS:
            row["state"] = _ENDS[event.type]
    return differences("channels_message", told, ((row["id"], _shown(row)) for row in store.everything(session)))


def _shown(row: Row) -> Row:
    return {
        "state": row["state"],
        "digest": digest(row),
        "read": row["read_at"] is not None,
        "acknowledged": row["acknowledged_at"] is not None,
    }
