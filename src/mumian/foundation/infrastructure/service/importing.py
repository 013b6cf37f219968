"""Importing facilities: good rows entered, bad rows told, the same file again changes nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.contracts import Facility
from mumian.foundation.infrastructure.events import FacilitiesImported
from mumian.foundation.infrastructure.rules.facility import reachable
from mumian.foundation.infrastructure.service.keeping import Keeping
from mumian.foundation.infrastructure.service.reading import Reader, Row, Source
from mumian.foundation.infrastructure.settings import InfrastructureSettings
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.tables.api import Limits, RowFault, described
from mumian.foundation.tables.contracts import plain
from mumian.kernel.errors import Fault, Invalid, MumianError
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Transaction

_CHUNK = 200
Allowed = Callable[[str], bool]
_COUNTS = ("rows", "created", "updated", "unchanged", "refused")


@dataclass
class Report:
    """What an import did, or would do: counts, and every row that was left out."""

    file: str
    sha256: str
    format: str = ""
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    faults: list[RowFault] = field(default_factory=list)
    id: str = ""

    def as_dict(self, language: str, most: int) -> dict[str, Any]:
        """The report as plain values for JSON, its faults (at most so many) in a language."""
        shown = {name: value for name, value in self.__dict__.items() if name != "faults"}
        return {**shown, "faults": [described(fault, language) for fault in self.faults[:most]]}


class Importing:
    """Brings files in; `allowed(owner)` says whether the caller may enter or change facilities of that owner."""

    def __init__(self, platform: Platform, keeping: Keeping, settings: InfrastructureSettings) -> None:
        self._platform = platform
        self._keeping = keeping
        self._limits = Limits(settings.import_rows, settings.import_columns, settings.unpacked_bytes)

    async def preview(self, source: Source, allowed: Allowed) -> Report:
        """What an import would do, nothing done; raises Invalid, Malformed, TooLarge where the file cannot be used at all."""
        report, rows = await asyncio.to_thread(self._understand, source)
        for chunk in _chunks(rows):
            codes = [row.given["code"] for row in chunk]
            known = await self._platform.records.read(lambda session, codes=codes: store.find_many(session, codes))  # type: ignore[misc]
            await asyncio.to_thread(self._foresee, report, chunk, known, allowed)
        return _told(report)

    async def run(self, source: Source, allowed: Allowed, by: Actor = SYSTEM) -> Report:
        """Import a file; raises as `preview`."""
        report, rows = await asyncio.to_thread(self._understand, source)
        report.id = new_id()
        for chunk in _chunks(rows):
            done, faults = await self._platform.records.write(
                lambda tx, chunk=chunk: self._enter(tx, report.file, chunk, allowed),  # type: ignore[misc]
                by,
            )
            report.faults += faults
            for name, number in done.items():
                setattr(report, name, getattr(report, name) + number)
        _told(report)
        await self._platform.records.write(lambda tx: _finish(tx, report), by)
        return report

    def _understand(self, source: Source) -> tuple[Report, list[Row]]:
        kinds, declarations = self._keeping.kinds(), self._platform.declarations
        titles = {declared.name: declared.title for declared in declarations.all("FacilityKind")}
        words = {"kind": _by_word(titles), "owner": _by_word(self._keeping.owners())}
        report = Report(source.file, sha256(source.content).hexdigest())
        reader = Reader(kinds, words, self._limits)
        report.format, report.rows, rows = reader.read(source, report.faults)
        return report, rows if source.crs == "CRS84" else self._converted(rows, source.crs, report.faults)

    def _converted(self, rows: list[Row], crs: str, faults: list[RowFault]) -> list[Row]:
        placed = [row for row in rows if row.given.get("longitude") is not None and row.given.get("latitude") is not None]
        x, y = ([row.given[name] for row in placed] for name in ("longitude", "latitude"))
        longitudes, latitudes = self._platform.get(Spatial).convert(x, y, crs, "CRS84")
        lost = set()
        for row, longitude, latitude in zip(placed, longitudes.tolist(), latitudes.tolist(), strict=True):
            if abs(longitude) <= 180 and abs(latitude) <= 90:  # NaN is neither
                row.given.update(longitude=round(longitude, 8), latitude=round(latitude, 8))
                continue
            lost.add(row.line)
            given = f"{row.given['longitude']}, {row.given['latitude']}"
            faults.append(RowFault(row.line, "longitude", given, "infrastructure.import.place", {"crs": crs}))
        return [row for row in rows if row.line not in lost]

    def _foresee(self, report: Report, rows: Sequence[Row], known: Mapping[str, Facility], allowed: Allowed) -> None:
        for row in rows:
            before = known.get(row.given["code"])
            try:
                after = self._next(before, row.given, allowed)
            except MumianError as error:
                report.faults += _faults(row, error)
                continue
            report.created += before is None
            report.unchanged += before is not None and after == before
            report.updated += before is not None and after != before

    def _enter(self, tx: Transaction, file: str, rows: Sequence[Row], allowed: Allowed) -> tuple[Counter[str], list[RowFault]]:
        known = store.find_many(tx.session, [row.given["code"] for row in rows])
        done: Counter[str] = Counter()
        faults: list[RowFault] = []
        for row in rows:
            before = known.get(row.given["code"])
            try:
                after = self._next(before, row.given, allowed)
            except MumianError as error:
                faults += _faults(row, error)
                continue
            if before is None:
                self._keeping.register(tx, after, note=file)
                done["created"] += 1
            else:
                kept = self._keeping.bring(tx, before, after, file)
                done["unchanged" if kept is before else "updated"] += 1
        return done, faults

    def _next(self, before: Facility | None, given: dict[str, Any], allowed: Allowed) -> Facility:
        """The facility after a row; raises whatever forbids it, before anything is written."""
        if before is None:
            missing = [name for name in ("kind", "name", "owner") if not given.get(name)]
            if missing:
                raise Invalid(*(Fault(name, "field.missing", {}) for name in missing))
            facility = self._keeping.draft({**given, "origin": "import"})
            _require(allowed, facility.owner)
            return facility
        changes = {name: value for name, value in given.items() if name != "code" and getattr(before, name) != value}
        changes["properties"] = {**before.properties, **changes.get("properties", {})}
        for owner in {before.owner, changes.get("owner", before.owner)}:
            _require(allowed, owner)
        if "kind" in changes:
            raise Invalid.field("kind", "infrastructure.import.kind", given=changes["kind"], kind=before.kind)
        if not reachable(before.state, changes.get("state", before.state)):
            raise Invalid.field("state", "infrastructure.import.state", source=before.state, target=changes["state"])
        after = replace(before, **changes)
        if before.state == "retired" and after != before:
            raise Invalid.field("state", "infrastructure.import.state", source=before.state, target=after.state)
        return before if after == before else self._keeping.checked(self._keeping.placed(after))


def _by_word(titles: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    words: dict[str, str] = {}
    for name, title in titles.items():
        for word in title.values():
            words.setdefault(plain(word), name)
    return words | {plain(name): name for name in titles}


def _require(allowed: Allowed, owner: str) -> None:
    if not allowed(owner):
        raise Invalid.field("owner", "infrastructure.import.owner", owner=owner)


def _faults(row: Row, error: MumianError) -> list[RowFault]:
    if not error.faults:
        return [RowFault(row.line, "code", str(row.given["code"])[:100], error.key, error.values)]
    return [RowFault(row.line, f.field, _shown(row.given, f.field), f.key, f.values) for f in error.faults]


def _shown(given: Mapping[str, Any], name: str) -> str:
    group, _, key = name.partition(".")
    value = given.get(group, "")
    return str(value.get(key, "") if isinstance(value, dict) else value)[:100]


def _chunks(rows: list[Row]) -> list[list[Row]]:
    return [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]


def _told(report: Report) -> Report:
    report.refused = len({fault.line for fault in report.faults})
    report.faults.sort(key=lambda fault: fault.line)
    return report


def _finish(tx: Transaction, report: Report) -> None:
    counts = {name: getattr(report, name) for name in _COUNTS}
    store.keep_import(tx, report.id, report.file, report.sha256, counts, report.faults)
    tx.emit(FacilitiesImported(subject=report.id, file=report.file, sha256=report.sha256, **counts))
