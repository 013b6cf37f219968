"""Files that GDAL reads — GeoPackage, Shapefile, FlatGeobuf, KML — by DuckDB's ST_Read, one driver allowed at a time."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from mumian.foundation.spatial.importing.delimited import decode
from mumian.foundation.spatial.importing.job import Job, Rows, Unreadable

_NUMBERS = ("DOUBLE", "FLOAT", "DECIMAL", "REAL")


def read_vector(con: duckdb.DuckDBPyConnection, path: Path, driver: str, job: Job) -> Rows:
    """The features of the asked layer, or of the first; raises Unreadable with GDAL's own reason."""
    shapefile = driver == "ESRI Shapefile"
    try:
        layers, crs = ([], _prj(path)) if shapefile else _meta(con, path, job.layer)
        name = f", layer={_quoted(job.layer)}" if job.layer and not shapefile else ""
        options = ", open_options=['ENCODING=ISO-8859-1']" if shapefile else ""
        read = f"ST_Read({_quoted(str(path))}, allowed_drivers=[{_quoted(driver)}]{name}{options})"
        described = con.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()
        geometry = next((n for n, type_, *_ in reversed(described) if str(type_).startswith("GEOMETRY")), None)
        columns = [(n, str(type_)) for n, type_, *_ in described if n not in (geometry, "OGC_FID")]
        if geometry is None:
            raise Unreadable("it has no geometries")
        selected = "".join(f", {_value(n, type_)}" for n, type_ in columns)
        sql = f"SELECT ST_AsWKB({_name(geometry)}){selected} FROM {read} LIMIT {job.most_rows + 1}"
        found = con.execute(sql).fetchall()
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise Unreadable(str(error).splitlines()[0][:300]) from error
    encoding, decoded = _decoder(path, columns, found, job.encoding) if shapefile else ("utf-8", None)
    return _rows(found, [n for n, _ in columns], crs, layers, encoding, decoded)


def _rows(found: list[Any], names: list[str], crs: str | None, layers: list[str], encoding: str, decoded: Any) -> Rows:
    import shapely

    wkb = np.empty(len(found), object)
    wkb[:] = [None if row[0] is None else bytes(row[0]) for row in found]
    recode = (lambda text: text) if decoded is None else decoded
    titles = [recode(name) for name in names]
    properties = [{t: recode(v) if isinstance(v, str) else v for t, v in zip(titles, row[1:], strict=True)} for row in found]
    return Rows(shapely.from_wkb(wkb, on_invalid="ignore"), properties, crs, None, {}, encoding, layers)


def _value(name: str, type_: str) -> str:
    column = _name(name)
    if type_ == "DATE":
        return f"strftime({column}, '%Y-%m-%d')"
    if type_.startswith("TIMESTAMP"):
        return f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    if type_.startswith(_NUMBERS):
        return f"CASE WHEN isfinite({column}::DOUBLE) THEN {column}::DOUBLE END"
    if type_ == "BLOB":
        return f"hex({column})"
    plain = type_ in ("VARCHAR", "BOOLEAN") or type_.endswith(("INT", "INTEGER"))
    return column if plain else f"CAST({column} AS VARCHAR)"


def _meta(con: duckdb.DuckDBPyConnection, path: Path, layer: str | None) -> tuple[list[str], str | None]:
    found = con.execute(f"SELECT layers FROM ST_Read_Meta({_quoted(str(path))})").fetchall()
    layers = found[0][0] if found else []
    if not layers:
        raise Unreadable("it holds no layer of features, or is no file of the kind that its name says")
    names = [entry["name"] for entry in layers]
    if layer is not None and layer not in names:
        raise Unreadable(f"it has no layer {layer!r}; it has {', '.join(names[:20])}")
    chosen = next(entry for entry in layers if layer in (None, entry["name"]))
    fields = chosen.get("geometry_fields") or []
    crs = (fields[0].get("crs") if fields else None) or {}
    if crs.get("auth_name") == "EPSG" and crs.get("auth_code"):
        return names, f"EPSG:{crs['auth_code']}"
    return names, crs.get("wkt") or None


def _prj(path: Path) -> str | None:
    file = path.with_suffix(".prj")
    return file.read_text("latin-1").strip() or None if file.is_file() else None


def _decoder(path: Path, columns: list[tuple[str, str]], found: list[Any], asked: str | None) -> tuple[str, Any]:
    """How the texts of a Shapefile read: as asked, as its .cpg says, else UTF-8 where all of them are, else GB 18030."""
    file = path.with_suffix(".cpg")
    said = file.read_text("latin-1").strip() if file.is_file() else ""
    encoding = asked or (f"cp{said}" if said.isdigit() else said) or None
    sample = b"\n".join(
        value.encode("latin-1", "replace") for row in found for value in row[1:] if isinstance(value, str)
    ) + b"\n".join(name.encode("latin-1", "replace") for name, _ in columns)
    try:
        chosen = decode(sample, encoding)[1]
    except Unreadable:
        chosen = decode(sample, None)[1]
    chosen = "utf-8" if chosen == "utf-8-sig" else chosen
    return chosen, lambda text: text.encode("latin-1", "replace").decode(chosen, "replace")


def _quoted(text: str | None) -> str:
    return "'" + (text or "").replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
