"""SQL of metering: meters by day and month, and receipts."""

from collections.abc import Sequence
from typing import Any

from mumian.elements.sharing.rules.metering import PERIODS, Use
from mumian.kernel.unit_of_work import Row, Session, Transaction


def lock(tx: Transaction, grant_id: str, firsts: dict[str, str]) -> dict[str, Use]:
    """What of a grant is used in each period, locked until the commit."""
    found = {}
    for period in PERIODS:
        row = tx.session.row(
            "INSERT INTO sharing_meter (grant_id, period, first_day, calls, rows_had, bytes_had) "
            "VALUES (:grant_id, :period, :first, 0, 0, 0) ON CONFLICT (grant_id, period, first_day) "
            "DO UPDATE SET calls = sharing_meter.calls RETURNING calls, rows_had, bytes_had",
            grant_id=grant_id,
            period=period,
            first=firsts[period],
        )
        assert row is not None
        found[period] = Use(row["calls"], row["rows_had"], row["bytes_had"])
    return found


def add(tx: Transaction, grant_id: str, firsts: dict[str, str], more: Use) -> None:
    """Count something in every period."""
    tx.session.execute(
        "UPDATE sharing_meter SET calls = calls + :calls, rows_had = rows_had + :rows, bytes_had = bytes_had + :bytes "
        "WHERE grant_id = :grant_id AND ((period = 'day' AND first_day = :day) OR (period = 'month' AND first_day = :month))",
        grant_id=grant_id,
        calls=more.calls,
        rows=more.rows,
        bytes=more.bytes,
        day=firsts["day"],
        month=firsts["month"],
    )


def used(session: Session, grant_id: str, firsts: dict[str, str]) -> dict[str, Use]:
    """What of a grant is used in each period."""
    rows = session.rows(
        "SELECT period, calls, rows_had, bytes_had FROM sharing_meter WHERE grant_id = :grant_id AND "
        "((period = 'day' AND first_day = :day) OR (period = 'month' AND first_day = :month))",
        grant_id=grant_id,
        day=firsts["day"],
        month=firsts["month"],
    )
    return {row["period"]: Use(row["calls"], row["rows_had"], row["bytes_had"]) for row in rows}


def days(session: Session, grant_id: str, before: str | None, limit: int) -> list[Row]:
    """The use of a grant day by day, newest first."""
    return session.rows(
        "SELECT first_day, calls, rows_had, bytes_had FROM sharing_meter WHERE grant_id = :grant_id AND period = 'day' "
        "AND first_day < :before ORDER BY first_day DESC LIMIT :limit",
        grant_id=grant_id,
        before=before or "9999",
        limit=limit,
    )


def count_use(tx: Transaction, dataset: str, calls: int) -> None:
    """Count calls of a dataset."""
    tx.session.execute(
        "INSERT INTO sharing_use (dataset, calls, told) VALUES (:dataset, :calls, 0) "
        "ON CONFLICT (dataset) DO UPDATE SET calls = sharing_use.calls + :calls",
        dataset=dataset,
        calls=calls,
    )


def untold(session: Session) -> list[Row]:
    """Datasets that were used since that was last told."""
    return session.rows("SELECT dataset, calls, told FROM sharing_use WHERE calls > told ORDER BY dataset")


def tell(tx: Transaction, dataset: str, told: int, calls: int) -> bool:
    """Note that calls were told; False if somebody else did meanwhile."""
    sql = "UPDATE sharing_use SET told = :calls WHERE dataset = :dataset AND told = :told"
    return tx.session.execute(sql, dataset=dataset, told=told, calls=calls) == 1


def keep(tx: Transaction, batch: int, receipts: Sequence[dict[str, Any]]) -> None:
    """Keep the receipts of a batch: number, seq, grant_id, time, body."""
    tx.session.execute_many(
        "INSERT INTO sharing_receipt (number, batch, seq, grant_id, time, body) "
        "VALUES (:number, :batch, :seq, :grant_id, :time, :body)",
        [{**receipt, "batch": batch} for receipt in receipts],
    )


def receipt(session: Session, number: str) -> Row | None:
    """A receipt by number: batch and body."""
    return session.row(
        "SELECT number, batch, seq, grant_id, time, body FROM sharing_receipt WHERE number = :number", number=number
    )


def batch(session: Session, number: int) -> list[Row]:
    """The receipts of a batch, in order."""
    return session.rows("SELECT seq, time, body FROM sharing_receipt WHERE batch = :number ORDER BY seq", number=number)


def receipts(session: Session, grant_id: str, before: str | None, limit: int) -> list[Row]:
    """The receipts of a grant, newest first."""
    return session.rows(
        "SELECT number, batch, body FROM sharing_receipt WHERE grant_id = :grant_id AND number < :before "
        "ORDER BY number DESC LIMIT :limit",
        grant_id=grant_id,
        before=before or "~",
        limit=limit,
    )
