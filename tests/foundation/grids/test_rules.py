"""Properties of grids' rules: on every day codes are unique and the ground is covered once, through any splits and merges."""

import json
from datetime import date, timedelta

import msgspec
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.grids.classes import categories
from mumian.foundation.grids.contracts import Grid
from mumian.foundation.grids.rules import coding, history, shapes, visiting
from mumian.foundation.grids.service.changing import compose
from tests.foundation.grids.conftest import SOUTH, STEP, WEST, square

PREFIX = "990101001001"


def grid(serial: int, geometry: object, day: str, version: int = 1) -> Grid:
    """A grid of the finest level."""
    made = compose(f"{PREFIX}{serial:03d}", {"zh": "格", "en": "Grid"}, day, geometry)
    return msgspec.structs.replace(made, version=version)


def halves(one: Grid, share: float, upright: bool) -> list[object]:
    """A grid in two parts; none where a straight cut through its bounds does not give two polygons."""
    shape = shapes.parse([one.geometry])[0]
    west, south, east, north = shape.bounds
    x, y = west + (east - west) * share, south + (north - south) * share
    boxes = ((west, south, x, north), (x, south, east, north)) if upright else ((west, south, east, y), (west, y, east, north))
    cut = [shapely.intersection(shape, shapely.box(*box)) for box in boxes]
    fine = all(part.geom_type in ("Polygon", "MultiPolygon") and shapes.area(part) > 1000 for part in cut)
    return [json.loads(shapely.to_geojson(part)) for part in cut] if fine else []


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["split", "merge"]), st.integers(0, 1000), st.floats(0.2, 0.8), st.booleans()), max_size=9)
)
def test_through_any_splits_and_merges_the_ground_is_covered_once_on_every_day(steps: list[tuple[str, int, float, bool]]) -> None:
    versions = [grid(1, square(0, 0, 4, 4), "2014-01-01")]
    lineage: list[tuple[str, str]] = []
    serial, days = 1, ["2014-01-01"]
    rng = np.random.default_rng(5)
    points = shapely.points(WEST + rng.random(200) * 4 * STEP, SOUTH + rng.random(200) * 4 * STEP)
    for number, (action, pick, share, upright) in enumerate(steps):
        day = (date(2014, 1, 2) + timedelta(days=number)).isoformat()
        present = history.live(versions, day)
        if action == "split":
            old = [present[pick % len(present)]]
            new = [grid(serial + i + 1, part, day) for i, part in enumerate(halves(old[0], share, upright))]
        else:
            old = sorted(present, key=lambda g: (g.longitude, g.latitude))[:2]
            whole = shapely.union_all(shapes.parse([g.geometry for g in old]))
            new = [grid(serial + 1, json.loads(shapely.to_geojson(whole)), day)] if len(old) == 2 and whole.is_valid else []
        if not new:
            continue
        faults = history.step_faults(old, new, day, {g.code for g in present} - {g.code for g in old})
        assert faults == []
        serial += len(new)
        lineage += [(a.code, b.code) for a in old for b in new]
        versions = [msgspec.structs.replace(g, valid_to=day) if g in old else g for g in versions] + new
        days.append(day)
    for day in days:
        present = history.live(versions, day)
        assert len({g.code for g in present}) == len(present)
        grounds = list(shapes.parse([g.geometry for g in present]))
        assert shapes.overlaps(grounds) == []
        counts = [shapely.contains(ground, points).sum() for ground in grounds]
        assert sum(counts) == len(points), "what lies in the grids is neither lost nor counted twice"
    assert set(history.descendants(lineage, f"{PREFIX}001")) == {g.code for g in history.live(versions, days[-1])}


@given(st.floats(0.05, 0.9))
def test_parts_that_overlap_or_leave_ground_are_refused(size: float) -> None:
    old = [grid(1, square(0, 0), "2014-01-01")]
    overlapping = [grid(2, square(0, 0, size + 0.05), "2014-02-01"), grid(3, square(size, 0, 1 - size), "2014-02-01")]
    leaving = [grid(2, square(0, 0, size), "2014-02-01"), grid(3, square(size + 0.05, 0, 0.95 - size + 1e-9), "2014-02-01")]
    assert {fault.key for fault in history.step_faults(old, overlapping, "2014-02-01", set())} == {"grids.overlap"}
    assert {fault.key for fault in history.step_faults(old, leaving, "2014-02-01", set())} == {"grids.ground_differs"}


def test_a_step_names_all_that_speaks_against_it() -> None:
    old = [grid(1, square(0, 0), "2014-01-01")]
    taken = [grid(2, square(0, 0, 0.5), "2014-02-01"), grid(2, square(0.5, 0, 0.5), "2014-02-01")]
    assert {fault.key for fault in history.step_faults(old, taken, "2014-02-01", set())} == {"grids.taken"}
    assert [fault.key for fault in history.step_faults(old, old, "2014-01-01", set())] == ["grids.not_in_force"]
    elsewhere = [compose("990101001009001", {"zh": "a", "en": "a"}, "2014-02-01", square(0, 0))]
    assert [fault.key for fault in history.step_faults(old, elsewhere, "2014-02-01", set())] == ["grids.other_parent"]


@given(st.text(alphabet="0123456789", max_size=20))
def test_a_code_says_its_level_and_lies_below_its_parent(code: str) -> None:
    level = coding.level_of(code)
    assert (level is None) == (len(code) not in coding.LENGTHS)
    if level:
        assert code.startswith(coding.parent_of(code))
        assert coding.ancestors(code)[-1] == code


@given(st.integers(0, 99), st.sampled_from(sorted(categories())), st.integers(1, 999_999))
def test_codes_of_components_are_sixteen_digits_that_tell_district_and_class(district: int, category: str, serial: int) -> None:
    code = coding.component_code(f"9901{district:02d}", category, serial)
    assert coding.is_component_code(code)
    assert code[6:10] == category


def test_every_class_of_components_belongs_to_a_large_one() -> None:
    table = categories()
    assert {code[:2] for code in table} == {"01", "02", "03", "04", "05"}
    assert len(table) == 89
    assert len({category.zh for category in table.values()}) == len(table)


@given(st.sampled_from(["address", "building", "component", "grid"]))
def test_what_a_visit_may_find_proves_a_state_that_there_is(kind: str) -> None:
    for result in visiting.results_for(kind):
        state = visiting.state_after(kind, result)
        assert state is None or state in (*visiting.STATES, "standing", "demolished")
