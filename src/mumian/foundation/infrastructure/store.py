"""Store of the infrastructure ledger: facilities with their history and live state, measurements, imports and plans."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.infrastructure.contracts import Facility, Measurement
from mumian.foundation.search.contracts import Selection
from mumian.foundation.tables.contracts import RowFault
from mumian.kernel.errors import NotFound
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode, next_value

FIELDS = Facility.__struct_fields__
JSON = ("properties", "devices", "streams", "ends")
MOST_FAULTS = 10_000
_COLUMNS = ", ".join(FIELDS)
_TABLE = "infrastructure_facility"
_KEPT = (*FIELDS, "digest")
_INSERT = f"INSERT INTO {_TABLE} ({', '.join(_KEPT)}) VALUES ({', '.join(':' + name for name in _KEPT)})"
_HISTORY = (
    "INSERT INTO infrastructure_history (code, version, time, actor, action, changes, note) "
    "VALUES (:code, :version, :time, :actor, :action, :changes, :note)"
)
_FILTERS = ("kind", "owner", "state", "district", "plane", "operator")
_IMPORT = "id, file, sha256, time, actor, rows, created, updated, unchanged, refused, faults"
_MEASURED = ", ".join(Measurement.__struct_fields__)


def digest(facility: Facility) -> str:
    """SHA-256 (hex) of the canonical JSON of the whole state."""
    return sha256(encode(facility)).hexdigest()


def load(row: Row) -> Facility:
    """A facility from its row."""
    return Facility(**{name: msgspec.json.decode(row[name]) if name in JSON else row[name] for name in FIELDS})


def find(session: Session, code: str) -> Facility | None:
    """The facility of that code."""
    row = session.row(f"SELECT {_COLUMNS} FROM {_TABLE} WHERE code = :code", code=code)
    return None if row is None else load(row)


def find_many(session: Session, codes: Sequence[str]) -> dict[str, Facility]:
    """The facilities of those of the codes (at most some hundreds) that there are."""
    names = {f"c{n}": code for n, code in enumerate(codes)}
    if not names:
        return {}
    sql = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE code IN ({', '.join(':' + name for name in names)})"
    return {row["code"]: load(row) for row in session.rows(sql, **names)}


def insert(session: Session, facility: Facility, state_digest: str) -> None:
    """Keep a new facility."""
    session.execute(_INSERT, **_row(facility), digest=state_digest)
    stamp(session)


def update(session: Session, facility: Facility, seen: int, state_digest: str) -> bool:
    """Keep the next version of a facility; False if `seen` is not the version kept."""
    columns = ", ".join(f"{name} = :{name}" for name in _KEPT if name != "code")
    sql = f"UPDATE {_TABLE} SET {columns} WHERE code = :code AND version = :seen"
    stamp(session)
    return session.execute(sql, **_row(facility), digest=state_digest, seen=seen) == 1


def _row(facility: Facility) -> dict[str, Any]:
    return {name: encode(value).decode() if name in JSON else value for name, value in msgspec.structs.asdict(facility).items()}


def stamp(session: Session) -> int:
    """Note that facilities changed."""
    return next_value(session, "infrastructure.stamp")


def stamped(session: Session) -> int:
    """A number that grows whenever facilities change."""
    return int(session.value("SELECT value FROM kernel_sequence WHERE name = 'infrastructure.stamp'") or 0)


def page(
    session: Session, filters: Mapping[str, Any], after: str, limit: int, selected: Selection | None = None
) -> list[Facility]:
    """Facilities by code after one; `filters` by column, `kinds` a list, `west south east north` a box in degrees."""
    params: dict[str, Any] = {name: filters[name] for name in _FILTERS if filters.get(name) is not None}
    where = "".join(f" AND f.{name} = :{name}" for name in params)
    kinds = filters.get("kinds")
    if kinds is not None:
        names = {f"k{n}": kind for n, kind in enumerate(kinds)}
        where += f" AND f.kind IN ({', '.join(':' + name for name in names)})" if names else " AND 1 = 0"
        params |= names
    if filters.get("west") is not None:
        where += " AND f.longitude BETWEEN :west AND :east AND f.latitude BETWEEN :south AND :north"
        params |= {name: filters[name] for name in ("west", "south", "east", "north")}
    joined = ""
    if selected is not None:
        joined = f" JOIN ({selected.sql}) AS chosen ON chosen.key = f.code"
        params |= {**selected.params}
    columns = ", ".join(f"f.{name}" for name in FIELDS)
    sql = f"SELECT {columns} FROM {_TABLE} f{joined} WHERE f.code > :after{where} ORDER BY f.code LIMIT :limit"
    return [load(row) for row in session.rows(sql, after=after, limit=limit, **params)]


def every(session: Session, kinds: Sequence[str] | None = None) -> list[Facility]:
    """All facilities (of these kinds), by code."""
    found: list[Facility] = []
    filters = {} if kinds is None else {"kinds": list(kinds)}
    while some := page(session, filters, found[-1].code if found else "", 5000):
        found += some
    return found


def everything(session: Session, after: str, limit: int) -> list[Row]:
    """Rows of facilities with their digests, by code."""
    return session.rows(
        f"SELECT {_COLUMNS}, digest FROM {_TABLE} WHERE code > :after ORDER BY code LIMIT :limit", after=after, limit=limit
    )


def statistics(session: Session) -> list[Row]:
    """How many facilities there are of each kind, owner, state and district."""
    return session.rows(
        f"SELECT kind, owner, state, district, COUNT(*) AS facilities FROM {_TABLE} "
        "GROUP BY kind, owner, state, district ORDER BY kind, owner, state, district"
    )


def remember(session: Session, facility: Facility, actor: str, action: str, changes: Mapping[str, Any], note: str) -> None:
    """One row of history."""
    told = encode(dict(changes)).decode()
    values = {"code": facility.code, "version": facility.version, "time": facility.changed, "actor": actor}
    session.execute(_HISTORY, **values, action=action, changes=told, note=note)


def history(session: Session, code: str, before: int | None, limit: int) -> list[Row]:
    """The steps of a facility, newest first."""
    rows = session.rows(
        "SELECT version, time, actor, action, changes, note FROM infrastructure_history "
        "WHERE code = :code AND version < :before ORDER BY version DESC LIMIT :limit",
        code=code,
        before=2**62 if before is None else before,
        limit=limit,
    )
    return [{**row, "changes": msgspec.json.decode(row["changes"])} for row in rows]


def statuses(session: Session, codes: Sequence[str]) -> dict[str, Row]:
    """What was last reported of these facilities."""
    names = {f"c{n}": code for n, code in enumerate(codes)}
    if not names:
        return {}
    sql = "SELECT code, status, since, reported, note FROM infrastructure_status WHERE code IN "
    return {row["code"]: row for row in session.rows(f"{sql}({', '.join(':' + name for name in names)})", **names)}


def keep_status(tx: Transaction, code: str, status: str, since: str, note: str) -> None:
    """Keep what is reported of a facility now."""
    tx.session.execute(
        "INSERT INTO infrastructure_status (code, status, since, reported, note) VALUES (:code, :status, :since, :now, :note) "
        "ON CONFLICT (code) DO UPDATE SET status = :status, since = :since, reported = :now, note = :note",
        code=code,
        status=status,
        since=since,
        now=tx.now_text,
        note=note,
    )


def keep_import(
    tx: Transaction, id_: str, file: str, sha256_: str, counts: Mapping[str, int], faults: Sequence[RowFault]
) -> None:
    """Keep the report of an import; at most the first 10,000 faults."""
    row = {"id": id_, "file": file, "sha256": sha256_, "time": tx.now_text, "actor": tx.actor.id, **counts}
    row["faults"] = msgspec.json.encode(list(faults[:MOST_FAULTS])).decode()
    names = ", ".join(":" + name for name in _IMPORT.split(", "))
    tx.session.execute(f"INSERT INTO infrastructure_import ({_IMPORT}) VALUES ({names})", **row)


def imports(session: Session, before: str | None, limit: int) -> list[Row]:
    """Imports, newest first, without their faults."""
    columns = _IMPORT.removesuffix(", faults")
    sql = f"SELECT {columns} FROM infrastructure_import WHERE id < :before ORDER BY id DESC LIMIT :limit"
    return session.rows(sql, before="~" if before is None else before, limit=limit)


def find_import(session: Session, id_: str) -> tuple[Row, list[RowFault]]:
    """An import and its faults; raises NotFound."""
    row = session.row(f"SELECT {_IMPORT} FROM infrastructure_import WHERE id = :id", id=id_)
    if row is None:
        raise NotFound(kind="import", name=id_)
    return row, msgspec.json.decode(row.pop("faults"), type=list[RowFault])


def measurements(session: Session, measure: str | None = None) -> list[Measurement]:
    """The newest measurements (of one measure), by measure and area."""
    where, params = ("", {}) if measure is None else (" WHERE measure = :measure", {"measure": measure})
    sql = f"SELECT {_MEASURED} FROM infrastructure_measurement{where} ORDER BY measure, area"
    return [Measurement(**row) for row in session.rows(sql, **params)]


def keep_measurements(session: Session, found: Sequence[Measurement]) -> None:
    """Keep measurements; they wait to be published."""
    names = [*Measurement.__struct_fields__, "published"]
    changed = ", ".join(f"{name} = :{name}" for name in names if name not in ("measure", "area"))
    sql = (
        f"INSERT INTO infrastructure_measurement ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)}) "
        f"ON CONFLICT (measure, area) DO UPDATE SET {changed}"
    )
    if found:
        session.execute_many(sql, [{**msgspec.structs.asdict(each), "published": 0} for each in found])


def drop_measurements(session: Session, measure: str, areas: Sequence[str]) -> None:
    """Forget the measurements of areas that a measure does not speak of any more."""
    sql = "DELETE FROM infrastructure_measurement WHERE measure = :measure AND area = :area"
    if areas:
        session.execute_many(sql, [{"measure": measure, "area": area} for area in areas])


def unpublished(session: Session) -> list[Measurement]:
    """Measurements that no stream has yet."""
    sql = f"SELECT {_MEASURED} FROM infrastructure_measurement WHERE published = 0 AND value IS NOT NULL ORDER BY measure, area"
    return [Measurement(**row) for row in session.rows(sql)]


def publish(session: Session, found: Sequence[Measurement]) -> None:
    """Note that streams have these measurements."""
    sql = "UPDATE infrastructure_measurement SET published = 1 WHERE measure = :measure AND area = :area AND as_of = :as_of"
    rows = [{"measure": each.measure, "area": each.area, "as_of": each.as_of} for each in found]
    session.execute_many(sql, rows)


def keep_plan(tx: Transaction, id_: str, kind: str, request: str, result: str, digest_: str) -> None:
    """Keep a plan."""
    tx.session.execute(
        "INSERT INTO infrastructure_plan (id, time, actor, kind, request, result, digest) "
        "VALUES (:id, :time, :actor, :kind, :request, :result, :digest)",
        id=id_,
        time=tx.now_text,
        actor=tx.actor.id,
        kind=kind,
        request=request,
        result=result,
        digest=digest_,
    )


def plans(session: Session, before: str | None, limit: int, id_: str | None = None) -> list[Row]:
    """Plans, newest first, or the one of an id."""
    sql = "SELECT id, time, actor, kind, request, result FROM infrastructure_plan WHERE "
    sql += "id = :id" if id_ is not None else "id < :id"
    rows = session.rows(f"{sql} ORDER BY id DESC LIMIT :limit", id=id_ or before or "~", limit=limit)
    return [{**row, "request": msgspec.json.decode(row["request"]), "result": msgspec.json.decode(row["result"])} for row in rows]
