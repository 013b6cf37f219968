"""Store of warnings: the warnings themselves, and the memory of each rule and key."""

from typing import Any

import msgspec

from mumian.brain.warnings.rules import Track
from mumian.kernel.unit_of_work import Row, Session, encode

_FIELDS = (
    "id, rule, key, dimension, state, level, title, label, vital, value, threshold, raised_at, changed_at, lifted_at, incident"
)
_decoder = msgspec.json.Decoder(Track)


def track(session: Session, rule: str, key: str) -> tuple[Track, int] | None:
    """The memory of a rule and key, and the version of the rule it was judged by."""
    row = session.row("SELECT track, version FROM warnings_track WHERE rule = :rule AND key = :key", rule=rule, key=key)
    return None if row is None else (_decoder.decode(row["track"]), int(row["version"]))


def keep_track(session: Session, rule: str, key: str, version: int, memory: Track) -> None:
    """Keep the memory of a rule and key."""
    session.execute(
        "INSERT INTO warnings_track (rule, key, version, track) VALUES (:rule, :key, :version, :track) "
        "ON CONFLICT (rule, key) DO UPDATE SET version = :version, track = :track",
        rule=rule,
        key=key,
        version=version,
        track=encode(memory).decode(),
    )


def forget_tracks(session: Session, rule: str, key: str | None = None) -> None:
    """Forget a rule, or what it remembers about a key."""
    given = {"rule": rule} if key is None else {"rule": rule, "key": key}
    session.execute(f"DELETE FROM warnings_track WHERE {' AND '.join(f'{name} = :{name}' for name in given)}", **given)


def active(session: Session, rule: str | None = None, key: str | None = None) -> list[Row]:
    """The active warnings, or those of a rule, about a key."""
    given = {name: value for name, value in (("rule", rule), ("key", key)) if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in given)
    return session.rows(f"SELECT {_FIELDS} FROM warnings_warning WHERE lifted_at IS NULL{where} ORDER BY id", **given)


def one(session: Session, id_: str) -> Row | None:
    """A warning, active or lifted."""
    return session.row(f"SELECT {_FIELDS} FROM warnings_warning WHERE id = :id", id=id_)


def insert(session: Session, row: dict[str, Any]) -> None:
    """Keep a new warning."""
    names = _FIELDS.split(", ")
    session.execute(f"INSERT INTO warnings_warning ({_FIELDS}) VALUES ({', '.join(':' + name for name in names)})", **_texts(row))


def update(session: Session, row: dict[str, Any]) -> None:
    """Keep what changed about a warning."""
    session.execute(
        "UPDATE warnings_warning SET state = :state, level = :level, title = :title, value = :value, threshold = :threshold, "
        "changed_at = :changed_at, lifted_at = :lifted_at WHERE id = :id",
        **{k: v for k, v in _texts(row).items() if k in _CHANGING},
    )


def link(session: Session, warning: str, incident: str) -> None:
    """Note the incident that handles a warning now: the last one that it opened."""
    session.execute(
        "UPDATE warnings_warning SET incident = :incident WHERE id = :warning",
        incident=incident,
        warning=warning,
    )


def page(session: Session, state: str | None, before: tuple[str, str] | None, limit: int) -> list[Row]:
    """Warnings newest first, after the row `before` (raised_at, id)."""
    where = ["1 = 1"]
    params: dict[str, Any] = {"limit": limit}
    if state is not None:
        where.append("lifted_at IS NULL" if state == "active" else "lifted_at IS NOT NULL")
    if before is not None:
        where.append("(raised_at, id) < (:raised, :id)")
        params |= {"raised": before[0], "id": before[1]}
    sql = f"SELECT {_FIELDS} FROM warnings_warning WHERE {' AND '.join(where)} ORDER BY raised_at DESC, id DESC LIMIT :limit"
    return session.rows(sql, **params)


def everything(session: Session) -> list[Row]:
    """All warnings: for verification."""
    return session.rows(f"SELECT {_FIELDS} FROM warnings_warning ORDER BY id")


_CHANGING = {"id", "state", "level", "title", "value", "threshold", "changed_at", "lifted_at"}


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    return {k: encode(v).decode() if isinstance(v, dict) else v for k, v in row.items()}
