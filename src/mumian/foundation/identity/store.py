"""Rows of identity: people, sessions, tokens and attempts to sign in. Session ids and tokens are kept as digests only."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from mumian.foundation.identity.contracts import Person, Token
from mumian.foundation.identity.rules import LOGIN_PATTERN
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound
from mumian.kernel.unit_of_work import Row, Session, encode

_PERSON = "id, login, title, organisation, roles, password, must_change_password, disabled, created"
_ACCESS = "id, person, title, scopes, created, expires, revoked"


@dataclass(frozen=True)
class Account:
    """A person with the hash of the password; stays inside this component."""

    person: Person
    password: str


def digest(secret: str) -> str:
    """What is kept of a random secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def state(row: Row) -> str:
    """A digest of a row."""
    return sha256(encode(row)).hexdigest()


def person_state(session: Session, person: str) -> str:
    """The digest of all that is kept about a person."""
    row = session.row(f"SELECT {_PERSON} FROM identity_person WHERE id = :id", id=person)
    assert row is not None
    return state(row)


def account_by_login(session: Session, login: str) -> Account | None:
    """The account of a login, open or closed."""
    if not re.fullmatch(LOGIN_PATTERN, login):
        return None
    return _account(session.row(f"SELECT {_PERSON} FROM identity_person WHERE login = :login", login=login))


def account(session: Session, person: str) -> Account:
    """The account of a person; raises NotFound."""
    found = _account(session.row(f"SELECT {_PERSON} FROM identity_person WHERE id = :id", id=person))
    if found is None:
        raise NotFound(kind="person", name=person)
    return found


def people(session: Session, after: str, limit: int) -> list[Person]:
    """People by login, after a login."""
    rows = session.rows(
        f"SELECT {_PERSON} FROM identity_person WHERE login > :after ORDER BY login LIMIT :limit",
        after=after,
        limit=limit,
    )
    return [_person(row) for row in rows]


def holders(session: Session, role: str, organisation: str | None) -> list[str]:
    """The logins of all who may sign in and hold a role, in an organisation or in any."""
    also = "" if organisation is None else " AND organisation = :organisation"
    given = {} if organisation is None else {"organisation": organisation}
    rows = session.rows(f"SELECT login, roles FROM identity_person WHERE disabled = 0{also} ORDER BY login", **given)
    return [row["login"] for row in rows if role in json.loads(row["roles"])]


def titles(session: Session) -> dict[str, dict[str, str]]:
    """The title of every person by id and by login, and of every token by id: a token is called after its owner."""
    people = session.rows("SELECT id, login, title FROM identity_person")
    found = {row[key]: json.loads(row["title"]) for row in people for key in ("id", "login")}
    tokens = session.rows("SELECT id, person FROM identity_token")
    return found | {row["id"]: found[row["person"]] for row in tokens if row["person"] in found}


def anybody(session: Session) -> bool:
    """Whether there is any person yet."""
    return session.value("SELECT 1 FROM identity_person LIMIT 1") is not None


def insert_person(session: Session, known: Account) -> None:
    """Insert a person."""
    session.execute(
        f"INSERT INTO identity_person ({_PERSON}) "
        "VALUES (:id, :login, :title, :organisation, :roles, :password, :must, :disabled, :created)",
        **_changing(known.person),
        login=known.person.login,
        password=known.password,
        must=int(known.person.must_change_password),
        created=known.person.created,
    )


def update_person(session: Session, person: Person) -> None:
    """Change what administrators may change about a person; the password stays."""
    session.execute(
        "UPDATE identity_person SET title = :title, organisation = :organisation, roles = :roles, disabled = :disabled "
        "WHERE id = :id",
        **_changing(person),
    )


def update_password(session: Session, person: str, hashed: str, must_change: bool) -> None:
    """Change a password; everything else stays."""
    session.execute(
        "UPDATE identity_person SET password = :password, must_change_password = :must WHERE id = :id",
        id=person,
        password=hashed,
        must=int(must_change),
    )


def _changing(person: Person) -> Row:
    return {
        "id": person.id,
        "title": encode(person.title).decode(),
        "organisation": person.organisation,
        "roles": encode(list(person.roles)).decode(),
        "disabled": int(person.disabled),
    }


def put_session(session: Session, id_: str, person: str, created: datetime, expires: datetime) -> str:
    """Keep an open session; those that ended are forgotten. Returns the digest of what is kept."""
    session.execute("DELETE FROM identity_session WHERE expires < :now", now=iso(created))
    row = {"id": id_, "person": person, "created": iso(created), "expires": iso(expires)}
    session.execute(
        "INSERT INTO identity_session (id, person, created, expires) VALUES (:id, :person, :created, :expires)", **row
    )
    return state(row)


def session_owner(session: Session, id_: str, now: datetime) -> tuple[Person, str] | None:
    """The person of an open session, and when it ends."""
    columns = ", ".join(f"p.{column}" for column in _PERSON.split(", "))
    row = session.row(
        f"SELECT {columns}, s.expires AS until FROM identity_session s "
        "JOIN identity_person p ON p.id = s.person WHERE s.id = :id AND s.expires > :now AND p.disabled = 0",
        id=id_,
        now=iso(now),
    )
    return None if row is None else (_person(row), row["until"])


def close_sessions(session: Session, person: str, except_for: str = "") -> None:
    """End all sessions of a person, but perhaps one."""
    session.execute("DELETE FROM identity_session WHERE person = :person AND id <> :id", person=person, id=except_for)


def close_session(session: Session, id_: str) -> None:
    """End one session."""
    session.execute("DELETE FROM identity_session WHERE id = :id", id=id_)


def put_token(session: Session, token: Token, token_digest: str) -> str:
    """Keep a new token; returns the digest of what is kept."""
    row = {
        "id": token.id,
        "digest": token_digest,
        "person": token.person,
        "title": token.title,
        "scopes": encode(list(token.scopes)).decode(),
        "created": token.created,
        "expires": token.expires,
    }
    session.execute(
        "INSERT INTO identity_token (id, digest, person, title, scopes, created, expires, revoked) "
        "VALUES (:id, :digest, :person, :title, :scopes, :created, :expires, NULL)",
        **row,
    )
    return state(row)


def token_owner(session: Session, token_digest: str, now: datetime) -> tuple[Token, Person] | None:
    """A token in force and its owner."""
    row = session.row(
        f"SELECT {_ACCESS} FROM identity_token WHERE digest = :digest AND revoked IS NULL AND expires > :now",
        digest=token_digest,
        now=iso(now),
    )
    owner = None if row is None else account(session, row["person"]).person
    return None if row is None or owner is None or owner.disabled else (_token(row), owner)


def tokens(session: Session, person: str) -> list[Token]:
    """A person's tokens, newest first; revoked ones included."""
    return [
        _token(row)
        for row in session.rows(f"SELECT {_ACCESS} FROM identity_token WHERE person = :person ORDER BY id DESC", person=person)
    ]


def token(session: Session, id_: str) -> Token:
    """One token; raises NotFound."""
    row = session.row(f"SELECT {_ACCESS} FROM identity_token WHERE id = :id", id=id_)
    if row is None:
        raise NotFound(kind="token", name=id_)
    return _token(row)


def revoke_token(session: Session, id_: str, now: datetime) -> bool:
    """Revoke a token; False when it already was."""
    return (
        session.execute("UPDATE identity_token SET revoked = :now WHERE id = :id AND revoked IS NULL", id=id_, now=iso(now)) > 0
    )


def attempts(session: Session, login: str) -> tuple[int, str]:
    """Failures in a row for a login, and until when it is blocked."""
    row = session.row("SELECT failures, blocked_until FROM identity_attempt WHERE login_digest = :login", login=digest(login))
    return (0, "") if row is None else (row["failures"], row["blocked_until"])


def put_attempts(session: Session, login: str, failures: int, blocked_until: datetime, forget_before: datetime) -> None:
    """Remember failures; those long past are forgotten."""
    session.execute("DELETE FROM identity_attempt WHERE blocked_until < :limit", limit=iso(forget_before))
    session.execute(
        "INSERT INTO identity_attempt (login_digest, failures, blocked_until) VALUES (:login, :failures, :until) "
        "ON CONFLICT (login_digest) DO UPDATE SET failures = :failures, blocked_until = :until",
        login=digest(login),
        failures=failures,
        until=iso(blocked_until),
    )


def forget_attempts(session: Session, login: str) -> None:
    """Forget the failures of a login."""
    session.execute("DELETE FROM identity_attempt WHERE login_digest = :login", login=digest(login))


def _account(row: Row | None) -> Account | None:
    return None if row is None else Account(_person(row), row["password"])


def _person(row: Row) -> Person:
    return Person(
        row["id"],
        row["login"],
        json.loads(row["title"]),
        row["organisation"],
        tuple(json.loads(row["roles"])),
        bool(row["must_change_password"]),
        bool(row["disabled"]),
        row["created"],
    )


def _token(row: Row) -> Token:
    return Token(
        row["id"], row["person"], row["title"], tuple(json.loads(row["scopes"])), row["created"], row["expires"], row["revoked"]
    )


def all_rows(session: Session, table: str) -> list[Row]:
    """Every row of one of identity's tables, for its evidence."""
    columns = {
        "identity_person": _PERSON,
        "identity_session": "id, person, created, expires",
        "identity_token": "id, digest, person, title, scopes, created, expires, revoked",
    }
    return session.rows(f"SELECT {columns[table]} FROM {table} ORDER BY id")


def event_rows(session: Session) -> list[Row]:
    """The events of identity that the outbox still has, in order."""
    return session.rows("SELECT type, subject, payload FROM kernel_outbox WHERE type LIKE 'identity.%' ORDER BY id")
