"""Files of facilities read: CSV, XLSX and GeoJSON, column by column and row by row, what cannot be read told with its line."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.infrastructure.models import FacilityKindSpec, FieldSpec
from mumian.foundation.infrastructure.rules.columns import ALIASES, Columns, named, understood
from mumian.foundation.infrastructure.rules.facility import property_from
from mumian.foundation.tables import contracts as cells
from mumian.foundation.tables.api import Limits, RowFault, read_table
from mumian.kernel.errors import Fault, Invalid, Malformed, TooLarge

STATES: dict[str, str] = {
    **dict.fromkeys(("planned", "规划", "规划中", "拟建", "待建"), "planned"),
    **dict.fromkeys(("building", "under construction", "在建", "建设中"), "building"),
    **dict.fromkeys(("in_use", "in use", "在用", "运行", "运行中", "已建成", "已开通", "正常"), "in_use"),
    **dict.fromkeys(("renewing", "改造", "改造中", "扩容", "升级中"), "renewing"),
    **dict.fromkeys(("retired", "退役", "停用", "拆除", "报废", "已拆除"), "retired"),
}
_LISTS = ("devices", "ends")


@dataclass(frozen=True)
class Row:
    """A row that is understood: its line and the fields that it gives."""

    line: int
    given: dict[str, Any]


@dataclass
class Source:
    """A file that was sent; kind and owner for rows that name none; the system of its positions (`CRS84`, `GCJ-02` …)."""

    content: bytes
    file: str
    defaults: Mapping[str, str] = field(default_factory=dict)
    crs: str = "CRS84"


@dataclass
class Reader:
    """Turns files into rows; `kinds` as declared, `words` what people call kinds and owners."""

    kinds: Mapping[str, FacilityKindSpec]
    words: Mapping[str, Mapping[str, str]]
    limits: Limits

    def read(self, source: Source, faults: list[RowFault]) -> tuple[str, int, list[Row]]:
        """Format, number of rows and the rows that can be read; the others' faults are added. Raises Invalid, TooLarge."""
        if source.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
            records = self._features(source, faults)
            return "geojson", len(records) + len({f.line for f in faults}), self._rows(records, source, faults)
        table = read_table(source.content, source.file, self.limits)
        fields = {key: spec for kind in self.kinds.values() for key, spec in kind.fields.items()}
        columns = understood(
            table.headers, {key: {str(k): v for k, v in (spec.title or {}).items()} for key, spec in fields.items()}
        )
        _check(columns)
        records = []
        for line, row in table.rows:
            texts = {name: row[place].strip() for place, name in columns.places.items() if place < len(row)}
            given, wrong = self._from_texts({name: cells.unsafe(text) for name, text in texts.items() if text}, source, fields)
            faults += [
                RowFault(line, columns.header(f.field), texts.get(f.field.split(".")[-1], "")[:100], f.key, f.values)
                for f in wrong
            ]
            if not wrong:
                records.append(Row(line, given))
        return table.format, len(table.rows), self._rows(records, source, faults)

    def _from_texts(
        self, texts: Mapping[str, str], source: Source, fields: Mapping[str, FieldSpec]
    ) -> tuple[dict[str, Any], list[Fault]]:
        given: dict[str, Any] = {}
        wrong: list[Fault] = []
        properties: dict[str, str] = {}
        for name, text in texts.items():
            if name.startswith("properties."):
                properties[name.removeprefix("properties.")] = text
                continue
            value, fault = _value(name, text)
            given[name] = value
            if fault is not None:
                wrong.append(fault)
        kind = self.kinds.get(self.words["kind"].get(cells.plain(str(given.get("kind", source.defaults.get("kind", "")))), ""))
        known = kind.fields if kind is not None else fields
        if properties:
            given["properties"] = {key: property_from(known.get(key, fields[key]), text) for key, text in properties.items()}
        return given, wrong

    def _features(self, source: Source, faults: list[RowFault]) -> list[Row]:
        try:
            collection = json.loads(source.content)
        except (ValueError, RecursionError) as error:
            raise Malformed(Fault("file", "field.syntax", {"reason": str(error)[:200]})) from error
        features = collection.get("features") if isinstance(collection, dict) else None
        if not isinstance(features, list):
            raise Invalid.field("file", "infrastructure.no_collection")
        if len(features) > self.limits.rows:
            raise TooLarge(limit=f"{self.limits.rows} features")
        records = []
        for line, feature in enumerate(features, 1):
            given, fault = _feature(feature)
            if fault is None:
                records.append(Row(line, given))
            else:
                faults.append(RowFault(line, fault.field, "", fault.key, fault.values))
        return records

    def _rows(self, records: Sequence[Row], source: Source, faults: list[RowFault]) -> list[Row]:
        """The records with kinds and owners by name, each code once."""
        seen: dict[str, int] = {}
        rows = []
        for record in records:
            given = {**source.defaults, **record.given}
            code = str(given.get("code", ""))
            wrong: list[tuple[str, str, str, dict[str, Any]]] = []
            if not code:
                wrong.append(("code", "", "field.missing", {}))
            elif code in seen:
                wrong.append(("code", code, "infrastructure.import.twice", {"line": seen[code]}))
            for name, kind in (("kind", "FacilityKind"), ("owner", "Organisation")):
                if name in given:
                    found = self.words[name].get(cells.plain(str(given[name])))
                    if found is None:
                        wrong.append((name, str(given[name]), "field.reference", {"kind": kind, "name": str(given[name])[:80]}))
                    given[name] = found
            seen.setdefault(code, record.line)
            faults += [RowFault(record.line, name, value[:100], key, values) for name, value, key, values in wrong]
            if not wrong:
                rows.append(Row(record.line, given))
        return rows


def _value(name: str, text: str) -> tuple[Any, Fault | None]:
    if name in ("longitude", "latitude"):
        number = cells.as_number(text.rstrip("°"))
        return number, None if number is not None else Fault(name, "infrastructure.import.number", {"given": text[:40]})
    if name == "built":
        day = cells.as_day(text)
        return day, None if day is not None else Fault(name, "infrastructure.day", {"given": text[:40]})
    if name == "state":
        state = STATES.get(cells.plain(text))
        return state, None if state is not None else Fault(
            name, "field.choice", {"expected": ", ".join(dict.fromkeys(STATES.values()))}
        )
    if name in _LISTS:
        return [part.strip() for part in re.split(r"[;；、|]", text) if part.strip()], None
    return text, None


def _feature(feature: Any) -> tuple[dict[str, Any], Fault | None]:
    """The fields in a GeoJSON feature: a point, members as the ledger calls them, all others properties."""
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        return {}, Fault("properties", "field.missing", {})
    members = {str(key): value for key, value in feature["properties"].items() if value is not None}
    properties = members.pop("properties", {})
    if not isinstance(properties, dict):
        return {}, Fault("properties", "field.type", {"expected": "a mapping"})
    given: dict[str, Any] = {"properties": dict(properties)}
    for key, value in members.items():
        name = named(key)
        if name is None:
            given["properties"][key] = value
            continue
        given[name], fault = _member(name, value)
        if fault is not None:
            return {}, fault
    if "id" in feature and "code" not in given:
        given["code"] = str(feature["id"])
    return given, _point(feature.get("geometry"), given)


def _member(name: str, value: Any) -> tuple[Any, Fault | None]:
    if isinstance(value, str):
        return _value(name, value)
    if name in _LISTS:
        return value, None if _texts(value) else Fault(name, "field.type", {"expected": "a list of texts"})
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and name == "code":
        return str(value), None
    if number and name in ("longitude", "latitude"):
        return float(value), None
    return value, Fault(name, "field.type", {"expected": "text"})


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _point(geometry: Any, given: dict[str, Any]) -> Fault | None:
    if geometry is None:
        return None
    if isinstance(geometry, dict) and geometry.get("type") == "Point" and isinstance(geometry.get("coordinates"), list):
        position = geometry["coordinates"]
        if len(position) >= 2 and all(isinstance(x, int | float) and not isinstance(x, bool) for x in position[:2]):
            given["longitude"], given["latitude"] = float(position[0]), float(position[1])
            return None
    return Fault("geometry", "infrastructure.import.point", {})


def _check(columns: Columns) -> None:
    faults = [Fault(header, "field.duplicate", {"name": header}) for header in columns.doubled]
    if "code" not in columns.places.values():
        expected = " / ".join(ALIASES["code"][:3])
        given = ", ".join(columns.headers)[:300]
        faults.append(Fault("file", "infrastructure.import.column", {"field": expected, "given": given}))
    if faults:
        raise Invalid(*faults)
