"""Behaviour of grids: import with checks, where a point lies, splits, merges, new codes, history and evidence."""

from typing import Any

import pytest

from mumian.foundation.grids.api import Grids
from mumian.foundation.grids.contracts import Grid
from mumian.foundation.grids.errors import BadShape
from mumian.foundation.grids.service import changing
from mumian.foundation.grids.store import GRIDS
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.foundation.addresses.town import Town
from tests.foundation.grids.conftest import TOWN, collection, feature, import_now, square

CORNER, MIDDLE = (113.015, 23.015), (113.005, 23.005)
TITLE = {"zh": "新", "en": "New"}


def where(platform: Platform, point: tuple[float, float], date: str | None = None) -> Any:
    """Where a point lies."""
    return platform.records.read_now(lambda session: platform.get(Grids).where(session, *point, date))


def parts(date: str) -> list[Grid]:
    """The south-western grid in two."""
    return [
        changing.compose("990101001001003", TITLE, date, square(0, 0, 0.5)),
        changing.compose("990101001001004", TITLE, date, square(0.5, 0, 0.5)),
    ]


def test_a_point_has_a_chain_of_grids_and_somebody_responsible(gridded: Platform) -> None:
    found = where(gridded, CORNER)
    assert [grid.code for grid in found.chain] == ["9901", "990101", "990101001", "990101001002", "990101001002002"]
    assert (found.responsible, found.code("community")) == ("corner", "990101001002")
    assert where(gridded, MIDDLE).responsible == "west"
    assert where(gridded, (114.0, 23.0)).chain == ()
    assert where(gridded, CORNER, "2012-12-31").chain == ()


def test_many_points_are_located_at_once(gridded: Platform) -> None:
    grids = gridded.get(Grids)
    found = gridded.records.read_now(lambda s: grids.codes(s, [113.005, 113.015, 115.0], [23.005, 23.005, 23.0]))
    assert found.tolist() == ["990101001001001", "990101001002001", None]


def test_importing_again_changes_nothing(gridded: Platform) -> None:
    report = import_now(gridded, TOWN, "2013-06-01")
    assert (report.added, report.repeated, report.refused) == (0, 9, 0)


def test_features_that_do_not_fit_are_refused_by_number_and_the_rest_is_kept(gridded: Platform) -> None:
    report = import_now(
        gridded,
        collection(
            feature("990101001002003", square(1.5, 1.5)),
            feature("990101001001003", square(0, 1.2, 0.5, 0.5)),
            feature("99010100", square(5, 5)),
            feature("990102001", square(5, 5)),
            feature("990103", {"type": "Point", "coordinates": [113, 23]}),
            feature("990104", {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}),
            feature("990105", square(20, 20)),
            feature("990105", square(30, 30)),
            {"type": "Feature", "geometry": None, "properties": None},
            feature("9902", None),
            feature("990201", None, kind="odd"),
            "nonsense",  # type: ignore[arg-type]
        ),
        "2013-06-01",
    )
    found = {fault.row: fault.key for fault in report.faults}
    assert found == {
        1: "grids.overlap", 2: "grids.overlap", 3: "grids.bad_code", 4: "grids.no_parent", 5: "grids.no_polygon",
        6: "grids.self_crossing", 7: "grids.twice", 8: "grids.twice", 9: "grids.no_feature",
        11: "field.choice", 12: "grids.no_feature",
    }  # fmt: skip
    assert (report.added, report.refused) == (1, 11)


def test_a_grid_outside_of_its_parent_is_refused_and_a_gap_is_told(town: Town) -> None:
    report = import_now(
        town.platform,
        collection(
            feature("9901", square(0, 0, 4, 4)), feature("990101", square(0, 0, 2, 2)), feature("990102", square(3, 3, 2, 1))
        ),
        "2013-01-01",
    )
    assert [(fault.row, fault.key) for fault in report.faults] == [(3, "grids.outside")]
    assert [note.key for note in report.notes] == ["grids.gap"]


def test_a_split_is_seen_from_its_day_on_and_not_before(gridded: Platform) -> None:
    gridded.records.write_now(lambda tx: changing.split(tx, "990101001001001", parts("2013-06-01"), "2013-06-01"))
    assert where(gridded, MIDDLE, "2013-05-31").code("grid") == "990101001001001"
    assert where(gridded, MIDDLE, "2013-06-01").code("grid") in ("990101001001003", "990101001001004")
    future = gridded.records.read_now(lambda s: changing.future(s, "990101001001001", "2014-01-01"))
    assert future == ["990101001001003", "990101001001004"]


def test_parts_that_leave_ground_change_nothing(gridded: Platform) -> None:
    with pytest.raises(BadShape):
        gridded.records.write_now(lambda tx: changing.split(tx, "990101001001001", parts("2013-06-01")[:1], "2013-06-01"))
    assert where(gridded, MIDDLE).code("grid") == "990101001001001"


def test_merged_grids_cover_the_ground_of_both_and_may_keep_a_code(gridded: Platform) -> None:
    both = ["990101001001001", "990101001001002"]
    made = gridded.records.write_now(lambda tx: changing.merge(tx, both, both[0], None, "2013-07-01"))
    assert made.version == 2
    assert where(gridded, (113.005, 23.015)).code("grid") == both[0]
    total = gridded.records.read_now(lambda s: [GRIDS.history(s, code) for code in both])
    assert made.area == pytest.approx(sum(versions[0].area for versions in total), rel=1e-3)
    assert [versions[0].valid_to for versions in total] == ["2013-07-01", "2013-07-01"]


def test_a_grid_goes_on_under_another_code(gridded: Platform) -> None:
    gridded.records.write_now(lambda tx: changing.recode(tx, "990101001002002", "990101001001009", "2013-08-01"))
    assert where(gridded, CORNER).code("grid") == "990101001001009"
    assert where(gridded, CORNER, "2013-07-31").code("grid") == "990101001002002"
    with pytest.raises(BadShape):
        gridded.records.write_now(lambda tx: changing.recode(tx, "990101001001009", "990101001001001", "2013-09-01"))


def test_people_in_charge_change_from_a_day_on(gridded: Platform) -> None:
    values = {"organisation": "new", "people": [{"role": "网格员", "name": "乙", "contact": ""}]}
    gridded.records.write_now(lambda tx: changing.change(tx, "990101001002002", values, "2013-05-01"))
    assert (where(gridded, CORNER, "2013-04-30").responsible, where(gridded, CORNER).responsible) == ("corner", "new")


def test_a_declared_city_has_the_grids_of_its_divisions_once(town: Town) -> None:
    spec = {"within": "4401", "since": "2014-01-01"}
    town.apply("GridTree", "divisions", spec)
    town.apply("GridTree", "divisions", spec | {"levels": ["city", "district"]})
    counts = town.platform.records.read_now(lambda s: GRIDS.counts(s, "level", "2014-01-01"))
    assert counts == {"city": 1, "district": 11, "street": 178}
    chain = town.platform.records.read_now(lambda s: GRIDS.at(s, "440106001", "2014-01-01"))
    assert chain is not None
    assert (chain.title["zh"], chain.parent, chain.geometry) == ("五山街道", "440106", "")


def test_a_grid_with_others_below_it_does_not_end(gridded: Platform) -> None:
    with pytest.raises(Invalid):
        gridded.records.write_now(lambda tx: changing.end(tx, "990101001001", "2013-05-01", "x"))
    gridded.records.write_now(lambda tx: changing.end(tx, "990101001002002", "2013-05-01", "x"))
    assert where(gridded, CORNER).code("grid") is None
    assert where(gridded, CORNER).code("community") == "990101001002"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE grids_grid SET organisation = 'x' WHERE code = '990101'",
        "UPDATE grids_grid SET valid_to = '2013-05-05' WHERE code = '990101'",
        "DELETE FROM grids_grid WHERE code = '990101'",
        "INSERT INTO grids_lineage (batch, action, old, new, date) VALUES ('b', 'split', '1', '2', '2013-01-01')",
    ],
)
async def test_what_was_changed_behind_the_citys_back_is_noticed(gridded: Platform, sql: str) -> None:
    gridded.records.write_now(lambda tx: changing.split(tx, "990101001001001", parts("2013-06-01"), "2013-06-01"))
    assert (await gridded.get(Ledger).verify()).sound
    gridded.records.write_now(lambda tx: tx.session.execute(sql))
    assert not (await gridded.get(Ledger).verify()).sound
