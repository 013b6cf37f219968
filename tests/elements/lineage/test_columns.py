"""Columns: what comes from where is read out of SQL, whatever its form."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.elements.lineage.rules import columns

SCHEMAS = {"people": ["id", "姓名", "district", "income"], "shops.open": ["编号", "district", "owner"]}


def followed(sql: str, fields: list[str] | None = None) -> set[tuple[str, str, str]]:
    return {(str(e.source), e.target.field, e.kind) for e in columns.edges(sql, SCHEMAS, "out", fields)}


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT id, 姓名 AS name FROM people", {("people#id", "id", "identity"), ("people#姓名", "name", "identity")}),
        ('SELECT upper("姓名") AS name FROM people', {("people#姓名", "name", "transformation")}),
        ("SELECT district, sum(income) AS total FROM people GROUP BY ALL",
         {("people#district", "district", "identity"), ("people#income", "total", "aggregation")}),
        ("WITH a AS (SELECT id, income * 2 AS double FROM people), b AS (SELECT max(double) AS top FROM a) SELECT top FROM b",
         {("people#income", "top", "aggregation")}),
        ('SELECT p.id, s."编号" AS shop FROM people p JOIN "shops.open" s ON s.owner = p.id',
         {("people#id", "id", "identity"), ("shops.open#编号", "shop", "identity")}),
        ("SELECT shops.open.owner FROM shops.open", {("shops.open#owner", "owner", "identity")}),
        ("SELECT id AS x FROM people UNION ALL SELECT owner FROM shops.open",
         {("people#id", "x", "identity"), ("shops.open#owner", "x", "identity")}),
        ("SELECT * FROM shops.open",
         {(f"shops.open#{name}", name, "identity") for name in ("编号", "district", "owner")}),
        ("INSERT INTO out SELECT id FROM people", {("people#id", "id", "identity")}),
        ("CREATE TABLE out AS SELECT id || district AS k FROM people",
         {("people#id", "k", "transformation"), ("people#district", "k", "transformation")}),
        ("SELECT CASE WHEN income > 1 THEN district END AS d, 1 AS one FROM people",
         {("people#income", "d", "transformation"), ("people#district", "d", "transformation")}),
        ("SELECT (SELECT max(owner) FROM shops.open) AS o FROM people", {("shops.open#owner", "o", "aggregation")}),
    ],
)  # fmt: skip
def test_columns_are_followed(sql: str, wanted: set[tuple[str, str, str]]) -> None:
    assert followed(sql) == wanted


def test_only_fields_of_the_output_are_told_in_their_own_spelling() -> None:
    assert followed("SELECT ID AS key, 姓名 FROM people", ["Key"]) == {("people#id", "Key", "identity")}


@pytest.mark.parametrize(
    "sql", ["DROP TABLE people", "SELECT 1; SELECT 2", "SELECT a FROM elsewhere", "SELECT (", "", "x" * 300_000]
)
def test_what_cannot_be_followed_says_so(sql: str) -> None:
    with pytest.raises(columns.NotAnalysed):
        columns.edges(sql, SCHEMAS, "out")


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(columns.NotAnalysed):
        assert isinstance(columns.edges(text, SCHEMAS, "out"), list)
