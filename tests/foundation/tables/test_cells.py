"""Cells of files mean what people write, come back as they were, and are never a formula."""

import csv
import io
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.tables import contracts


@dataclass
class Cell:
    """A field of a type, without bounds."""

    type: str
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] = field(default_factory=list)
    length: int = 200
    required: bool = False


@given(st.lists(st.lists(st.text(), min_size=1, max_size=5), min_size=1, max_size=5))
def test_cells_come_back_from_a_file_as_they_were_and_none_is_a_formula(rows: list[list[str]]) -> None:
    rows = [[cell.replace("\r", "").replace("\n", "").replace("\0", "") for cell in row] for row in rows]
    read = list(csv.reader(io.StringIO(contracts.csv_lines(rows), newline="")))
    assert [[contracts.unsafe(cell) for cell in row] for row in read] == rows
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in read for cell in row)


@given(st.dates())
def test_a_day_is_read_however_it_is_written(day: object) -> None:
    year, month, date = str(day).split("-")
    forms = [
        f"{year}-{month}-{date}",
        f"{year}/{int(month)}/{int(date)}",
        f"{year}年{int(month)}月{int(date)}日",
        f"{year}{month}{date}",
    ]
    assert {contracts.as_day(form) for form in forms} == {str(day)}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_is_written(number: float) -> None:
    assert contracts.as_number(repr(number)) == number


@given(st.text(max_size=30))
def test_no_text_in_a_cell_is_more_than_a_cell(text: str) -> None:
    for wanted in (Cell("number"), Cell("integer"), Cell("boolean"), Cell("text")):
        value = contracts.from_text(wanted, text)
        key, _ = contracts.fault(wanted, value)
        assert key or isinstance(value, bool | int | float | str)
    assert contracts.as_day(text) is None or len(str(contracts.as_day(text))) == 10
