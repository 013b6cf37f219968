"""Checks of what was read: every geometry in WGS 84 and sound, every id given once, and the schema that all rows share."""

from typing import Any

import msgspec
import numpy as np

from mumian.foundation.spatial.coordinates.transform import convert_geometry
from mumian.foundation.spatial.importing.job import MOST_FAULTS, Job, Report, RowFault, Rows, Unreadable
from mumian.foundation.spatial.rules.crs import Crs, parse_crs
from mumian.foundation.spatial.rules.schema import MOST_PROPERTIES, infer
from mumian.kernel.errors import Invalid

_WGS84 = parse_crs("CRS84")


def check(rows: Rows, job: Job) -> tuple[dict[str, Any], Report]:
    """The good rows as columns (fid, geometry as WKB, properties as JSON text), and the report on all of them."""
    count = len(rows.properties)
    if count > job.most_rows:
        raise Unreadable(f"it has more than {job.most_rows} features")
    crs = _system(job.crs or rows.crs)
    geometries = _converted(rows, crs)
    _judge(geometries, rows, crs, job.repair)
    ids = _ids(rows, job.key)
    good = [index for index in range(count) if index not in rows.faults]
    schema = infer(rows.properties[index] for index in good)
    if len(schema) > MOST_PROPERTIES:
        raise Unreadable(f"it has more than {MOST_PROPERTIES} properties")
    faults = [rows.faults[index] for index in sorted(rows.faults)]
    report = Report(rows=count, accepted=len(good), refused=len(faults), faults=faults[:MOST_FAULTS], encoding=rows.encoding)
    report.properties = [(p.name, p.type) for p in schema]
    report.crs = crs.name if crs.uri else "its own definition"
    report.layers = rows.layers
    return _columns(geometries, rows, ids, good), report


def _columns(geometries: Any, rows: Rows, ids: list[str], good: list[int]) -> dict[str, Any]:
    import shapely

    encode = msgspec.json.Encoder().encode
    made = {
        "fid": np.empty(len(good), object),
        "geometry": np.empty(len(good), object),
        "properties": np.empty(len(good), object),
    }
    made["fid"][:] = [ids[index] for index in good]
    made["geometry"][:] = list(shapely.to_wkb(geometries[good])) if good else []
    made["properties"][:] = [encode(rows.properties[index]).decode() for index in good]
    return made


def _system(given: str | None) -> Crs:
    if given is None:
        return _WGS84
    try:
        crs = parse_crs(given)
    except Invalid:
        return _defined(given)
    return parse_crs("CRS84") if crs.name == "EPSG:4326" else crs


def _defined(text: str) -> Crs:
    """A system that a file defines in WKT: by its EPSG code where PROJ is sure of it, else as it stands."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        found = CRS.from_user_input(text)
    except CRSError as error:
        raise Unreadable(f"its coordinate system is not understood ({text[:80]!r}); name it with crs") from error
    code = found.to_epsg(min_confidence=70)
    return parse_crs(f"EPSG:{code}") if code else Crs(text, "", northing_first=False)


def _converted(rows: Rows, crs: Crs) -> Any:
    import shapely

    made = shapely.force_2d(np.asarray(rows.geometries, object))
    there = np.flatnonzero(~shapely.is_missing(made))
    if there.size and crs != _WGS84:
        try:
            made[there] = convert_geometry(made[there], crs, _WGS84)
        except Invalid as error:
            raise Unreadable(f"its coordinate system {crs.name[:80]!r} is not known; name it with crs") from error
    return made


def _judge(geometries: Any, rows: Rows, crs: Crs, repair: bool) -> None:
    """A fault for each geometry that is empty, leaves the earth or crosses itself; the latter is mended where asked."""
    import shapely

    there = ~shapely.is_missing(geometries)
    west, south, east, north = shapely.bounds(geometries).T
    empty = there & shapely.is_empty(geometries)
    inside = (west >= -180) & (east <= 180) & (south >= -90) & (north <= 90)
    lost = there & ~empty & ~inside
    crossed = there & ~empty & inside & ~shapely.is_valid(geometries)
    if repair and crossed.any():
        geometries[crossed] = shapely.make_valid(geometries[crossed])
        crossed = np.zeros_like(crossed)
    if there.any() and lost.sum() * 2 > there.sum() and crs == _WGS84:
        raise Unreadable("its coordinates are not degrees; name its coordinate system with crs, such as EPSG:4547")
    for index in np.flatnonzero(empty | lost | crossed).tolist():
        reason = "it is empty" if empty[index] else "it lies outside of the earth" if lost[index] else ""
        reason = reason or shapely.is_valid_reason(geometries[index])
        rows.faults.setdefault(index, RowFault(index + rows.first, "geometry", reason))


def _ids(rows: Rows, key: str | None) -> list[str]:
    """Ids from the property `key`, from the file, or the row's number; one that is given twice or missing is a fault."""
    seen: set[str] = set()
    ids: list[str] = []
    for index, values in enumerate(rows.properties):
        given = values.get(key) if key else (rows.ids[index] if rows.ids else None)
        id_ = str(given) if given is not None else "" if key else str(index + rows.first)
        problem = None
        if not 1 <= len(id_) <= 200 or "/" in id_ or not id_.isprintable():
            problem = "it is missing" if not id_ else "an id has at most 200 printable characters and no /"
        elif id_ in seen:
            problem = f"{id_!r} is given twice"
        if problem is not None:
            rows.faults.setdefault(index, RowFault(index + rows.first, key or "id", problem))
        elif index not in rows.faults:
            seen.add(id_)
        ids.append(id_)
    return ids
