"""Amendments: which observations were changed or deleted; the rows themselves rest in the lake as evidence."""

from mumian.kernel.unit_of_work import Row, Session, Transaction


def amend(tx: Transaction, number: int, stream: int, successor: int | None) -> None:
    """Let the observation, a row of `stream`, be what row `successor` says, or be gone (None)."""
    tx.session.execute(
        "INSERT INTO sensing_amendment (id, stream, successor, time) VALUES (:id, :stream, :successor, :time) "
        "ON CONFLICT (id) DO UPDATE SET successor = :successor, time = :time",
        id=number,
        stream=stream,
        successor=successor,
        time=tx.now_text,
    )


def amendments(session: Session) -> list[Row]:
    """All amendments: the number of the observation, its stream, and the row that counts now (None: none)."""
    return session.rows("SELECT id, stream, successor FROM sensing_amendment ORDER BY id")
