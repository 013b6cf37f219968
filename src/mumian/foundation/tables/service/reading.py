"""Tables from files: CSV in any usual encoding and XLSX, bounded in rows, columns, cells and unpacked bytes."""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from mumian.foundation.tables.contracts import Limits, Record, Sheet, Table
from mumian.foundation.tables.rules import blocks
from mumian.kernel.errors import Fault, Invalid, Malformed, TooLarge

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSED = ("utf-8", "gb18030", "big5")
_WANTED = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/(workbook|sharedStrings|styles)\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/worksheets/[^/]+\.xml|xl/worksheets/_rels/[^/]+\.rels",
    re.IGNORECASE,
)
_PLACE = re.compile(rb'\br\s*=\s*["\']\$?([A-Za-z]{0,9})\$?(\d{1,12})["\']')
_CELLS = 5_000_000
_PARTS = 1000


def read_table(content: bytes, file: str, limits: Limits) -> Table:
    """The table in a file, whose kind its first bytes tell; raises Invalid, Malformed, TooLarge."""
    if content[:4] == b"PK\x03\x04":
        return _table("xlsx", _xlsx_rows(content, limits), limits)
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Invalid.field("file", "tables.old_workbook", file=file[:100])
    encoding, text = _decoded(content)
    return _table(encoding, _csv_rows(text), limits)


def sheet(content: bytes, file: str, limits: Limits, header: int | None = None, table: int | None = None) -> Sheet:
    """A table of a workbook's first sheet, found as in text: behind titles and notes, or at the header line that is given.

    Raises as `read_table`, and Invalid where there is no table of that number.
    """
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Invalid.field("file", "tables.old_workbook", file=file[:100])
    records = [Record(line, cells) for line, cells in _xlsx_rows(content, limits)]
    found = blocks.find(records, header)
    if not found:
        raise Invalid.field("file", "tables.empty")
    number = blocks.main(found) if table is None else table
    if number >= len(found):
        raise Invalid.field("table", "tables.no_such_table", tables=len(found))
    block = found[number]
    heads = set(block.header_lines)
    first = max([block.first, *(line + 1 for line in heads)])
    kept = [(r.line, r.cells) for r in records if first <= r.line <= block.last and any(c.strip() for c in r.cells)]
    if len(kept) > limits.rows:
        raise TooLarge(limit=f"{limits.rows} rows")
    return Sheet(block.headers, block.header_lines[0] if heads else 0, kept, found)


def _table(format_: str, rows: Iterator[tuple[int, list[str]]], limits: Limits) -> Table:
    headers: list[str] = []
    found: list[tuple[int, list[str]]] = []
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if not headers:
            headers = [cell.strip()[:200] for cell in cells]
            if len(headers) > limits.columns:
                raise TooLarge(limit=f"{limits.columns} columns")
            continue
        if len(found) >= limits.rows:
            raise TooLarge(limit=f"{limits.rows} rows")
        found.append((line, cells))
    if not headers:
        raise Invalid.field("file", "tables.empty")
    return Table(format_, headers, found)


def _decoded(content: bytes) -> tuple[str, str]:
    mark = next((name for bom, name in _MARKS if content.startswith(bom)), None)
    for encoding in (mark,) if mark else _GUESSED:
        try:
            return encoding, content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Malformed(Fault("file", "tables.encoding", {}))


def _csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise Malformed(Fault("file", "field.syntax", {"reason": "the character U+0000"}, None, line))
    first = text[:20_000].lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",\t;|，", key=first.count) if first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    last = 0
    try:
        for cells in reader:
            yield last + 1, cells
            last = reader.line_num
    except csv.Error as error:
        raise Malformed(Fault("file", "field.syntax", {"reason": f"line {last + 1}: {error}"}, None, last + 1)) from error


def _xlsx_rows(content: bytes, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    plain = _unpacked(content, limits.unpacked_bytes)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(plain))
        names = [sheet.name for sheet in workbook.sheets_metadata if "visible" in str(sheet.visible).lower()]
        sheet = workbook.get_sheet_by_name((names or workbook.sheet_names)[0])
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, ValueError, IndexError, OSError) as error:
        raise _broken(str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _broken("damaged") from error
    for number, row in enumerate(rows, 1):
        yield number, [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date | time | timedelta):
        return str(value)
    return str(value).replace("\0", "")


def _unpacked(content: bytes, most: int) -> bytes:
    """The workbook with only what a table needs, not compressed: whatever the file says of its sizes, no more is unpacked."""
    packed = io.BytesIO()
    left = most
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
            parts = source.infolist()
            if len(parts) > _PARTS:
                raise TooLarge(limit=f"{_PARTS} parts")
            if not any(part.filename.lower() == "xl/workbook.xml" for part in parts):
                raise Invalid.field("file", "tables.no_workbook")
            for part in {part.filename: part for part in parts if _WANTED.fullmatch(part.filename)}.values():
                if part.flag_bits & 1:
                    raise Invalid.field("file", "tables.encrypted")
                with source.open(part) as opened:
                    data = opened.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise TooLarge(limit=f"{most} bytes")
                _check_extent(data)
                target.writestr(part.filename, data)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, RuntimeError, ValueError) as error:
        raise _broken(str(error)) from error
    return packed.getvalue()


def _check_extent(data: bytes) -> None:
    """Refuse a sheet whose cells lie so far apart that the table between them would fill the memory."""
    rows = columns = 1
    for letters, digits in _PLACE.findall(data):
        rows = max(rows, int(digits))
        columns = max(columns, _column(letters))
    if rows * columns > _CELLS or rows > 1_048_576:
        raise TooLarge(limit=f"{_CELLS} cells")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _broken(reason: str) -> Invalid:
    return Malformed(Fault("file", "field.syntax", {"reason": reason[:200]}))
