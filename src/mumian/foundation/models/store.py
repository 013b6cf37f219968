"""Store of models: the few statements that keep models and their versions."""

from typing import Any

import msgspec

from mumian.foundation.models.contracts import Model, Version
from mumian.kernel.unit_of_work import Row, Session, encode

_MODEL = Model.__struct_fields__
_VERSION = Version.__struct_fields__
_JSON = ("title", "data", "evaluation", "compared")


def _kept(record: msgspec.Struct) -> dict[str, Any]:
    fields = msgspec.structs.asdict(record)
    return {name: encode(value).decode() if name in _JSON else value for name, value in fields.items()}


def _told(row: Row) -> dict[str, Any]:
    return {name: msgspec.json.decode(value) if name in _JSON else value for name, value in row.items()}


def add(session: Session, model: Model) -> None:
    """Keep a new model."""
    values = ", ".join(f":{name}" for name in _MODEL)
    session.execute(f"INSERT INTO models_model ({', '.join(_MODEL)}) VALUES ({values})", **_kept(model))


def model(session: Session, name: str) -> Model | None:
    """The model of a name."""
    row = session.row(f"SELECT {', '.join(_MODEL)} FROM models_model WHERE name = :name", name=name)
    return None if row is None else Model(**_told(row))


def models(session: Session, after: str, limit: int) -> list[Model]:
    """Models by name, after a name."""
    sql = f"SELECT {', '.join(_MODEL)} FROM models_model WHERE name > :after ORDER BY name LIMIT :limit"
    return [Model(**_told(row)) for row in session.rows(sql, after=after, limit=limit)]


def register(session: Session, version: Version) -> None:
    """Keep a new version."""
    values = ", ".join(f":{name}" for name in _VERSION)
    session.execute(f"INSERT INTO models_version ({', '.join(_VERSION)}) VALUES ({values})", **_kept(version))


def version(session: Session, name: str, number: int) -> Version | None:
    """A version of a model."""
    sql = f"SELECT {', '.join(_VERSION)} FROM models_version WHERE model = :name AND number = :number"
    row = session.row(sql, name=name, number=number)
    return None if row is None else Version(**_told(row))


def versions(session: Session, name: str, before: int, limit: int) -> list[Version]:
    """The versions of a model, the newest first, below a number."""
    sql = (
        f"SELECT {', '.join(_VERSION)} FROM models_version WHERE model = :name AND number < :before "
        "ORDER BY number DESC LIMIT :limit"
    )
    return [Version(**_told(row)) for row in session.rows(sql, name=name, before=before, limit=limit)]


def newest(session: Session, name: str, states: tuple[str, ...]) -> Version | None:
    """The newest version in one of two states."""
    first, last = states[0], states[-1]
    sql = (
        f"SELECT {', '.join(_VERSION)} FROM models_version WHERE model = :name AND state IN (:first, :last) "
        "ORDER BY number DESC LIMIT 1"
    )
    row = session.row(sql, name=name, first=first, last=last)
    return None if row is None else Version(**_told(row))


def last_number(session: Session, name: str) -> int:
    """The highest number of a version of the model; 0 if there is none."""
    return int(session.value("SELECT COALESCE(MAX(number), 0) FROM models_version WHERE model = :name", name=name))


def decide(session: Session, found: Version, state: str, time: str, by: str, note: str) -> bool:
    """Move a version on from the state it was seen in; False if somebody else did."""
    sql = (
        "UPDATE models_version SET state = :state, decided = :time, decided_by = :by, note = :note "
        "WHERE model = :name AND number = :number AND state = :seen"
    )
    seen = {"name": found.model, "number": found.number, "seen": found.state}
    return session.execute(sql, state=state, time=time, by=by, note=note, **seen) == 1


def everything(session: Session) -> list[Version]:
    """All versions."""
    sql = f"SELECT {', '.join(_VERSION)} FROM models_version ORDER BY model, number"
    return [Version(**_told(row)) for row in session.rows(sql)]
