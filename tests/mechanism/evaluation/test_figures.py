"""The figures worked out in SQL against the same worked out one by one."""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.storage.records.sqlite import SqliteSession
from mumian.kernel.clock import iso
from mumian.kernel.migrations import statements
from mumian.mechanism.evaluation import api, store

START = datetime(2014, 1, 1, tzinfo=UTC)
MIGRATION = Path(api.__file__).parent / "migrations" / "0001_evaluation.sql"


@contextlib.contextmanager
def _session() -> Iterator[SqliteSession]:
    connection = sqlite3.connect(":memory:")
    for statement in statements(MIGRATION.read_text("utf-8")):
        connection.execute(statement)
    yield SqliteSession(connection)
    connection.close()


def _at(hours: float) -> str:
    return iso(START + timedelta(hours=hours))


incidents = st.lists(
    st.fixed_dictionaries(
        {
            "district": st.sampled_from([None, "440103", "440105"]),
            "type": st.sampled_from(["air", "water"]),
            "resolved": st.integers(1, 60),
            "open": st.booleans(),
        }
    ),
    max_size=25,
)


@settings(deadline=None)
@given(incidents, st.integers(0, 60))
def test_counts_rates_and_medians_agree_with_those_worked_out_one_by_one(drawn: list[dict[str, Any]], since: int) -> None:
    with _session() as session:
        for number, incident in enumerate(drawn):
            closed = None if incident["open"] else _at(incident["resolved"])
            known = {"number": str(number), "opened_at": _at(0), "closed_at": closed, "resolved_at": closed, "taken_at": _at(0)}
            store.keep(session, 1, {**incident, **known, "due_resolve": _at(24)})
        rows = store.figures(session, "district", _at(since), _at(30), ("air",))
    chosen = [i for i in drawn if i["type"] == "air" and (i["open"] or i["resolved"] >= since)]
    chosen.sort(key=lambda i: i["district"] or "")
    expected = []
    for key, members in groupby(chosen, key=lambda i: i["district"] or ""):
        group = list(members)
        hours = [i["resolved"] for i in group if not i["open"]]
        late = len(group) - len(hours)
        expected.append((key, len(hours), sum(h <= 24 for h in hours), late, late, median(hours) if hours else None))
    names = ("key", "closed", "on_time", "open", "overdue", "median")
    assert [tuple(row[name] for name in names) for row in rows] == [pytest.approx(e) if None not in e else e for e in expected]


def test_over_nothing_there_is_nothing() -> None:
    with _session() as session:
        assert store.figures(session, "", _at(0), _at(0)) == []
