"""Formats: what SQL says of a value is what an implementation by others, or a few plain lines, say of it."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric, uscc

from mumian.elements.quality.rules.formats import written

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DIGITS = "0123456789"
_FEW = settings(max_examples=25)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A bare DuckDB."""
    connection = duckdb.connect()
    yield connection
    connection.close()


def judged(engine: duckdb.DuckDBPyConnection, format_: str, values: list[str]) -> list[bool]:
    """Which of these values are well written, by the SQL of the format."""
    test = written(format_, "v", "p_")
    parts = "".join(f", {sql} AS {name}" for name, sql in test.parts)
    sql = f"SELECT {test.ok} FROM (SELECT i, v{parts} FROM (SELECT unnest($v) AS v, generate_subscripts($v, 1) AS i)) ORDER BY i"
    return [row[0] for row in engine.execute(sql, {"v": values}).fetchall()]


@st.composite
def id_cards(draw: st.DrawFn) -> str:
    """Numbers that are nearly identity numbers: days that may not exist, check characters that may be wrong."""
    region = draw(st.sampled_from(["110105", "440103", "360426", "310101", "990101"]))
    year, month, day = draw(st.integers(1799, 2100)), draw(st.integers(0, 13)), draw(st.integers(0, 32))
    body = f"{region}{year:04d}{month:02d}{day:02d}{draw(st.integers(0, 999)):03d}"
    check = ric.calc_check_digit(body + "0")
    number = body + draw(st.sampled_from([check, check, check, check.lower(), "0", "X", ":", "e"]))
    return draw(st.sampled_from([number] * 6 + [number[:17], " " + number[1:], number.replace("1", "e", 1), "0x" + number[2:]]))


def id_card(number: str) -> bool:
    """The check by python-stdnum, and the calendar by Python."""
    if not re.fullmatch(r"[1-8]\d{16}[\dXx]", number) or number[:2] not in ("11", "44", "36", "31"):
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return 1800 <= born.year <= 2099 and ric.calc_check_digit(number) == number[-1].upper()


@_FEW
@given(st.lists(id_cards(), min_size=1, max_size=40))
def test_identity_numbers_are_judged_as_by_python_stdnum(engine: duckdb.DuckDBPyConnection, numbers: list[str]) -> None:
    assert judged(engine, "id_card", numbers) == [id_card(number) for number in numbers]


def test_identity_numbers_that_python_stdnum_holds_valid_are_valid(engine: duckdb.DuckDBPyConnection) -> None:
    bodies = [
        f"{region}{year}0228{i:03d}" for region in ("110105", "440103", "510104") for year in (1950, 1999) for i in range(50)
    ]
    made = [body + ric.calc_check_digit(body + "0") for body in bodies]
    numbers = [number for number in made if ric.is_valid(number)]
    assert len(numbers) >= 100
    assert all(judged(engine, "id_card", numbers))


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    """Codes that are nearly unified social credit codes."""
    body = "9" + draw(st.sampled_from("123")) + draw(st.text(_DIGITS, min_size=6, max_size=6))
    body += draw(st.text(_ALPHABET, min_size=9, max_size=9))
    code = body + draw(st.sampled_from([uscc.calc_check_digit(body)] * 3 + ["0", "Y", "I"]))
    return draw(st.sampled_from([code] * 5 + [code[:17], code.replace("9", "I", 1), code[:8] + "S" + code[9:]]))


@_FEW
@given(st.lists(credit_codes(), min_size=1, max_size=40))
def test_credit_codes_are_judged_as_by_python_stdnum(engine: duckdb.DuckDBPyConnection, codes: list[str]) -> None:
    assert judged(engine, "credit_code", codes) == [uscc.is_valid(code) for code in codes]


@_FEW
@given(st.lists(st.text(_DIGITS, min_size=14, max_size=21), min_size=1, max_size=40), st.booleans())
def test_bank_cards_are_judged_as_by_python_stdnum(engine: duckdb.DuckDBPyConnection, bodies: list[str], right: bool) -> None:
    cards = [body + luhn.calc_check_digit(body) if right else body for body in bodies]
    expected = [16 <= len(card) <= 19 and card[0] != "0" and luhn.is_valid(card) for card in cards]
    assert judged(engine, "bank_card", cards) == expected


@_FEW
@given(st.lists(st.text(_DIGITS + "-e+ .x", min_size=6, max_size=14), min_size=1, max_size=40))
def test_mobile_numbers_and_dates_are_judged_as_by_plain_python(engine: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    texts = [*texts, *(f"1{text[1:]}" for text in texts), *(f"2014-0{text[:1]}-1{text[1:2]}" for text in texts)]
    assert judged(engine, "mobile", texts) == [bool(re.fullmatch(r"1[3-9]\d{9}", text, re.ASCII)) for text in texts]
    assert judged(engine, "date", texts) == [_is_date(text) for text in texts]


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{8}", text, re.ASCII):
        return False
    plain = text.replace("-", "")
    try:
        return date(int(plain[:4]), int(plain[4:6]), int(plain[6:])) is not None
    except ValueError:
        return plain[:4] == "0000" and plain[4:6] != "00" and _is_date("2000" + plain[4:])


@pytest.mark.parametrize(
    ("format_", "good", "bad"),
    [
        (
            "phone",
            ["13800138000", "+86 138-0013-8000", "020-83123456", "(020)83123456", "0755 8312345-12"],
            ["12345", "138001380001"],
        ),
        ("email", ["a@b.cn", "a.b+c@x-y.com.cn"], ["a@b", "@b.cn", "a b@c.cn", "a@-b.cn"]),
        ("plate", ["粤A12345", "粤AD12345", "粤AF12345", "粤Z1234港"], ["粤A1234I", "粤A123456", "A12345", "粤112345"]),
        ("postcode", ["510000", "010010"], ["51000", "910000", "51000A"]),
        (
            "time",
            ["2014-01-02T03:04:05Z", "2014-01-02 03:04", "2014-01-02T03:04:05.5+08:00"],
            ["2014-01-02", "2014-01-02T25:00:00"],
        ),
        ("url", ["https://a.cn", "http://a.cn/b?c=d"], ["ftp://a.cn", "https://", "https://a b"]),
        ("credit_code", ["91110000600037341L", "91440101231245152Y"], ["91110000600037341l", "９1110000600037341L"]),
    ],
)
def test_other_formats_tell_good_from_bad(engine: Any, format_: str, good: list[str], bad: list[str]) -> None:
    assert [value for value, ok in zip(good, judged(engine, format_, good), strict=True) if not ok] == []
    assert [value for value, ok in zip(bad, judged(engine, format_, bad), strict=True) if ok] == []
