"""How groups, their members, notices and silences are kept."""

import json
from typing import Any

import msgspec

from mumian.brain.warnings.routing.rules import Group, Member
from mumian.kernel.unit_of_work import Row, Session, encode

_group = msgspec.json.Decoder(Group)
_changes = msgspec.json.Decoder(list[int])


def group(session: Session, id_: str) -> tuple[Group, Row] | None:
    """A group's state, and its row (id, route, labels, look_at)."""
    row = session.row("SELECT id, route, labels, state, look_at FROM warnings_group WHERE id = :id", id=id_)
    return None if row is None else _read(row)


def due(session: Session, now: str, limit: int) -> list[str]:
    """The groups to look at, those that waited longest first."""
    sql = "SELECT id FROM warnings_group WHERE look_at IS NOT NULL AND look_at <= :now ORDER BY look_at, id LIMIT :limit"
    return [row["id"] for row in session.rows(sql, now=now, limit=limit)]


def groups(session: Session, after: str, limit: int) -> list[tuple[Group, Row]]:
    """Groups by id, after an id."""
    sql = "SELECT id, route, labels, state, look_at FROM warnings_group WHERE id > :after ORDER BY id LIMIT :limit"
    return [_read(row) for row in session.rows(sql, after=after, limit=limit)]


def put_group(session: Session, id_: str, route: str, labels: dict[str, str], state: Group, look_at: str | None) -> None:
    """Keep a group."""
    session.execute(
        "INSERT INTO warnings_group (id, route, labels, state, look_at) VALUES (:id, :route, :labels, :state, :look_at) "
        "ON CONFLICT (id) DO UPDATE SET state = :state, look_at = :look_at",
        id=id_,
        route=route,
        labels=encode(labels).decode(),
        state=encode(state).decode(),
        look_at=look_at,
    )


def drop_group(session: Session, id_: str) -> None:
    """Forget a group and its members."""
    session.execute("DELETE FROM warnings_member WHERE grouped = :id", id=id_)
    session.execute("DELETE FROM warnings_group WHERE id = :id", id=id_)


def members(session: Session, grouped: str) -> list[tuple[Member, Row]]:
    """The members of a group, with their rows (warning, labels, title)."""
    sql = (
        "SELECT series, warning, labels, title, level, lifted, told, changes FROM warnings_member "
        "WHERE grouped = :grouped ORDER BY series"
    )
    return [
        (
            Member(row["series"], row["level"], bool(row["lifted"]), row["told"], tuple(_changes.decode(row["changes"]))),
            {**row, "labels": json.loads(row["labels"]), "title": json.loads(row["title"])},
        )
        for row in session.rows(sql, grouped=grouped)
    ]


def member(session: Session, grouped: str, series: str) -> Row | None:
    """A member's row."""
    sql = "SELECT level, lifted, told, changes FROM warnings_member WHERE grouped = :grouped AND series = :series"
    return session.row(sql, grouped=grouped, series=series)


def put_member(session: Session, grouped: str, row: dict[str, Any], changes: list[int]) -> None:
    """Keep what a series of a group is now; what was told of it stays."""
    session.execute(
        "INSERT INTO warnings_member (grouped, series, warning, labels, title, level, lifted, told, changes) "
        "VALUES (:grouped, :series, :warning, :labels, :title, :level, :lifted, NULL, :changes) "
        "ON CONFLICT (grouped, series) DO UPDATE SET warning = :warning, labels = :labels, title = :title, level = :level, "
        "lifted = :lifted, changes = :changes",
        grouped=grouped,
        changes=encode(changes).decode(),
        **row,
    )


def tell(session: Session, grouped: str, told: dict[str, int | None]) -> None:
    """Keep what was told of series; those that were lifted and told so are forgotten."""
    sql = "UPDATE warnings_member SET told = :told WHERE grouped = :grouped AND series = :series"
    session.execute_many(sql, [{"grouped": grouped, "series": series, "told": level} for series, level in told.items()])
    session.execute("DELETE FROM warnings_member WHERE grouped = :grouped AND lifted = 1 AND told IS NULL", grouped=grouped)


def standing(session: Session, grouped: str) -> int:
    """How many series of a group are not lifted."""
    sql = "SELECT COUNT(*) FROM warnings_member WHERE grouped = :grouped AND lifted = 0"
    return int(session.value(sql, grouped=grouped))


def grouped_in(session: Session, series: str) -> list[str]:
    """The groups that a series is in."""
    rows = session.rows("SELECT grouped FROM warnings_member WHERE series = :series ORDER BY grouped", series=series)
    return [row["grouped"] for row in rows]


def drop_member(session: Session, grouped: str, series: str) -> None:
    """Forget a series of a group."""
    session.execute("DELETE FROM warnings_member WHERE grouped = :grouped AND series = :series", grouped=grouped, series=series)


def remember(session: Session, row: dict[str, Any]) -> None:
    """Keep that a notice was given."""
    names = ("id", "grouped", "route", "time", "kind", "level", "warnings", "messages")
    session.execute(
        f"INSERT INTO warnings_notice ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})",
        **row | {"warnings": encode(row["warnings"]).decode()},
    )


def notices(session: Session, grouped: str, limit: int = 50) -> list[Row]:
    """The notices of a group, newest first."""
    sql = (
        "SELECT id, route, time, kind, level, warnings, messages FROM warnings_notice WHERE grouped = :grouped "
        "ORDER BY id DESC LIMIT :limit"
    )
    found = session.rows(sql, grouped=grouped, limit=limit)
    return [{**row, "warnings": json.loads(row["warnings"])} for row in found]


def all_notices(session: Session) -> list[Row]:
    """All notices: for verification."""
    return session.rows("SELECT id, grouped, route, kind, level, messages FROM warnings_notice ORDER BY id")


def put_silence(session: Session, row: dict[str, Any]) -> None:
    """Keep a silence, or its new end."""
    session.execute(
        "INSERT INTO warnings_silence (id, wanted, starts, ends, author, comment, created) "
        "VALUES (:id, :wanted, :starts, :ends, :author, :comment, :created) ON CONFLICT (id) DO UPDATE SET ends = :ends",
        **row | {"wanted": encode(row["wanted"]).decode()},
    )


def silence(session: Session, id_: str) -> Row | None:
    """A silence."""
    found = session.row("SELECT * FROM warnings_silence WHERE id = :id", id=id_)
    return None if found is None else {**found, "wanted": json.loads(found["wanted"])}


def silences(session: Session, now: str | None, before: str = "~", limit: int = 1000) -> list[Row]:
    """Silences newest first; with `now` only those that hold then."""
    where, params = "id < :before", {"before": before, "limit": limit}
    if now is not None:
        where, params = f"{where} AND starts <= :now AND ends > :now", params | {"now": now}
    rows = session.rows(f"SELECT * FROM warnings_silence WHERE {where} ORDER BY id DESC LIMIT :limit", **params)
    return [{**row, "wanted": json.loads(row["wanted"])} for row in rows]


def _read(row: Row) -> tuple[Group, Row]:
    return _group.decode(row["state"]), {**row, "labels": json.loads(row["labels"])}
