"""Store of credit facts and of what was applied for to repair them."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction

FACT = (
    "id", "kind", "subject", "subject_name", "organisation", "document", "content", "decided_on", "expires_on", "status",
    "recorded_at", "recorded_by", "changed_at", "reason",
)  # fmt: skip
REPAIR = ("id", "fact", "grounds", "state", "applied_at", "applied_by", "decided_at", "decided_by", "reason")
_FACTS = f"SELECT {', '.join(FACT)} FROM registers_fact"
_REPAIRS = f"SELECT {', '.join(REPAIR)} FROM registers_repair"


def add(tx: Transaction, row: dict[str, Any]) -> bool:
    """Keep a fact; False if the organisation recorded the same document about the subject before."""
    names, values = ", ".join(FACT), ", ".join(f":{name}" for name in FACT)
    sql = f"INSERT INTO registers_fact ({names}) VALUES ({values}) ON CONFLICT (organisation, document, subject, kind) DO NOTHING"
    return tx.session.execute(sql, **row) == 1


def fact(session: Session, id_: str) -> Row | None:
    """A fact."""
    return session.row(f"{_FACTS} WHERE id = :id", id=id_)


def facts(session: Session, subject: str, after: str, limit: int) -> list[Row]:
    """The facts about a legal person, by id."""
    return session.rows(
        f"{_FACTS} WHERE subject = :subject AND id > :after ORDER BY id LIMIT :limit", subject=subject, after=after, limit=limit
    )


def change(tx: Transaction, id_: str, status: str, reason: str) -> None:
    """Give a fact another status."""
    tx.session.execute(
        "UPDATE registers_fact SET status = :status, reason = :reason, changed_at = :now WHERE id = :id",
        id=id_,
        status=status,
        reason=reason,
        now=tx.now_text,
    )


def apply(tx: Transaction, id_: str, fact_id: str, grounds: str) -> None:
    """Keep an application for a repair."""
    tx.session.execute(
        "INSERT INTO registers_repair (id, fact, grounds, state, applied_at, applied_by) "
        "VALUES (:id, :fact, :grounds, 'applied', :now, :actor)",
        id=id_,
        fact=fact_id,
        grounds=grounds,
        now=tx.now_text,
        actor=tx.actor.id,
    )


def repair(session: Session, id_: str) -> Row | None:
    """An application for a repair."""
    return session.row(f"{_REPAIRS} WHERE id = :id", id=id_)


def repairs(session: Session, fact_id: str) -> list[Row]:
    """All applications to repair a fact, oldest first."""
    return session.rows(f"{_REPAIRS} WHERE fact = :fact ORDER BY id", fact=fact_id)


def open_repairs(session: Session, after: str, limit: int) -> list[Row]:
    """Applications that wait for a decision, with the organisation that decides."""
    names = ", ".join(f"r.{name}" for name in REPAIR)
    return session.rows(
        f"SELECT {names}, f.organisation FROM registers_repair r JOIN registers_fact f ON f.id = r.fact "
        "WHERE r.state = 'applied' AND r.id > :after ORDER BY r.id LIMIT :limit",
        after=after,
        limit=limit,
    )


def decide(tx: Transaction, id_: str, state: str, reason: str) -> None:
    """Keep what was decided of an application."""
    tx.session.execute(
        "UPDATE registers_repair SET state = :state, decided_at = :now, decided_by = :actor, reason = :reason WHERE id = :id",
        id=id_,
        state=state,
        now=tx.now_text,
        actor=tx.actor.id,
        reason=reason,
    )


def every(session: Session) -> tuple[list[Row], list[Row]]:
    """All facts and applications: for verification."""
    return session.rows(f"{_FACTS} ORDER BY id"), session.rows(f"{_REPAIRS} ORDER BY id")
