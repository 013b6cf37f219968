"""Lines of files: counted or read, they are the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.sensing.service.lines import line_numbers, read_header


@given(st.lists(st.sampled_from(["good", "unreadable", "bad"]), min_size=1, max_size=30), st.booleans())
def test_each_bad_row_is_found_on_its_line(tmp_path_factory: pytest.TempPathFactory, kinds: list[str], blank: bool) -> None:
    file = tmp_path_factory.mktemp("lines") / "rows.csv"
    lines = ["time,result", *([""] if blank else []), *kinds]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    first = 3 if blank else 2
    unreadable = {first + i for i, kind in enumerate(kinds) if kind == "unreadable"}
    readable = [(first + i, kind) for i, kind in enumerate(kinds) if kind != "unreadable"]
    count = len(readable)
    rows = [number for number, (_, kind) in enumerate(readable, start=1) if kind == "bad"]
    assert line_numbers(file, rows, unreadable, True, count) == [line for line, kind in readable if kind == "bad"]


def test_a_value_over_several_lines_is_one_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('time,result\n"a\nb",1\nc,2\nd,3\n', "utf-8")
    assert line_numbers(file, [1, 2, 3], set(), True, 3) == [2, 4, 5]
    assert line_numbers(file, [1, 2, 3, 4], set(), False, 4) == [2, 3, 4, 5]


def test_the_delimiter_is_what_parts_the_header(tmp_path: Path) -> None:
    for sign in ",;\t|":
        file = tmp_path / "rows.csv"
        file.write_text(f"time{sign}result{sign}note\n", "utf-8-sig")
        assert read_header(file) == (["time", "result", "note"], sign)
