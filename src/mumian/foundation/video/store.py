"""Rows of video: cameras, health, runs, detections, clips, looks and models."""

from typing import Any, TypeVar

import msgspec

from mumian.foundation.video.contracts import Camera, Clip, Detection, Health, Look
from mumian.kernel.unit_of_work import Row, Session, encode, next_value

T = TypeVar("T", bound=msgspec.Struct)
_JSON = frozenset({"title", "uses", "groups", "tags", "masks", "box"})
_CAMERA = Camera.__struct_fields__
_INDEXED = (
    "code, title, source, longitude, latitude, heading, field_of_view, reach, owner, operator, "
    "uses, groups, tags, health, retired, monitored, revision"
)


def _insert(table: str, names: tuple[str, ...], more: str = "") -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)}) {more}"


def _row(struct: msgspec.Struct) -> Row:
    row: Row = {}
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        row[name] = (
            encode(value).decode() if name in _JSON and value is not None else int(value) if isinstance(value, bool) else value
        )
    return row


def _struct(kind: type[T], row: Row) -> T:
    plain = {
        name: msgspec.json.decode(row[name]) if name in _JSON and row[name] is not None else row[name]
        for name in kind.__struct_fields__
    }
    return msgspec.convert(plain, kind, strict=False)


def camera(session: Session, code: str) -> Camera | None:
    """A camera, retired or not."""
    row = session.row(f"SELECT {', '.join(_CAMERA)} FROM video_camera WHERE code = :code", code=code)
    return None if row is None else _struct(Camera, row)


def cameras(session: Session, codes: list[str]) -> list[Camera]:
    """Cameras in the order of `codes`."""
    found: dict[str, Camera] = {}
    for start in range(0, len(codes), 500):
        part = {f"c{i}": code for i, code in enumerate(codes[start : start + 500])}
        names = ", ".join(f":{name}" for name in part)
        for row in session.rows(f"SELECT {', '.join(_CAMERA)} FROM video_camera WHERE code IN ({names})", **part):
            found[row["code"]] = _struct(Camera, row)
    return [found[code] for code in codes if code in found]


def secrets(session: Session, code: str) -> str:
    """The sealed address of a camera."""
    return str(session.value("SELECT sealed FROM video_camera WHERE code = :code", code=code) or "")


def put_cameras(session: Session, made: list[tuple[Camera, str]]) -> None:
    """Keep cameras with their sealed addresses, new or changed."""
    if not made:
        return
    first = next_value(session, "video.camera", len(made))
    names = (*_CAMERA, "sealed", "revision")
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("code", "created"))
    rows = [{**_row(camera), "sealed": sealed, "revision": first + i} for i, (camera, sealed) in enumerate(made)]
    session.execute_many(_insert("video_camera", names, f"ON CONFLICT (code) DO UPDATE SET {changes}"), rows)


def changed_since(session: Session, revision: int, after: str, limit: int) -> list[Row]:
    """Rows for the directory that changed after `revision`, by revision."""
    return session.rows(
        f"SELECT {_INDEXED} FROM video_camera WHERE revision > :revision ORDER BY revision LIMIT :limit",
        revision=revision,
        limit=limit,
    )


def set_health(session: Session, code: str, state: str, now: str) -> None:
    """Show the settled health on the camera itself."""
    session.execute(
        "UPDATE video_camera SET health = :state, changed = :now, revision = :revision WHERE code = :code",
        code=code,
        state=state,
        now=now,
        revision=next_value(session, "video.camera"),
    )


def health(session: Session, code: str) -> Health | None:
    """The health of a camera."""
    row = session.row("SELECT * FROM video_health WHERE camera = :code", code=code)
    return None if row is None else _struct(Health, row)


def put_health(session: Session, found: Health) -> None:
    """Keep the health of a camera."""
    names = Health.__struct_fields__
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name != "camera")
    session.execute(_insert("video_health", names, f"ON CONFLICT (camera) DO UPDATE SET {changes}"), **_row(found))


def longest_unprobed(session: Session, limit: int, before: str) -> list[str]:
    """Monitored cameras that were not looked at since `before`, those never looked at first."""
    sql = (
        "SELECT c.code FROM video_camera c LEFT JOIN video_health h ON h.camera = c.code "
        "WHERE c.retired = 0 AND c.monitored = 1 AND COALESCE(h.checked, '') < :before "
        "ORDER BY COALESCE(h.checked, ''), c.code LIMIT :limit"
    )
    return [row["code"] for row in session.rows(sql, limit=limit, before=before)]


def put_run(session: Session, row: Row) -> bool:
    """Keep how a task stands on a camera; False if that is known already."""
    known = session.row(
        "SELECT version, digest, state, detail FROM video_run WHERE task = :task AND camera = :camera",
        task=row["task"],
        camera=row["camera"],
    )
    if known is not None and all(known[name] == row[name] for name in known):
        return False
    session.execute(
        _insert("video_run", tuple(row))
        + "ON CONFLICT (task, camera) DO UPDATE SET version = excluded.version, digest = excluded.digest, "
        "state = excluded.state, detail = excluded.detail, changed = excluded.changed",
        **row,
    )
    return True


def runs(session: Session, task: str | None = None) -> list[Row]:
    """How tasks stand on cameras, by task and camera."""
    where = "WHERE task = :task " if task is not None else ""
    params = {"task": task} if task is not None else {}
    return session.rows(f"SELECT * FROM video_run {where}ORDER BY task, camera", **params)


def add_detection(session: Session, found: Detection) -> bool:
    """Keep a detection; False if it is known already."""
    names = Detection.__struct_fields__
    return session.execute(_insert("video_detection", names, "ON CONFLICT (id) DO NOTHING"), **_row(found)) > 0


def detection(session: Session, id_: str) -> Detection | None:
    """One detection."""
    row = session.row("SELECT * FROM video_detection WHERE id = :id", id=id_)
    return None if row is None else _struct(Detection, row)


def detections(session: Session, filters: dict[str, Any], before: tuple[str, str] | None, limit: int) -> list[Detection]:
    """Detections, the newest first, after the row `before` (time, id); filters: camera, task, since, until."""
    sql, params = _newest("video_detection", "time", filters, before, limit)
    return [_struct(Detection, row) for row in session.rows(sql, **params)]


def add_clip(session: Session, made: Clip) -> None:
    """Keep a clip."""
    session.execute(_insert("video_clip", Clip.__struct_fields__), **_row(made))


def clip(session: Session, id_: str) -> Clip | None:
    """One clip."""
    row = session.row("SELECT * FROM video_clip WHERE id = :id", id=id_)
    return None if row is None else _struct(Clip, row)


def clips(session: Session, filters: dict[str, Any], before: tuple[str, str] | None, limit: int) -> list[Clip]:
    """Clips, the newest first, after the row `before` (begins, id); filters: camera, since, until."""
    sql, params = _newest("video_clip", "begins", filters, before, limit)
    return [_struct(Clip, row) for row in session.rows(sql, **params)]


def _newest(
    table: str, column: str, filters: dict[str, Any], before: tuple[str, str] | None, limit: int
) -> tuple[str, dict[str, Any]]:
    given = {name: value for name, value in filters.items() if value is not None}
    tests = {"since": f"{column} >= :since", "until": f"{column} < :until"}
    where = [tests.get(name, f"{name} = :{name}") for name in given] or ["1 = 1"]
    if before is not None:
        where.append(f"({column}, id) < (:before, :id)")
        given |= {"before": before[0], "id": before[1]}
    sql = f"SELECT * FROM {table} WHERE {' AND '.join(where)} ORDER BY {column} DESC, id DESC LIMIT :limit"
    return sql, {**given, "limit": limit}


def expired(session: Session, now: str, limit: int) -> list[Row]:
    """Clips and evidence pictures whose time is over and that are still there: kind, id, object, sha256."""
    sql = (
        "SELECT 'clip' AS kind, id, object, sha256 FROM video_clip WHERE expires <= :now AND object IS NOT NULL "
        "UNION ALL SELECT 'detection', id, picture, sha256 FROM video_detection "
        "WHERE expires <= :now AND picture IS NOT NULL LIMIT :limit"
    )
    return session.rows(sql, now=now, limit=limit)


def forget_object(session: Session, kind: str, id_: str) -> None:
    """The picture or clip is deleted; what is known of it stays."""
    table, column = ("video_clip", "object") if kind == "clip" else ("video_detection", "picture")
    session.execute(f"UPDATE {table} SET {column} = NULL WHERE id = :id", id=id_)


def add_look(session: Session, look: Look) -> None:
    """Keep a look."""
    session.execute(_insert("video_look", Look.__struct_fields__), **_row(look))


def looks(session: Session, camera: str, before: str | None, limit: int) -> list[Look]:
    """Looks at a camera, the newest first, before the id `before`."""
    where = "AND id < :before " if before else ""
    params = {"before": before} if before else {}
    sql = f"SELECT * FROM video_look WHERE camera = :camera {where}ORDER BY id DESC LIMIT :limit"
    return [_struct(Look, row) for row in session.rows(sql, camera=camera, limit=limit, **params)]


def keep_model(session: Session, name: str, digest: str, content: str) -> None:
    """Keep a model's file (base64)."""
    session.execute(
        "INSERT INTO video_model (name, sha256, content) VALUES (:name, :digest, :content) "
        "ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, content = excluded.content",
        name=name,
        digest=digest,
        content=content,
    )


def model_digest(session: Session, name: str) -> str | None:
    """The digest of the file that is kept of a model."""
    found = session.value("SELECT sha256 FROM video_model WHERE name = :name", name=name)
    return None if found is None else str(found)


def model(session: Session, name: str) -> str:
    """A model's file (base64)."""
    return str(session.value("SELECT content FROM video_model WHERE name = :name", name=name) or "")
