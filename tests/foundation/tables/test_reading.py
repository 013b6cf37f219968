"""Files of rows are read whatever their kind and encoding, and never beyond what they may hold."""

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.tables.api import Limits, RowFault, fault_table, read_table, workbook
from mumian.kernel.errors import Invalid, TooLarge

ROWS = [["编码", "名称"], ["A1", "井盖"], ["A2", "雨量站"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_text_in_any_usual_encoding_and_with_any_usual_delimiter_is_read(encoding: str, delimiter: str) -> None:
    content = "\r\n".join(delimiter.join(row) for row in ROWS).encode(encoding)
    table = read_table(content, "a.csv", Limits())
    assert (table.headers, table.rows) == (ROWS[0], [(2, ROWS[1]), (3, ROWS[2])])


def test_a_workbook_is_read_and_what_is_written_is_read_by_others() -> None:
    written = workbook([*ROWS, ["A3", "=1+1"]])
    assert read_table(written, "a.xlsx", Limits()).rows[-1] == (4, ["A3", "=1+1"])
    sheet = openpyxl.load_workbook(io.BytesIO(written)).active
    assert sheet is not None
    assert [[cell.data_type for cell in row] for row in sheet.iter_rows()] == [["s", "s"]] * 4


def test_more_rows_columns_or_bytes_than_allowed_are_refused() -> None:
    content = "\n".join(",".join(row) for row in ROWS).encode()
    for limits in (Limits(rows=1), Limits(columns=1)):
        with pytest.raises(TooLarge):
            read_table(content, "a.csv", limits)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", b" " * 5_000_000)
    with pytest.raises(TooLarge):
        read_table(packed.getvalue(), "bomb.xlsx", Limits(unpacked_bytes=1_000_000))


@given(st.binary(max_size=300))
def test_bytes_that_are_no_table_are_refused_clearly(content: bytes) -> None:
    for start in (b"", b"PK\x03\x04"):
        try:
            headers = read_table(start + content, "x", Limits()).headers
        except (Invalid, TooLarge):
            continue
        assert headers


def test_rows_left_out_are_told_as_a_table_in_either_language() -> None:
    fault = RowFault(7, "经度", "=x", "field.missing")
    for language, header in (("zh", "行号"), ("en", "line")):
        first, second = fault_table([fault], language).splitlines()
        assert header in first
        assert second.startswith("7,经度,'=x,")
