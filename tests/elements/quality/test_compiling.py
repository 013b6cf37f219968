"""Compiling: what one query says of rows is what plain Python says of them, row by row; conditions reach nothing but fields."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mumian.elements.quality.models import Check, Consistent, Reference, Unique
from mumian.elements.quality.rules import comparing, compiling
from mumian.elements.quality.rules.compiling import Frame
from mumian.elements.quality.rules.conditions import Unclear, condition

_TYPES = {"a": "text", "名": "text", "n": "integer", "x": "number", "d": "date", "b": "boolean"}
_SQL = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE", "boolean": "BOOLEAN"}
_FRAME = Frame("dataset_1", _TYPES, {"a": ("u", "v")})
_OTHER = Frame("dataset_2", {"k": "text", "v": "number"}, {})
_RULES: list[dict[str, Any]] = [
    {"check": "not_null", "field": "a"},
    {"check": "not_null", "field": "N"},
    {"check": "format", "field": "a", "pattern": "[uv]+"},
    {"check": "format", "field": "n", "pattern": "[0-9]"},
    {"check": "range", "field": "n", "least": 0, "most": 5},
    {"check": "range", "field": "x", "least": 0.5},
    {"check": "range", "field": "d", "most": "2014-01-02"},
    {"check": "codes", "field": "a"},
    {"check": "codes", "field": "n", "values": [1, 2]},
    {"check": "codes", "field": "b", "values": [True]},
    {"check": "condition", "sql": "n > x OR b"},
    {"check": "not_null", "field": "名", "where": "n > 0"},
    {"check": "unique", "fields": ["a"]},
    {"check": "unique", "fields": ["名", "n"]},
]
_adapter: TypeAdapter[Any] = TypeAdapter(Check)
RULES = [_adapter.validate_python({"id": f"r{i}", **rule}) for i, rule in enumerate(_RULES)]
_texts = st.sampled_from([None, "", " ", "u", "v", "uv", "w", " u", "中"])
_rows = st.lists(
    st.fixed_dictionaries(
        {
            "_load": st.integers(1, 3),
            "a": _texts,
            "名": _texts,
            "n": st.none() | st.integers(-2, 6),
            "x": st.none() | st.sampled_from([-1.0, 0.5, 2.0, 7.5]),
            "d": st.none() | st.dates(date(2013, 12, 31), date(2014, 1, 4)),
            "b": st.none() | st.booleans(),
        }
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    """Something that answers to the name of the lake."""
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS lake")
    columns = ", ".join(f'"{name}" {_SQL[type_]}' for name, type_ in _TYPES.items())
    connection.execute(f"CREATE TABLE lake.main.dataset_1 (_id BIGINT, _load BIGINT, {columns})")
    connection.execute("CREATE TABLE lake.main.dataset_2 (k VARCHAR, v DOUBLE)")
    yield connection
    connection.close()


def fill(lake: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put rows into the table, numbered."""
    lake.execute("DELETE FROM lake.main.dataset_1")
    numbered = [{"_id": i + 1, **row} for i, row in enumerate(rows)]
    if numbered:
        columns = ("_id", "_load", *_TYPES)
        marks = ", ".join(f"({', '.join('?' * len(columns))})" for _ in numbered)
        values = [row[name] for row in numbered for name in columns]
        lake.execute(f"INSERT INTO lake.main.dataset_1 VALUES {marks}", values)
    return numbered


def blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip(" "))


def verdict(rule: Any, row: dict[str, Any]) -> bool | None:
    """Whether a row fails; None where it is not judged."""
    value = row.get(next((name for name in _TYPES if name.casefold() == getattr(rule, "field", "").casefold()), ""))
    if rule.where is not None and not (row["n"] is not None and row["n"] > 0):
        return None
    if rule.check == "not_null":
        return blank(value)
    if rule.check == "condition":
        above = None if row["n"] is None or row["x"] is None else row["n"] > row["x"]
        holds = True if above or row["b"] else None if above is None or row["b"] is None else False
        return None if holds is None else not holds
    if blank(value):
        return None
    if rule.check == "format":
        return not re.fullmatch(rule.pattern, str(value))
    if rule.check == "codes":
        return value not in (rule.values if rule.values is not None else ("u", "v"))
    least, most = rule.least, rule.most
    if isinstance(value, date):
        return value > date.fromisoformat(most)
    return (least is not None and value < least) or (most is not None and value > most)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_rows, st.integers(0, 3))
def test_one_scan_says_of_all_rules_what_python_says_row_by_row(
    lake: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], after: int
) -> None:
    kept = fill(lake, rows)
    answer = lake.execute(compiling.scan(RULES, _FRAME, after)).fetchall()[0]
    seen = [row for row in kept if row["_load"] > after]
    assert answer[0] == len(seen)
    for i, rule in enumerate(RULES):
        checked, failing, ids = answer[2 + 3 * i : 5 + 3 * i]
        if isinstance(rule, Unique):
            judged = [row for row in kept if not any(blank(row[name]) for name in rule.fields)]
            assert checked == sum(row["_load"] > after for row in judged)
            times = Counter(tuple(row[name] for name in rule.fields) for row in judged)
            bad = [row["_id"] for row in judged if times[tuple(row[name] for name in rule.fields)] > 1]
            parts = [lake.execute(comparing.doubles(rule, _FRAME, part, 3)).fetchall()[0] for part in range(3)]
            assert sum(part[0] for part in parts) == len(bad)
            assert sorted(i for part in parts for i in part[1] or ()) == bad
            hits = [lake.execute(comparing.doubled(rule, _FRAME, part, 3)).fetchall() for part in range(3)]
            assert any(hits) == bool(bad)
            continue
        verdicts = {row["_id"]: verdict(rule, row) for row in seen}
        bad = [number for number, fails in verdicts.items() if fails]
        assert (checked, failing) == (sum(fails is not None for fails in verdicts.values()), len(bad)), rule
        assert list(ids or ()) == bad


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_rows, st.lists(st.tuples(_texts, st.none() | st.sampled_from([-1.0, 0.5, 0.6])), max_size=8), st.sampled_from([0.0, 0.2]))
def test_references_and_other_sources_are_compared_as_python_compares_them(
    lake: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], others: list[tuple[Any, Any]], within: float
) -> None:
    kept = fill(lake, rows)
    lake.execute("DELETE FROM lake.main.dataset_2")
    if others:
        marks = ", ".join("(?, ?)" for _ in others)
        lake.execute(f"INSERT INTO lake.main.dataset_2 VALUES {marks}", [value for pair in others for value in pair])
    reference = Reference(id="r", check="reference", fields=["a"], dataset="o", target=["k"])
    answer = lake.execute(comparing.referring(reference, _FRAME, _OTHER, 0)).fetchall()[0]
    judged = [row for row in kept if not blank(row["a"])]
    bad = [row["_id"] for row in judged if row["a"] not in {key for key, _ in others}]
    assert (answer[0], answer[1], list(answer[2] or ())) == (len(judged), len(bad), bad)
    consistent = Consistent(
        id="c", check="consistency", key=["a"], field="x", dataset="o", target_key=["k"], target_field="v", within=within
    )
    answer = lake.execute(comparing.differing(consistent, _FRAME, _OTHER, 0)).fetchall()[0]
    pairs = {row["_id"]: [v for k, v in others if k == row["a"] and v is not None] for row in kept}
    judged = [row for row in kept if row["x"] is not None and row["a"] is not None and pairs[row["_id"]]]
    bad = [row["_id"] for row in judged if any(abs(row["x"] - v) > within for v in pairs[row["_id"]])]
    assert (answer[0], answer[1], list(answer[2] or ())) == (len(judged), len(bad), bad)


_FIELDS = {"a": "a", "begun": "begun", "ended": "Ended", "名": "名"}


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("ended >= begun", '("Ended" >= "begun")'),
        ("名 LIKE 'x%' -- why", "(\"名\" LIKE 'x%')"),
        ("a BETWEEN 1 AND 2", '("a" BETWEEN 1 AND 2)'),
        ("date_diff('day', begun, ended) < 3", '(DATE_DIFF(\'DAY\', "begun", "Ended") < 3)'),
    ],
)
def test_a_condition_is_read_and_its_fields_are_named_as_declared(text: str, sql: str) -> None:
    assert condition(text, _FIELDS) == sql


@pytest.mark.parametrize(
    "text",
    [
        "a) OR (1=1",
        "1=1) UNION SELECT 1 --",
        "(SELECT count(*) FROM x) > 1",
        "a IN (SELECT 1)",
        "read_text('/etc/passwd') = ''",
        "getenv('HOME') = ''",
        "sum(a) > 1",
        "row_number() OVER () = 1",
        "COLUMNS(*) > 1",
        "* > 1",
        "a = $1",
        "a = ?",
        "t.a = 1",
        "nothing = 1",
        "a > 1; DROP TABLE x",
        "a > 1 LIMIT 1",
        "",
        "(" * 50 + "a" + ")" * 50,
        "a LIKE 'x' AND EXISTS (FROM duckdb_secrets())",
        "regexp_replace(名, '.', repeat('x', 1000000000)) = ''",
    ],
)
def test_a_condition_that_says_more_than_a_condition_is_refused(text: str) -> None:
    with pytest.raises(Unclear):
        condition(text, _FIELDS)


@settings(max_examples=80)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["a", "(", ")", "'", "--", "/*", ";", "SELECT", " ", "1", "=", '"']), max_size=20).map("".join)
)
def test_no_text_breaks_the_reading_of_conditions(text: str) -> None:
    try:
        told = condition(text, _FIELDS)
    except Unclear:
        return
    assert told.startswith("(")
    assert told.endswith(")")
