"""Store of exchange jobs."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from mumian.elements.sharing.exchange.contracts import Job, Outcome, Record
from mumian.kernel.unit_of_work import Row, Session

_FIELDS = tuple("grant_id" if name == "grant" else name for name in Record.__struct_fields__)
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM sharing_exchange"


def digest(record: Record) -> str:
    """The SHA-256 (hexadecimal) of a record's canonical JSON."""
    return sha256(msgspec.json.encode(record, order="sorted")).hexdigest()


def insert(session: Session, record: Record) -> None:
    """Keep a new job."""
    names = ", ".join(_FIELDS)
    session.execute(
        f"INSERT INTO sharing_exchange ({names}) VALUES ({', '.join(':' + name for name in _FIELDS)})", **_row(record)
    )


def update(session: Session, record: Record) -> bool:
    """Keep the next version of a job; False if somebody else was faster."""
    columns = ", ".join(f"{name} = :{name}" for name in _FIELDS if name != "id")
    sql = f"UPDATE sharing_exchange SET {columns} WHERE id = :id AND version = :seen"
    return session.execute(sql, **_row(record), seen=record.version - 1) == 1


def find(session: Session, id_: str) -> Record | None:
    """The job of that id."""
    row = session.row(f"{_SELECT} WHERE id = :id", id=id_)
    return None if row is None else _record(row)


def in_states(session: Session, states: tuple[str, ...]) -> list[Record]:
    """The jobs in these states, the oldest first."""
    marks = ", ".join(f":s{n}" for n in range(len(states)))
    values = {f"s{n}": state for n, state in enumerate(states)}
    return [_record(row) for row in session.rows(f"{_SELECT} WHERE state IN ({marks}) ORDER BY id", **values)]


def page(session: Session, before: str | None, limit: int, organisation: str | None = None) -> list[Record]:
    """Jobs, the newest first: of an organisation (as owner or holder), or all."""
    mine = " AND (organisation = :organisation OR holder = :organisation)" if organisation is not None else ""
    params: dict[str, Any] = {"organisation": organisation} if organisation is not None else {}
    rows = session.rows(
        f"{_SELECT} WHERE id < :before{mine} ORDER BY id DESC LIMIT :limit", before=before or "~", limit=limit, **params
    )
    return [_record(row) for row in rows]


def everything(session: Session) -> Iterator[Record]:
    """All jobs."""
    before: str | None = None
    while found := page(session, before, 500):
        yield from found
        before = found[-1].id


def _row(record: Record) -> dict[str, Any]:
    values = {name: getattr(record, "grant" if name == "grant_id" else name) for name in _FIELDS}
    outcome = "" if record.outcome is None else msgspec.json.encode(record.outcome, order="sorted").decode()
    return values | {"job": record.job.canonical().decode(), "outcome": outcome, "cancelling": int(record.cancelling)}


def _record(row: Row) -> Record:
    values = {("grant" if name == "grant_id" else name): row[name] for name in _FIELDS}
    values["job"] = msgspec.json.decode(row["job"], type=Job)
    values["outcome"] = msgspec.json.decode(row["outcome"], type=Outcome) if row["outcome"] else None
    return Record(**{**values, "cancelling": bool(row["cancelling"])})
