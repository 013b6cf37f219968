"""How CAP messages that went out and came in are kept."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session

_OUT = ("identifier", "warning", "number", "reference", "message_type", "sent", "headline", "content")
_IN = (
    "reference",
    "identifier",
    "sender",
    "status",
    "message_type",
    "event",
    "severity",
    "headline",
    "area",
    "expires",
    "received",
    "replaced_by",
    "digest",
    "content",
)


def published(session: Session, warning: str) -> list[Row]:
    """The messages about a warning, oldest first."""
    sql = f"SELECT {', '.join(_OUT)} FROM warnings_cap WHERE warning = :warning ORDER BY number"
    return session.rows(sql, warning=warning)


def message(session: Session, identifier: str) -> Row | None:
    """A message by its identifier."""
    return session.row(f"SELECT {', '.join(_OUT)} FROM warnings_cap WHERE identifier = :identifier", identifier=identifier)


def insert(session: Session, row: dict[str, Any]) -> None:
    """Keep a message that goes out."""
    session.execute(f"INSERT INTO warnings_cap ({', '.join(_OUT)}) VALUES ({', '.join(':' + name for name in _OUT)})", **row)


def newest(session: Session, limit: int) -> list[Row]:
    """The newest messages."""
    return session.rows(
        f"SELECT {', '.join(_OUT)} FROM warnings_cap ORDER BY sent DESC, identifier DESC LIMIT :limit", limit=limit
    )


def received(session: Session, reference: str) -> Row | None:
    """A message that came in."""
    return session.row(f"SELECT {', '.join(_IN)} FROM warnings_received WHERE reference = :reference", reference=reference)


def receive(session: Session, row: dict[str, Any]) -> None:
    """Keep a message that came in."""
    session.execute(f"INSERT INTO warnings_received ({', '.join(_IN)}) VALUES ({', '.join(':' + name for name in _IN)})", **row)


def everything(session: Session, table: str) -> list[Row]:
    """All messages of a table: for verification."""
    names = _OUT if table == "warnings_cap" else _IN
    return session.rows(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1")


def replace(session: Session, reference: str, by: str) -> None:
    """Keep that a later message replaces one."""
    session.execute(
        "UPDATE warnings_received SET replaced_by = :by WHERE reference = :reference AND replaced_by IS NULL",
        reference=reference,
        by=by,
    )


def page(session: Session, before: tuple[str, str], now: str | None, limit: int) -> list[Row]:
    """Messages that came in, newest first; with `now` only those in force."""
    where, params = "(received, reference) < (:time, :reference)", {"time": before[0], "reference": before[1], "limit": limit}
    if now is not None:
        where += " AND replaced_by IS NULL AND message_type <> 'Cancel' AND (expires IS NULL OR expires > :now)"
        params["now"] = now
    sql = f"SELECT {', '.join(_IN)} FROM warnings_received WHERE {where} ORDER BY received DESC, reference DESC LIMIT :limit"
    return session.rows(sql, **params)
