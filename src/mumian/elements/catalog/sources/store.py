"""How decisions about sources are kept."""

from mumian.elements.catalog.sources.rules import Place
from mumian.kernel.unit_of_work import Row, Session, Transaction


def decide(tx: Transaction, element: str, place: Place, role: str, reason: str) -> None:
    """Keep a decision; the one before is in the ledger."""
    tx.session.execute(
        "INSERT INTO catalog_decision (element, dataset, field, role, reason, decided_at, decided_by) "
        "VALUES (:element, :dataset, :field, :role, :reason, :now, :by) ON CONFLICT (element, dataset, field) DO UPDATE SET "
        "role = excluded.role, reason = excluded.reason, decided_at = excluded.decided_at, decided_by = excluded.decided_by",
        element=element,
        dataset=place.dataset,
        field=place.field,
        role=role,
        reason=reason,
        now=tx.now_text,
        by=tx.actor.id,
    )


def decisions(session: Session, element: str | None = None) -> list[Row]:
    """The decisions in force, of one element or of all."""
    where = "" if element is None else "WHERE element = :element "
    given = {} if element is None else {"element": element}
    return session.rows(
        "SELECT element, dataset, field, role, reason, decided_at, decided_by FROM catalog_decision "
        f"{where}ORDER BY element, dataset, field",
        **given,
    )
