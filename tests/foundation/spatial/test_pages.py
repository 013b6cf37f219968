"""A page tells the same features and the same number of them, whichever way the table is asked."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from mumian.foundation.spatial.features import queries
from mumian.foundation.spatial.features.engine import Engine
from mumian.foundation.spatial.features.queries import Query, count, find, page
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.rules.cql2 import Compiled
from tests.foundation.spatial.layering import table_of

BOXES = [((113.0, 23.0, 113.2, 23.2),), ((113.0, 23.0, 113.1, 23.1), (113.4, 23.4, 113.5, 23.5)), ((0.0, 0.0, 1.0, 1.0),), ()]
FILTER = Compiled("p0 > $least", {"least": 4})


@pytest.fixture(scope="module", params=["points", "squares"])
def laid(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Table]]:
    chance = random.Random(5)
    features: list[Any] = []
    for number in range(300):
        place = shapely.Point(113 + chance.random() / 2, 23 + chance.random() / 2)
        geometry = place if request.param == "points" else place.buffer(0.02)
        features.append((f"f{number}", geometry, {"n": number % 10}))
    engine, table = table_of(Path(tmp_path_factory.mktemp(request.param)), features)
    yield engine, table
    engine.close()


@pytest.mark.parametrize("boxes", BOXES)
@pytest.mark.parametrize("sort", [(), (("p0", True),)])
@pytest.mark.parametrize("few", [20_000, 0])
def test_page_by_page(laid: tuple[Engine, Table], monkeypatch: pytest.MonkeyPatch, boxes: Any, sort: Any, few: int) -> None:
    engine, table = laid
    monkeypatch.setattr(queries, "_FEW", few)
    query = Query(boxes=boxes, filters=(FILTER,), sort=sort, limit=7)
    whole = find(engine, table, Query(boxes=boxes, filters=(FILTER,), sort=sort, limit=None))
    seen: list[str] = []
    while True:
        rows, matched = page(engine, table, query)
        assert matched == len(whole) == count(engine, table, query)
        seen += [row.id for row in rows[:7]]
        if len(rows) <= 7:
            break
        query = Query(boxes=boxes, filters=(FILTER,), sort=sort, limit=7, after=rows[6].keys)
    assert seen == [row.id for row in whole]


def test_behind_the_last_there_is_nothing_and_all_are_counted_still(laid: tuple[Engine, Table]) -> None:
    engine, table = laid
    rows, matched = page(engine, table, Query(boxes=BOXES[0], after=(10**9,)))
    assert rows == []
    assert matched == count(engine, table, Query(boxes=BOXES[0])) > 0
