"""Formats: a row of a dataset as SQL that writes it: CSV, JSON, JSON lines, GeoJSON, N-Triples, Turtle, a row of XLSX."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from mumian.elements.opening.rules import places

XSD = "http://www.w3.org/2001/XMLSchema#"
TYPES = {"integer": "integer", "number": "double", "boolean": "boolean", "date": "date", "time": "dateTime", "text": "string"}
_FORMULA = r"^[=+\-@\t\r]|^''[=+\-@\t\r'']"


@dataclass(frozen=True)
class Form:
    """A format of files: its name in the catalogue, ending, IANA media type, and whether the file grows line by line."""

    name: str
    ending: str
    media: str
    growing: bool = True
    spatial: bool = False


FORMS = {
    form.ending: form
    for form in (
        Form("CSV", "csv", "text/csv"),
        Form("XLSX", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", growing=False),
        Form("JSON", "json", "application/json"),
        Form("JSONL", "jsonl", "application/jsonl"),
        Form("Parquet", "parquet", "application/vnd.apache.parquet", growing=False),
        Form("GeoJSON", "geojson", "application/geo+json", spatial=True),
        Form("N-Triples", "nt", "application/n-triples"),
        Form("Turtle", "ttl", "text/turtle"),
    )
}


@dataclass(frozen=True)
class Column:
    """A column of the rows: its name and type (text, integer, number, boolean, date, time, json)."""

    name: str
    type: str

    @property
    def sql(self) -> str:
        """Its quoted name."""
        return '"' + self.name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Script:
    """How a file comes to be: `head`, what COPY writes of `select` with `options`, then `tail`."""

    select: str
    options: str
    head: bytes = b""
    tail: bytes = b""


_LINES = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x1f', USE_TMP_FILE false"


def script(ending: str, columns: Sequence[Column], rows: str, base: str, bom: bool = False) -> Script:
    """The script of a file in a format; `rows` is the SQL that gives `_id` and the columns, `base` the dataset's address."""
    shown = [column for column in columns if column.name != "_id"]
    return _MAKERS[ending](shown, rows, base, bom)


def moment(column: Column) -> str:
    """A time as ISO 8601 in UTC."""
    return f"replace(strftime({column.sql}, '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z')"


def text(column: Column) -> str:
    """A value as text."""
    return moment(column) if column.type == "time" else f"CAST({column.sql} AS VARCHAR)"


def literal(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def csv_header(names: Sequence[str]) -> str:
    """The names as a line of CSV."""
    return ",".join(f'"{n.replace(chr(34), chr(34) * 2)}"' if re.search(r'[",\r\n]', n) else n for n in names) + "\r\n"


def _csv(columns: Sequence[Column], rows: str, base: str, bom: bool) -> Script:
    line = " || ',' || ".join(map(_csv_cell, columns)) + r" || E'\r'"
    head = ("\ufeff" if bom else "") + csv_header([column.name for column in columns])
    return Script(f"SELECT {line} AS line FROM ({rows}) AS q", _LINES, head.encode())


def _csv_cell(column: Column) -> str:
    if column.type not in ("text", "json"):
        return f"coalesce({text(column)}, '')"
    cell = column.sql
    guarded = f"CASE WHEN regexp_matches({cell}, '{_FORMULA}') THEN '''' || {cell} ELSE {cell} END"
    quoted = f"""'"' || replace({guarded}, '"', '""') || '"'"""
    return f"""coalesce(CASE WHEN regexp_matches({cell}, '[",\\r\\n]') THEN {quoted} ELSE {guarded} END, '')"""


def _typed(column: Column) -> str:
    """A value as it goes into JSON."""
    name = column.sql
    if column.type == "time":
        return moment(column)
    if column.type == "date":
        return text(column)
    if column.type == "number":
        return f"CASE WHEN isfinite({name}) THEN {name} END"
    if column.type == "json":
        return f"CASE WHEN json_valid({name}) THEN CAST({name} AS JSON) ELSE to_json({name}) END"
    return name


def _fields(columns: Sequence[Column]) -> str:
    return ", ".join(f"{_typed(column)} AS {column.sql}" for column in columns)


def _json(columns: Sequence[Column], rows: str, base: str, bom: bool) -> Script:
    return Script(f"SELECT {_fields(columns)} FROM ({rows}) AS q", "FORMAT json, ARRAY true, USE_TMP_FILE false")


def _jsonl(columns: Sequence[Column], rows: str, base: str, bom: bool) -> Script:
    return Script(f"SELECT {_fields(columns)} FROM ({rows}) AS q", "FORMAT json, USE_TMP_FILE false")


def _parquet(columns: Sequence[Column], rows: str, base: str, bom: bool) -> Script:
    names = ", ".join(column.sql for column in columns)
    return Script(f"SELECT {names} FROM ({rows}) AS q", "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880")


def _geojson(columns: Sequence[Column], rows: str, base: str, bom: bool) -> Script:
    geometry = places.geometry([(column.name, column.type) for column in columns])
    if geometry is None:
        raise ValueError("no column says where a row is")
    used = geometry.fields
    rest = [column for column in columns if column.name not in used]
    properties = ", ".join(f"{column.sql} := {_typed(column)}" for column in rest)
    packed = f"to_json(struct_pack({properties}))" if rest else "CAST('{}' AS JSON)"
    select = (
        f"SELECT 'Feature' AS type, \"_id\" AS id, {_geometry(geometry)} AS geometry, {packed} AS properties FROM ({rows}) AS q"
    )
    head = b'{"type":"FeatureCollection","features":'
    return Script(select, "FORMAT json, ARRAY true, USE_TMP_FILE false", head, b"}\n")


def _geometry(found: places.Geometry) -> str:
    names = [Column(name, "").sql for name in found.fields]
    if len(names) == 1:
        return f"CASE WHEN json_valid({names[0]}) THEN CAST({names[0]} AS JSON) END"
    lon, lat = names
    point = f"to_json(struct_pack(\"type\" := 'Point', coordinates := [CAST({lon} AS DOUBLE), CAST({lat} AS DOUBLE)]))"
    return f"CASE WHEN isfinite({lon}) AND isfinite({lat}) THEN {point} END"


def _literal(column: Column) -> str:
    """A value as an RDF literal; the escapes of JSON are those of N-Triples, too."""
    if column.type in ("text", "json"):
        return f"CAST(to_json({column.sql}) AS VARCHAR)"
    value = text(column)
    if column.type == "number":
        value = f"replace(replace({value}, 'inf', 'INF'), 'nan', 'NaN')"
    return f"""'"' || {value} || '"^^<{XSD}{TYPES[column.type]}>'"""


def _predicate(base: str, column: Column) -> str:
    return literal(f"<{base}#{quote(column.name)}> ")


def _ntriples(columns: Sequence[Column], rows: str, base: str, bom: bool) -> Script:
    subject = f"'<' || {literal(base + '#row=')} || CAST(\"_id\" AS VARCHAR) || '> '"
    triples = [
        f"CASE WHEN {column.sql} IS NOT NULL THEN {subject} || {_predicate(base, column)} || {_literal(column)} || ' .' END"
        for column in columns
    ]
    return Script(f"SELECT concat_ws(chr(10), {', '.join(triples)}) AS line FROM ({rows}) AS q", _LINES)


def _turtle(columns: Sequence[Column], rows: str, base: str, bom: bool) -> Script:
    parts = [
        f"CASE WHEN {column.sql} IS NOT NULL THEN {literal(f'<#{quote(column.name)}> ')} || {_literal(column)} END"
        for column in columns
    ]
    listed = f"nullif(concat_ws(' ; ', {', '.join(parts)}), '')"
    row = f"'<#row=' || CAST(\"_id\" AS VARCHAR) || '> a csvw:Row' || coalesce(' ; ' || {listed}, '') || ' .'"
    head = f"@base <{base}> .\n@prefix csvw: <http://www.w3.org/ns/csvw#> .\n"
    return Script(f"SELECT {row} AS line FROM ({rows}) AS q", _LINES, head.encode())


def _xlsx(columns: Sequence[Column], rows: str, base: str, bom: bool) -> Script:
    cells = " || ".join(map(_xlsx_cell, columns))
    return Script(f"SELECT '<row>' || {cells} || '</row>' AS line FROM ({rows}) AS q", _LINES)


def _xlsx_cell(column: Column) -> str:
    if column.type in ("integer", "number"):
        value = f"'<c><v>' || {text(column)} || '</v></c>'"
        whole = f"abs({column.sql}) < 1e15" if column.type == "integer" else f"isfinite({column.sql})"
        return f"CASE WHEN {column.sql} IS NULL THEN '<c/>' WHEN {whole} THEN {value} ELSE {_xlsx_text(column)} END"
    return f"CASE WHEN {column.sql} IS NULL THEN '<c/>' ELSE {_xlsx_text(column)} END"


def _xlsx_text(column: Column) -> str:
    value = f"left({text(column)}, 32000)"
    for old, new in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\n", "&#10;"), ("\r", "&#13;")):
        value = f"replace({value}, {literal(old)}, '{new}')"
    clean = f"regexp_replace({value}, '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x{{FFFE}}\\x{{FFFF}}]', '', 'g')"
    return f"""'<c t="inlineStr"><is><t xml:space="preserve">' || {clean} || '</t></is></c>'"""


_MAKERS: dict[str, Callable[[Sequence[Column], str, str, bool], Script]] = {
    "csv": _csv,
    "json": _json,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "geojson": _geojson,
    "nt": _ntriples,
    "ttl": _turtle,
    "xlsx": _xlsx,
}
