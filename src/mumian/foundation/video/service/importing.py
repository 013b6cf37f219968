"""Importing: cameras from CSV or XLSX, good rows taken, bad ones told by line and field in both languages."""

import csv
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO, StringIO
from typing import Any

from mumian.foundation.video import store
from mumian.foundation.video.contracts import Camera, ImportReport, RowFault
from mumian.foundation.video.errors import BadFile
from mumian.foundation.video.events import CamerasImported
from mumian.foundation.video.service.cameras import Cameras, digest
from mumian.kernel.errors import Fault
from mumian.kernel.i18n import text
from mumian.kernel.unit_of_work import Actor, Records, Transaction

COLUMNS = (
    "code title_zh title_en address user password longitude latitude height heading field_of_view reach owner operator "
    "uses groups tags retention_days"
).split()
_NEEDED = ("code", "title_zh", "address")
_NUMBERS = {
    "longitude": (-180.0, 180.0),
    "latitude": (-90.0, 90.0),
    "height": (-500.0, 9000.0),
    "heading": (0.0, 360.0),
    "field_of_view": (1.0, 360.0),
    "reach": (0.0, 5000.0),
}
_LISTS = ("uses", "groups", "tags")
_BATCH = 2_000
_MOST_FAULTS = 500
_MOST_ROWS = 500_000
_Row = tuple[int, dict[str, str]]


class Importing:
    """Imports a file in groups of 2,000 rows, each one commit; a row that stands as it should be is left alone."""

    def __init__(self, records: Records, cameras: Cameras) -> None:
        self._records = records
        self._cameras = cameras

    async def run(self, content: bytes, media_type: str, actor: Actor, dry: bool, mine: Any) -> ImportReport:
        """Import; `mine(owner)` says whether the caller may keep cameras of that owner; with `dry` nothing is written.

        Raises BadFile where the file as a whole cannot be used.
        """
        rows = list(_xlsx(content) if _is_xlsx(content) else _csv(content))
        counts = {"added": 0, "changed": 0, "same": 0}
        faults: list[RowFault] = []
        seen: dict[str, int] = {}
        good: list[tuple[int, str, dict[str, Any]]] = []
        for line, row in rows:
            found, given = _parsed(row)
            code = row.get("code", "")
            found += self._cameras.faults(code, given)
            if not found and not mine(given.get("owner")):
                found.append(Fault("owner", "video.import.owner", {"owner": given.get("owner") or "–"}))
            if code in seen:
                found.append(Fault("code", "video.import.twice", {"line": seen[code]}))
            seen.setdefault(code, line)
            faults += [_told(line, fault) for fault in found]
            if not found:
                good.append((line, code, given))
        for start in range(0, len(good), _BATCH):
            part = good[start : start + _BATCH]
            done, late = await self._records.write(lambda tx, p=part: self._keep(tx, p, dry, mine), actor)  # type: ignore[misc]
            counts = {name: counts[name] + done[name] for name in counts}
            faults += late
        faults.sort(key=lambda fault: fault.line)
        return ImportReport(
            len(rows), **counts, faults=faults[:_MOST_FAULTS], more_faults=max(0, len(faults) - _MOST_FAULTS), dry=dry
        )

    def _keep(
        self, tx: Transaction, rows: list[tuple[int, str, dict[str, Any]]], dry: bool, mine: Any
    ) -> tuple[dict[str, int], list[RowFault]]:
        known = {camera.code: camera for camera in store.cameras(tx.session, [code for _, code, _ in rows])}
        counts, faults = {"added": 0, "changed": 0, "same": 0}, []
        made: list[tuple[Camera, str]] = []
        for line, code, given in rows:
            before = known.get(code)
            if before is not None and not mine(before.owner):
                faults.append(_told(line, Fault("owner", "video.import.owner", {"owner": before.owner or "–"})))
                continue
            fresh = before is None or before.retired
            after, sealed = self._cameras.made(before, code, given, tx.now)
            if before is not None and not fresh and digest(before) == digest(after) and "@" not in given["address"]:
                counts["same"] += 1
                continue
            counts["added" if fresh else "changed"] += 1
            made.append((after, sealed))
        if made and not dry:
            store.put_cameras(tx.session, made)
            told = sha256("".join(digest(camera) for camera, _ in made).encode()).hexdigest()
            subject = f"{made[0][0].code}…{made[-1][0].code}"
            tx.emit(CamerasImported(subject=subject, added=counts["added"], changed=counts["changed"], digest=told))
        return counts, faults


def _is_xlsx(content: bytes) -> bool:
    return content[:4] == b"PK\x03\x04"


def _csv(content: bytes) -> Iterator[_Row]:
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            decoded = content.decode("gb18030")
        except UnicodeDecodeError as error:
            raise BadFile(Fault("", "video.import.encoding", {"byte": error.start})) from error
    reader = csv.reader(StringIO(decoded, newline=""), strict=True)
    try:
        header = next(reader, [])
        names = _header(header)
        for values in reader:
            if any(value.strip() for value in values):
                if reader.line_num > _MOST_ROWS:
                    raise BadFile(Fault("", "field.length", {"expected": f"≤ {_MOST_ROWS} rows"}))
                yield reader.line_num, dict(zip(names, (value.strip() for value in values), strict=False))
    except csv.Error as error:
        raise BadFile(Fault("", "field.syntax", {"reason": str(error)}, None, reader.line_num)) from error


def _xlsx(content: bytes) -> Iterator[_Row]:
    from python_calamine import CalamineWorkbook

    try:
        rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except Exception as error:
        raise BadFile(Fault("", "field.syntax", {"reason": "not an XLSX workbook"})) from error
    names = _header([str(value) for value in rows[0]] if rows else [])
    for line, values in enumerate(rows[1 : _MOST_ROWS + 1], start=2):
        texts = [_cell(value) for value in values]
        if any(texts):
            yield line, dict(zip(names, texts, strict=False))


def _cell(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value).strip()


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    unknown = [name for name in names if name not in COLUMNS]
    missing = [name for name in _NEEDED if name not in names]
    if unknown or missing or len(set(names)) < len(names):
        wrong = ", ".join((unknown or missing or names)[:5])
        raise BadFile(Fault("", "video.import.header", {"wrong": wrong, "columns": ", ".join(COLUMNS)}, None, 1))
    return names


def _parsed(row: dict[str, str]) -> tuple[list[Fault], dict[str, Any]]:
    """The fields of a row; empty cells are not given."""
    faults = [Fault(name, "field.missing", {}) for name in _NEEDED if not row.get(name)]
    title = row.get("title_zh", "")[:200]
    given: dict[str, Any] = {"title": {"zh": title, "en": row.get("title_en", "")[:200] or title}}
    for name, (least, most) in _NUMBERS.items():
        if row.get(name):
            given[name] = _number(name, row[name], least, most, faults)
    if {"longitude", "latitude"} & {fault.field for fault in faults}:
        given = {name: value for name, value in given.items() if name not in ("longitude", "latitude")}
    for name in _LISTS:
        if row.get(name):
            given[name] = list(dict.fromkeys(part.strip()[:200] for part in row[name].split(";") if part.strip()))[:50]
    given |= {name: row[name] for name in ("owner", "operator") if row.get(name)}
    if row.get("retention_days"):
        given["retention_days"] = round(_number("retention_days", row["retention_days"], 1, 3650, faults) or 1)
    if row.get("address"):
        given["address"] = _with_credentials(row)
    return faults, given


def _number(name: str, text_: str, least: float, most: float, faults: list[Fault]) -> float | None:
    try:
        number = float(text_)
    except ValueError:
        faults.append(Fault(name, "field.type", {"expected": "a number"}))
        return None
    if not least <= number <= most:
        faults.append(Fault(name, "field.range", {"expected": f"{least:g} … {most:g}"}))
    return number


def _with_credentials(row: dict[str, str]) -> str:
    from urllib.parse import quote

    scheme, mark, rest = row["address"].partition("://")
    if not row.get("user") or not mark or "@" in rest.split("/")[0]:
        return row["address"]
    return f"{scheme}://{quote(row['user'], safe='')}:{quote(row.get('password', ''), safe='')}@{rest}"


def _told(line: int, fault: Fault) -> RowFault:
    return RowFault(line, fault.field, {language: text(fault.key, language, **fault.values) for language in ("zh", "en")})
