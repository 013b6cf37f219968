"""Importing devices: a file understood column by column, checked row by row, good rows entered, bad ones told."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from mumian.foundation.devices import store
from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.events import DevicesImported
from mumian.foundation.devices.models import DeviceKindSpec
from mumian.foundation.devices.rules import columns as rules
from mumian.foundation.devices.rules import device as limits
from mumian.foundation.devices.rules.life import path
from mumian.foundation.devices.service import files
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.devices.settings import DeviceSettings
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.tables import contracts as fields
from mumian.foundation.tables.api import Limits, RowFault, Table, described, read_table
from mumian.kernel.errors import Fault, Invalid, MumianError
from mumian.kernel.i18n import text
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Transaction

_CHUNK = 200
_SHOWN = 5
Allowed = Any


@dataclass(frozen=True)
class Row:
    """A row that is understood: its line, the fields that it gives, and those for a new device."""

    line: int
    given: dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A file that was sent: its bytes and name, kind and owner for rows that name none, and the system of its positions.

    `crs` is any that the spatial base knows (`CRS84`, `GCJ-02`, `BD-09`, `EPSG:4547` …); positions are kept as WGS 84.
    """

    content: bytes
    file: str
    defaults: Mapping[str, str] = field(default_factory=dict)
    crs: str = "CRS84"


@dataclass
class Report:
    """What an import did, or would do: counts, what the columns were taken for, and every row that was left out."""

    file: str
    sha256: str
    format: str
    columns: list[dict[str, str | None]]
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    faults: list[RowFault] = field(default_factory=list)
    sample: list[dict[str, Any]] = field(default_factory=list)
    id: str = ""

    def as_dict(self, language: str, most: int | None = None) -> dict[str, Any]:
        """The report as plain values for JSON, its faults (at most so many) in a language."""
        shown = {name: value for name, value in self.__dict__.items() if name not in ("faults", "id")}
        return {"id": self.id or None, **shown, "faults": [described(fault, language) for fault in self.faults[:most]]}

    def lines(self, language: str) -> list[str]:
        """The report for a person."""
        counts = {name: getattr(self, name) for name in ("file", "rows", "created", "updated", "unchanged", "refused")}
        told = [described(fault, language) for fault in self.faults]
        done = text("devices.import.done", language, **counts)
        return [done, *(f"{self.file}:{each['line']}: {each['column']}: {each['message']}" for each in told)]


class Importing:
    """Brings files of devices in; `allowed(owner)` says whether the caller may enter or change devices of that owner."""

    def __init__(self, platform: Platform, lives: Lives, settings: DeviceSettings) -> None:
        self._platform = platform
        self._lives = lives
        self._limits = Limits(settings.import_rows, settings.import_columns, settings.unpacked_bytes)

    async def preview(self, source: Source, allowed: Allowed) -> Report:
        """What an import would do, nothing done; raises Invalid, Malformed, TooLarge where the file cannot be used at all."""
        report, rows = await asyncio.to_thread(self._understand, source)
        for chunk in _chunks(rows):
            known = await self._platform.records.read(lambda session, chunk=chunk: store.find_many(session, _codes(chunk)))  # type: ignore[misc]
            await asyncio.to_thread(self._foresee, report, chunk, known, allowed)
        report.refused = len({fault.line for fault in report.faults})
        return report

    async def run(self, source: Source, allowed: Allowed, by: Actor = SYSTEM) -> Report:
        """Import a file: good rows in, bad rows out, the same again changes nothing. Raises as `preview`."""
        report, rows = await asyncio.to_thread(self._understand, source)
        report.id = new_id()
        for chunk in _chunks(rows):
            done, faults = await self._platform.records.write(
                lambda tx, chunk=chunk: self._enter(tx, report, chunk, allowed),  # type: ignore[misc]
                by,
            )
            report.faults += faults
            for name, number in done.items():
                setattr(report, name, getattr(report, name) + number)
        await asyncio.to_thread(self._lives.onboarding.announce)
        report.refused = len({fault.line for fault in report.faults})
        report.faults.sort(key=lambda fault: fault.line)
        await self._platform.records.write(lambda tx: _finish(tx, report), by)
        return report

    def _understand(self, source: Source) -> tuple[Report, list[Row]]:
        table = read_table(source.content, source.file, self._limits)
        kinds, owners = self._lives.kinds(), self._lives.owners()
        extra = {key: spec for kind in kinds.values() for key, spec in kind.properties.items()}
        columns = rules.understood(table.headers, extra)
        _check_header(columns)
        shown = [{"header": h, "field": _meaning(columns, n)} for n, h in enumerate(table.headers)]
        report = Report(source.file, sha256(source.content).hexdigest(), table.format, shown, len(table.rows))
        reader = _Reader(columns, dict(source.defaults), _Names(self._platform, kinds, owners), kinds)
        rows = reader.all(table, report.faults)
        if source.crs != "CRS84":
            rows = self._converted(rows, source.crs, columns, report.faults)
        report.sample = [row.given for row in rows[:_SHOWN]]
        return report, rows

    def _converted(self, rows: list[Row], crs: str, columns: rules.Columns, faults: list[RowFault]) -> list[Row]:
        """The rows with their positions in WGS 84; those whose positions mean nothing there are told."""
        placed = [row for row in rows if "longitude" in row.given and "latitude" in row.given]
        x, y = ([row.given[name] for row in placed] for name in ("longitude", "latitude"))
        longitudes, latitudes = self._platform.get(Spatial).convert(x, y, crs, "CRS84")
        lost = set()
        for row, longitude, latitude in zip(placed, longitudes.tolist(), latitudes.tolist(), strict=True):
            if abs(longitude) <= 180 and abs(latitude) <= 90:  # NaN is neither
                row.given.update(longitude=round(longitude, 8), latitude=round(latitude, 8))
                continue
            lost.add(row.line)
            given = f"{row.given['longitude']}, {row.given['latitude']}"
            faults.append(RowFault(row.line, columns.header("longitude"), given, "devices.import.place", {"crs": crs}))
        return [row for row in rows if row.line not in lost]

    def _foresee(self, report: Report, rows: Sequence[Row], known: Mapping[str, Device], allowed: Allowed) -> None:
        for row in rows:
            try:
                before = known.get(row.given["code"])
                _, changes = self._next(before, row.given, allowed)
            except MumianError as error:
                report.faults += _faults(report, row, error)
                continue
            report.created += before is None
            report.unchanged += before is not None and not changes
            report.updated += before is not None and bool(changes)

    def _enter(
        self, tx: Transaction, report: Report, rows: Sequence[Row], allowed: Allowed
    ) -> tuple[Counter[str], list[RowFault]]:
        known = store.find_many(tx.session, _codes(rows))
        done: Counter[str] = Counter()
        faults: list[RowFault] = []
        for row in rows:
            before = known.get(row.given["code"])
            try:
                after, changes = self._next(before, row.given, allowed)
            except MumianError as error:
                faults += _faults(report, row, error)
                continue
            if before is None:
                self._lives.register(tx, replace(after, origin="import"), note=report.file)
                done["created"] += 1
            else:
                self._lives.bring(tx, before, changes, report.file)
                done["updated" if changes else "unchanged"] += 1
        return done, faults

    def _next(self, before: Device | None, given: dict[str, Any], allowed: Allowed) -> tuple[Device, dict[str, Any]]:
        """The device after a row, and what of it changes; raises whatever forbids it, before anything is written."""
        if before is None:
            fields_ = {"state": "planned", **given}
            missing = [name for name in ("kind", "name", "owner") if not fields_.get(name)]
            if missing:
                raise Invalid(*(Fault(name, "field.missing", {}) for name in missing))
            device = self._lives.draft(fields_)
            _require(allowed, device.owner)
            return device, {}
        changes = {name: value for name, value in given.items() if name != "code" and getattr(before, name) != value}
        if "properties" in changes:
            changes["properties"] = {**before.properties, **changes["properties"]}
            if changes["properties"] == before.properties:
                del changes["properties"]
        for owner in {before.owner, changes.get("owner", before.owner)}:
            _require(allowed, owner)
        if "kind" in changes:
            raise Invalid.field("kind", "devices.import.kind", given=changes["kind"], kind=before.kind)
        if "state" in changes and path(before.state, changes["state"]) is None:
            raise Invalid.field("state", "devices.import.state", source=before.state, target=changes["state"])
        return self._lives.rehearse(before, changes, self._platform.clock.now()), changes


class _Names:
    """What rows call kinds and owners: by name or by title."""

    def __init__(self, platform: Platform, kinds: Mapping[str, DeviceKindSpec], owners: Mapping[str, dict[str, str]]) -> None:
        titles = {declared.name: declared.title for declared in platform.declarations.all("DeviceKind")}
        self.kinds = _by_word({name: titles.get(name, {}) for name in kinds})
        self.owners = _by_word(owners)


def _by_word(titles: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    words: dict[str, str] = {}
    for name, title in titles.items():
        for word in title.values():
            words.setdefault(fields.plain(word), name)
    return words | {fields.plain(name): name for name in titles}


class _Reader:
    """Turns the rows of a table into fields of devices."""

    def __init__(
        self, columns: rules.Columns, defaults: dict[str, str], names: _Names, kinds: Mapping[str, DeviceKindSpec]
    ) -> None:
        self._columns = columns
        self._defaults = defaults
        self._names = names
        self._kinds = kinds

    def all(self, table: Table, faults: list[RowFault]) -> list[Row]:
        """The rows that can be read; the others' faults are added to `faults`."""
        seen: dict[str, int] = {}
        rows = []
        for line, cells in table.rows:
            given, wrong = self._row(cells)
            code = given.get("code")
            if code in seen:
                wrong.append(("code", "devices.import.twice", {"line": seen[code]}))
            if wrong:
                faults += [self._fault(line, cells, *each) for each in wrong]
            else:
                rows.append(Row(line, given))
            if isinstance(code, str):
                seen.setdefault(code, line)
        return rows

    def _row(self, cells: Sequence[str]) -> tuple[dict[str, Any], list[rules.Wrong]]:
        given, texts, wrong = rules.read(self._columns, cells)
        for name, value in self._defaults.items():
            given.setdefault(name, value)
        code = limits.code_fault(given.get("code", ""))
        if code is not None:
            wrong.append(("code", code.key if given.get("code") else "field.missing", code.values))
        for name, words, kind in (("kind", self._names.kinds, "DeviceKind"), ("owner", self._names.owners, "Organisation")):
            if name in given:
                found = words.get(fields.plain(given[name]))
                if found is None:
                    wrong.append((name, "field.reference", {"kind": kind, "name": given[name][:80]}))
                else:
                    given[name] = found
        spec = self._kinds.get(given.get("kind", ""))
        if texts:
            known = spec.properties if spec is not None else {k: v for s in self._kinds.values() for k, v in s.properties.items()}
            given["properties"] = {name: fields.from_text(known[name], text) for name, text in texts.items() if name in known}
        return given, wrong

    def _fault(self, line: int, cells: Sequence[str], name: str, key: str, values: dict[str, Any]) -> RowFault:
        place = next((n for n, known in self._columns.fields.items() if known == name), None)
        value = cells[place] if place is not None and place < len(cells) else ""
        return RowFault(line, self._columns.header(name), value[:100], key, values)


def _check_header(columns: rules.Columns) -> None:
    faults = [Fault(header, "field.duplicate", {"name": header}) for header in columns.doubled]
    if "code" not in columns.fields.values():
        expected = " / ".join((*rules.ALIASES["code"][:2], "设备编码"))
        faults.append(Fault("file", "devices.import.column", {"field": expected, "given": ", ".join(columns.headers)[:300]}))
    if faults:
        raise Invalid(*faults)


def _meaning(columns: rules.Columns, place: int) -> str | None:
    if place in columns.fields:
        return columns.fields[place]
    return f"properties.{columns.properties[place]}" if place in columns.properties else None


def _require(allowed: Allowed, owner: str) -> None:
    if not allowed(owner):
        raise Invalid.field("owner", "devices.import.owner", owner=owner)


def _faults(report: Report, row: Row, error: MumianError) -> list[RowFault]:
    headers = {str(column["field"]): str(column["header"]) for column in report.columns if column["field"]}
    if not error.faults:
        return [RowFault(row.line, headers.get("code", "code"), row.given["code"], error.key, error.values)]
    return [RowFault(row.line, headers.get(f.field, f.field), _shown(row.given, f.field), f.key, f.values) for f in error.faults]


def _shown(given: Mapping[str, Any], name: str) -> str:
    group, _, key = name.partition(".")
    value = given.get(group, "")
    return str(value.get(key, "") if isinstance(value, dict) else value)[:100]


def _chunks(rows: list[Row]) -> list[list[Row]]:
    return [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]


def _codes(rows: Sequence[Row]) -> list[str]:
    return [row.given["code"] for row in rows]


def _finish(tx: Transaction, report: Report) -> None:
    counts = {name: getattr(report, name) for name in ("rows", "created", "updated", "unchanged", "refused")}
    files.keep(tx, report.id, report.file, report.sha256, counts, msgspec.json.encode(report.faults[: files.MOST]).decode())
    tx.emit(DevicesImported(subject=report.id, file=report.file, sha256=report.sha256, **counts))
