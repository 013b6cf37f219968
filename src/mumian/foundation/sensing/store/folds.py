"""Store of sensing: planned folds, and kept answers to requests with an Idempotency-Key."""

from collections.abc import Sequence

from mumian.kernel.unit_of_work import Row, Session, Transaction


def plan_fold(tx: Transaction, row: Row) -> None:
    """Remember a fold that is about to be committed to the lake."""
    names = ", ".join(row)
    tx.session.execute(f"INSERT INTO sensing_fold ({names}, recorded) VALUES ({', '.join(':' + n for n in row)}, 0)", **row)


def planned_folds(session: Session) -> list[Row]:
    """Folds of which it is not written yet whether the lake has them."""
    return session.rows("SELECT * FROM sensing_fold WHERE recorded = 0 ORDER BY position")


def forget_fold(tx: Transaction, first_id: int, last_id: int) -> None:
    """Drop a planned fold that the lake never got."""
    tx.session.execute("DELETE FROM sensing_fold WHERE first_id = :first AND last_id = :last", first=first_id, last=last_id)


def finish_fold(tx: Transaction, first_id: int, last_id: int) -> None:
    """Mark a fold as being in the lake."""
    tx.session.execute(
        "UPDATE sensing_fold SET recorded = 1 WHERE first_id = :first AND last_id = :last", first=first_id, last=last_id
    )


def keep_answers(tx: Transaction, answers: Sequence[Row], oldest: int, most: int) -> None:
    """Keep answers to requests with an Idempotency-Key; forget those before `oldest` (µs since 1970) and all but `most`."""
    if answers:
        tx.session.execute_many(
            "INSERT INTO sensing_answer (key, digest, answer, time) VALUES (:key, :digest, :answer, :time) "
            "ON CONFLICT (key) DO NOTHING",
            answers,
        )
    tx.session.execute("DELETE FROM sensing_answer WHERE time < :oldest", oldest=oldest)
    limit = tx.session.value("SELECT time FROM sensing_answer ORDER BY time DESC LIMIT 1 OFFSET :most", most=most)
    if limit is not None:
        tx.session.execute("DELETE FROM sensing_answer WHERE time <= :limit", limit=limit)


def answers(session: Session) -> list[Row]:
    """All kept answers, oldest first."""
    return session.rows("SELECT key, digest, answer, time FROM sensing_answer ORDER BY time")
