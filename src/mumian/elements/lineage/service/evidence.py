"""Evidence of lineage: the edges that are kept are those that the ledger tells of."""

from collections.abc import Iterator

from mumian.elements.lineage import store
from mumian.elements.lineage.events import LineageRecorded
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.bus import delivered
from mumian.kernel.unit_of_work import Row, Session


def faults(session: Session) -> Iterator[Fault]:
    """Every edge that is not as it was told last."""
    told: dict[str, Row] = {}
    sql = "SELECT id, type, subject, time, actor, payload FROM kernel_outbox WHERE type = :type ORDER BY id"
    for event in map(delivered, session.rows(sql, type=LineageRecorded.type)):
        for dataset, field, target, kind in event.data["edges"]:
            told[_key(dataset, field, event.subject, target, event.data["job"])] = {"kind": kind, "run": event.data["run"]}
    kept = (
        (_key(row["source_dataset"], row["source_field"], row["target_dataset"], row["target_field"], row["job"]), row)
        for row in store.everything(session)
    )
    return differences("lineage_edge", told, kept)


def _key(*parts: str) -> str:
    return "|".join(parts)
