"""Evidence of protection: the labels that are kept are those that the ledger tells of."""

from collections.abc import Iterator

from mumian.elements.protection import store
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.bus import delivered
from mumian.kernel.unit_of_work import Row, Session

_TOLD = ("grade", "personal", "category")


def faults(session: Session) -> Iterator[Fault]:
    """Every label that is not as it was last proposed or decided."""
    told: dict[str, Row] = {}
    rows = session.rows(
        "SELECT id, type, subject, time, actor, payload FROM kernel_outbox "
        "WHERE type IN ('elements.protection.proposed', 'elements.protection.decided') ORDER BY id"
    )
    for event in map(delivered, rows):
        state = event.data.get("state", "proposed")
        told[event.subject] = {"state": state, **{name: event.data[name] for name in _TOLD}}
    kept = ((f"{row['dataset']}#{row['field']}", row) for row in store.everything(session))
    return differences("protection_label", told, kept)
