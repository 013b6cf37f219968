"""How messages and contacts are kept."""

import json
from typing import Any

from mumian.kernel.unit_of_work import Row, Session, encode

FIELDS = (
    "id, key, channel, way, recipient, topic, subject, body, about, urgency, created, state, tries, next_try, problem, "
    "done_at, read_at, acknowledged_at"
)
_NAMES = FIELDS.split(", ")


def insert(session: Session, row: Row) -> bool:
    """Keep a new message; False if its occasion was told to this recipient before."""
    values = ", ".join(f":{name}" for name in _NAMES)
    sql = f"INSERT INTO channels_message ({FIELDS}) VALUES ({values}) ON CONFLICT (key, channel, recipient) DO NOTHING"
    texts = {name: encode(row[name]).decode() for name in ("subject", "body")}
    return session.execute(sql, **row | texts) == 1


def message(session: Session, id_: str) -> Row | None:
    """A message."""
    row = session.row(f"SELECT {FIELDS} FROM channels_message WHERE id = :id", id=id_)
    return None if row is None else _read(row)


def due(session: Session, now: str, limit: int) -> list[Row]:
    """Messages to be tried now, those that waited longest first."""
    where = "next_try IS NOT NULL AND next_try <= :now ORDER BY next_try, id LIMIT :limit"
    return [_read(row) for row in session.rows(f"SELECT {FIELDS} FROM channels_message WHERE {where}", now=now, limit=limit)]


def change(session: Session, id_: str, **values: Any) -> None:
    """Keep what became of a message."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    session.execute(f"UPDATE channels_message SET {columns} WHERE id = :id", id=id_, **values)


def inbox(session: Session, person: str, before: str, limit: int, unread: bool) -> list[Row]:
    """A person's messages, newest first, before an id."""
    also = " AND read_at IS NULL" if unread else ""
    sql = (
        f"SELECT {FIELDS} FROM channels_message WHERE way = 'inbox' AND recipient = :person AND id < :before{also} "
        "ORDER BY id DESC LIMIT :limit"
    )
    return [_read(row) for row in session.rows(sql, person=person, before=before, limit=limit)]


def unread(session: Session, person: str) -> int:
    """How many messages of a person are not read."""
    sql = "SELECT COUNT(*) FROM channels_message WHERE way = 'inbox' AND recipient = :person AND read_at IS NULL"
    return int(session.value(sql, person=person))


def page(session: Session, given: dict[str, str], before: str, limit: int) -> list[Row]:
    """Messages newest first before an id, only those with the `given` channel, state or topic."""
    where = "".join(f" AND {name} = :{name}" for name in given)
    sql = f"SELECT {FIELDS} FROM channels_message WHERE id < :before{where} ORDER BY id DESC LIMIT :limit"
    return [_read(row) for row in session.rows(sql, before=before, limit=limit, **given)]


def everything(session: Session) -> list[Row]:
    """All messages: for verification."""
    return [_read(row) for row in session.rows(f"SELECT {FIELDS} FROM channels_message ORDER BY id")]


def figures(session: Session) -> list[Row]:
    """By channel and state: how many messages, and the oldest."""
    return session.rows(
        "SELECT channel, state, COUNT(*) AS number, MIN(created) AS oldest FROM channels_message GROUP BY channel, state"
    )


def contacts(session: Session, person: str) -> dict[str, str]:
    """The addresses of a person by way."""
    rows = session.rows("SELECT way, address FROM channels_contact WHERE person = :person ORDER BY way", person=person)
    return {row["way"]: row["address"] for row in rows}


def all_contacts(session: Session) -> list[Row]:
    """All contacts: for verification."""
    return session.rows("SELECT person, way, address FROM channels_contact ORDER BY person, way")


def put_contact(session: Session, person: str, way: str, address: str) -> None:
    """Keep the address of a person, or drop it if it is empty."""
    if not address:
        session.execute("DELETE FROM channels_contact WHERE person = :person AND way = :way", person=person, way=way)
        return
    session.execute(
        "INSERT INTO channels_contact (person, way, address) VALUES (:person, :way, :address) "
        "ON CONFLICT (person, way) DO UPDATE SET address = :address",
        person=person,
        way=way,
        address=address,
    )


def _read(row: Row) -> Row:
    return {**row, "subject": json.loads(row["subject"]), "body": json.loads(row["body"])}
