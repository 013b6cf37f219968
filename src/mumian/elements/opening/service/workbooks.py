"""Workbooks: rows written as XML by the engine, packed as XLSX of as many sheets as they need, a few lines at a time."""

import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from xml.sax.saxutils import escape

SHEET = 1_048_575  # a sheet holds 1,048,576 lines, one of them the header
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGES = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_LINES = 2000


def pack(rows: Path, target: Path, names: Sequence[str], most: int = SHEET) -> int:
    """Pack lines of `<row>` into a workbook, header above each sheet; returns the number of sheets."""
    title = "".join(f'<c t="inlineStr"><is><t xml:space="preserve">{escape(name)}</t></is></c>' for name in names)
    header = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData><row>{title}</row>'.encode()
    count = 0
    with rows.open("rb") as lines, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1, allowZip64=True) as book:
        more = True
        while more:
            count += 1
            with book.open(f"xl/worksheets/sheet{count}.xml", "w", force_zip64=True) as sheet:
                sheet.write(header)
                written = 0
                for part in _batches(lines, most):
                    sheet.write(b"".join(part))
                    written += len(part)
                sheet.write(b"</sheetData></worksheet>")
            more = written == most and bool(lines.peek(1))
        for name, text in _frame(count).items():
            book.writestr(name, _XML + text)
    return count


def _batches(lines: Iterator[bytes], most: int) -> Iterator[list[bytes]]:
    left = most
    while left and (part := list(islice(lines, min(_LINES, left)))):
        left -= len(part)
        yield part


def _frame(sheets: int) -> dict[str, str]:
    numbers = range(1, sheets + 1)
    listed = "".join(f'<sheet name="table{n if n > 1 else ""}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    links = "".join(f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
    parts = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>' for n in numbers)
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGES}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>{parts}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGES}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGES}/relationships">{links}</Relationships>',
    }
