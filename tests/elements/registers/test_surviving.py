"""Survivorship: the SQL picks what a plain reading of the rules picks."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.elements.registers.rules.surviving import Survival, survivor_sql

NOW = 1_000 * 86_400_000_000
DAY = 86_400_000_000
MEMBERS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 3),
        st.sampled_from([None, NOW - 2 * DAY, NOW - 30 * DAY, NOW - 400 * DAY]),
        st.sampled_from([None, None, NOW - DAY, NOW + DAY]),
        st.sampled_from([None, "a", "b", "ccc"]),
    ),
    min_size=1,
    max_size=8,
)
RULES = st.lists(st.sampled_from(["rank", "newest", "complete", "frequent"]), min_size=1, max_size=4, unique=True)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own."""
    made = duckdb.connect()
    yield made
    made.close()


def expected(members: list[Any], rules: list[str], most_days: int | None) -> dict[int, tuple[str, int, int]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for record, (entity, rank, updated, expires, value) in enumerate(members, 1):
        if value is None:
            continue
        often = sum(1 for other in members if other[0] == entity and other[4] == value)
        scores = {
            "rank": rank,
            "newest": -updated if updated is not None else 2**63 - 1,
            "complete": -len(value),
            "frequent": -often,
        }
        over = expires is not None and expires <= NOW
        stale = most_days is not None and updated is not None and updated < NOW - most_days * DAY
        found.setdefault(entity, []).append((over, stale, *(scores[rule] for rule in rules), record, value))
    return {entity: (min(each)[-1], min(each)[-2], len({one[-1] for one in each})) for entity, each in found.items()}


@settings(max_examples=40)
@given(MEMBERS, RULES, st.sampled_from([None, 60]))
def test_the_sql_picks_the_value_that_the_rules_pick(
    connection: duckdb.DuckDBPyConnection, members: list[Any], rules: list[str], most_days: int | None
) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE members (entity BIGINT, record BIGINT, revision BIGINT, rank BIGINT, updated BIGINT, "
        "expires BIGINT, a_name VARCHAR)"
    )
    rows = [(e, i, 1, rank, updated, expires, value) for i, (e, rank, updated, expires, value) in enumerate(members, 1)]
    connection.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    sql = survivor_sql(Survival("name", rules, most_days), "members")
    found = connection.execute(sql, {"now": NOW}).fetchall()
    assert {row[0]: (row[1], row[2], row[4]) for row in found} == expected(members, rules, most_days)
    assert all(row[5] == "only" for row in found if row[4] == 1)
