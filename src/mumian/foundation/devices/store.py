"""Store of the device ledger: devices with their history and work, in the records."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.rules.device import patterns, searched
from mumian.kernel.unit_of_work import Row, Session, encode, next_value

FIELDS = Device.__struct_fields__
_JSON = ("properties", "streams")
_COLUMNS = ", ".join(FIELDS)
_SELECT = f"SELECT {_COLUMNS} FROM devices_device"
_KEPT = (*FIELDS, "digest", "search", "stamp")
_INSERT = f"INSERT INTO devices_device ({', '.join(_KEPT)}) VALUES ({', '.join(':' + name for name in _KEPT)})"
_HISTORY = (
    "INSERT INTO devices_history (code, version, time, actor, action, changes, note) "
    "VALUES (:code, :version, :time, :actor, :action, :changes, :note)"
)
_FILTERS = {
    "kind": "d.kind",
    "owner": "d.owner",
    "state": "d.state",
    "district": "d.district",
    "grid": "d.grid",
    "origin": "d.origin",
}
_TEXT = "d.search LIKE :text{n} ESCAPE '!'"
_WORK = "id, code, type, day, due, result, certificate, party, cost, note, recorded, actor"


def digest(device: Device) -> str:
    """SHA-256 (hex) of the canonical JSON of the whole state."""
    return sha256(encode(device)).hexdigest()


def load(row: Row) -> Device:
    """A device from its row."""
    decode = msgspec.json.decode
    return Device(**{**row, "properties": decode(row["properties"]), "streams": decode(row["streams"])})


def find(session: Session, code: str) -> Device | None:
    """The device of that code."""
    row = session.row(f"{_SELECT} WHERE code = :code", code=code)
    return None if row is None else load(row)


def find_many(session: Session, codes: Sequence[str]) -> dict[str, Device]:
    """The devices of those of the codes (at most some hundreds) that there are."""
    if not codes:
        return {}
    names = {f"c{n}": code for n, code in enumerate(codes)}
    rows = session.rows(f"{_SELECT} WHERE code IN ({', '.join(':' + name for name in names)})", **names)
    return {row["code"]: load(row) for row in rows}


def insert(session: Session, device: Device, state_digest: str) -> None:
    """Keep a new device."""
    session.execute(_INSERT, **_row(device, FIELDS), digest=state_digest, search=searched(device), stamp=_stamp(session))


def update(session: Session, device: Device, names: Sequence[str], seen: int, state_digest: str) -> bool:
    """Keep the next version of a device, of which the fields `names` changed; False if `seen` is not the version kept."""
    values = _row(device, [*names, "changed", "version"])
    values |= {"digest": state_digest, "search": searched(device), "stamp": _stamp(session)}
    columns = ", ".join(f"{name} = :{name}" for name in values)
    sql = f"UPDATE devices_device SET {columns} WHERE code = :key AND version = :seen"
    return session.execute(sql, **values, key=device.code, seen=seen) == 1


def touch(session: Session, code: str) -> None:
    """Let whoever holds devices in memory look at this one again."""
    session.execute("UPDATE devices_device SET stamp = :stamp WHERE code = :code", stamp=_stamp(session), code=code)


def _stamp(session: Session) -> int:
    return next_value(session, "devices.stamp")


def _row(device: Device, names: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(device, name) for name in names}
    return {name: encode(value).decode() if name in _JSON else value for name, value in row.items()}


def remember(session: Session, device: Device, actor: str, action: str, changes: Mapping[str, Any], note: str) -> None:
    """One row of history."""
    told = encode(dict(changes)).decode()
    values = {"code": device.code, "version": device.version, "time": device.changed, "actor": actor}
    session.execute(_HISTORY, **values, action=action, changes=told, note=note)


def history(session: Session, code: str, before: int | None, limit: int) -> list[Row]:
    """The steps of a device, newest first."""
    rows = session.rows(
        "SELECT version, time, actor, action, changes, note FROM devices_history "
        "WHERE code = :code AND version < :before ORDER BY version DESC LIMIT :limit",
        code=code,
        before=2**62 if before is None else before,
        limit=limit,
    )
    return [{**row, "changes": msgspec.json.decode(row["changes"])} for row in rows]


def page(session: Session, filters: Mapping[str, Any], after: str, limit: int) -> list[tuple[Device, Row]]:
    """Devices by code, each with its presence, that fit all filters.

    Filters: kind, kinds (a list), owner, owners (a list), state, district, grid, due (by that day), presence, text.
    """
    where, params = _where(filters)
    columns = ", ".join(f"d.{name}" for name in FIELDS)
    sql = (
        f"SELECT {columns}, p.state AS presence, p.since, p.seen FROM devices_device d "
        f"LEFT JOIN devices_presence p ON p.code = d.code WHERE {' AND '.join(['d.code > :after', *where])} "
        "ORDER BY d.code LIMIT :limit"
    )
    rows = session.rows(sql, **params, after=after, limit=limit)
    return [(load({name: row[name] for name in FIELDS}), row) for row in rows]


def count(session: Session, filters: Mapping[str, Any]) -> int:
    """How many devices fit all filters."""
    where, params = _where(filters)
    sql = "SELECT COUNT(*) FROM devices_device d LEFT JOIN devices_presence p ON p.code = d.code"
    return int(session.value(f"{sql} WHERE {' AND '.join(['1 = 1', *where])}", **params))


def _where(filters: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    where, params = [], {}
    for name, column in _FILTERS.items():
        if filters.get(name) is not None:
            where.append(f"{column} = :{name}")
            params[name] = filters[name]
    for name, column in (("kinds", "d.kind"), ("owners", "d.owner")):
        if filters.get(name) is not None:
            listed = {f"{name}{n}": value for n, value in enumerate(filters[name])}
            where.append(f"{column} IN ({', '.join(':' + key for key in listed)})" if listed else "1 = 0")
            params |= listed
    if filters.get("due") is not None:
        where.append("d.due <= :due")
        params["due"] = filters["due"]
    if filters.get("presence") is not None:
        where.append("p.state = :presence" if filters["presence"] != "unknown" else "(p.state IS NULL OR p.state = :presence)")
        params["presence"] = filters["presence"]
    for n, pattern in enumerate(patterns(filters.get("text") or "")):
        where.append(_TEXT.format(n=n))
        params[f"text{n}"] = pattern
    return where, params


def newer(session: Session, stamp: int, limit: int) -> list[Row]:
    """What is held in memory of devices that changed after a stamp, by stamp."""
    return session.rows(
        "SELECT code, kind, owner, state, district, longitude, latitude, share, installed, streams, stamp FROM devices_device "
        "WHERE stamp > :stamp ORDER BY stamp LIMIT :limit",
        stamp=stamp,
        limit=limit,
    )


def newest_stamp(session: Session) -> int:
    """The last stamp that was given."""
    return int(session.value("SELECT value FROM kernel_sequence WHERE name = 'devices.stamp'") or 0)


def statistics(session: Session) -> list[Row]:
    """How many devices of each kind, owner, state and presence there are."""
    return session.rows(
        "SELECT d.kind, d.owner, d.state, p.state AS presence, COUNT(*) AS devices FROM devices_device d "
        "LEFT JOIN devices_presence p ON p.code = d.code GROUP BY d.kind, d.owner, d.state, p.state"
    )


def add_work(session: Session, row: Row) -> None:
    """Keep a calibration or maintenance that was done."""
    session.execute(f"INSERT INTO devices_work ({_WORK}) VALUES ({', '.join(':' + n for n in _WORK.split(', '))})", **row)


def work(session: Session, code: str, before: tuple[str, str] | None, limit: int) -> list[Row]:
    """The work done on a device, newest first, before (day, id)."""
    day, id_ = before or ("9999-99-99", "")
    return session.rows(
        f"SELECT {_WORK} FROM devices_work WHERE code = :code AND (day, id) < (:day, :id) "
        "ORDER BY day DESC, id DESC LIMIT :limit",
        code=code,
        day=day,
        id=id_,
        limit=limit,
    )


def everything(session: Session, after: str, limit: int) -> list[Row]:
    """Devices as kept, with their digests, by code: for verification."""
    sql = f"SELECT {_COLUMNS}, digest FROM devices_device WHERE code > :after ORDER BY code LIMIT :limit"
    return session.rows(sql, after=after, limit=limit)
