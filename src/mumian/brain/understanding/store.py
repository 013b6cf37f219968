"""Store of understanding: texts of incidents with what was suggested, and corrections."""

from typing import Any

import msgspec

from mumian.brain.understanding.contracts import Correction
from mumian.kernel.unit_of_work import Row, Session, encode

_CORRECTION = "id, model, title, text, said, label, incident, time, person"


def keep_text(session: Session, row: dict[str, Any]) -> None:
    """Keep what an incident says (incident, time, longitude, latitude, title, text, person), to be read."""
    session.execute(
        "INSERT INTO understanding_text (incident, time, longitude, latitude, title, text, person, told) "
        "VALUES (:incident, :time, :longitude, :latitude, :title, :text, :person, '') ON CONFLICT (incident) DO NOTHING",
        **row,
    )


def unread(session: Session, limit: int) -> list[Row]:
    """Texts that are not read yet, oldest first."""
    return session.rows(
        "SELECT incident, time, longitude, latitude, title, text FROM understanding_text WHERE told = '' "
        "ORDER BY incident LIMIT :limit",
        limit=limit,
    )


def tell(session: Session, incident: str, told: dict[str, Any]) -> bool:
    """Keep what was read from a text; False where it had been read already."""
    sql = "UPDATE understanding_text SET told = :told WHERE incident = :incident AND told = ''"
    return session.execute(sql, told=encode(told).decode(), incident=incident) == 1


def told(session: Session, incident: str) -> dict[str, Any] | None:
    """What was read from an incident's text; None where nothing was, or not yet."""
    row = session.row("SELECT told FROM understanding_text WHERE incident = :incident", incident=incident)
    found: dict[str, Any] | None = None if row is None or not row["told"] else msgspec.json.decode(row["told"])
    return found


def recent(session: Session, since: str, until: str, limit: int) -> list[Row]:
    """The newest texts of a span of time, without what was read from them."""
    return session.rows(
        "SELECT incident, time, longitude, latitude, title, text, person FROM understanding_text "
        "WHERE time >= :since AND time <= :until ORDER BY time DESC, incident DESC LIMIT :limit",
        since=since,
        until=until,
        limit=limit,
    )


def correct(session: Session, correction: Correction) -> None:
    """Keep a correction."""
    fields = msgspec.structs.asdict(correction)
    fields["person"] = fields.pop("by")
    values = ", ".join(f":{name}" for name in _CORRECTION.split(", "))
    session.execute(f"INSERT INTO understanding_correction ({_CORRECTION}) VALUES ({values})", **fields)


def corrections(session: Session, model: str, after: str, limit: int) -> list[Correction]:
    """The corrections of a model, oldest first, after an id."""
    sql = f"SELECT {_CORRECTION} FROM understanding_correction WHERE model = :model AND id > :after ORDER BY id LIMIT :limit"
    return [_correction(row) for row in session.rows(sql, model=model, after=after, limit=limit)]


def every_correction(session: Session) -> list[Correction]:
    """All corrections."""
    return [_correction(row) for row in session.rows(f"SELECT {_CORRECTION} FROM understanding_correction ORDER BY id")]


def _correction(row: Row) -> Correction:
    return Correction(**{("by" if name == "person" else name): value for name, value in row.items()})
