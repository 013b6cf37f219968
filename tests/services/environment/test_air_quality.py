"""The declared air-quality index against worked values of HJ 633-2012, and the coherence of the application."""

from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.brain.vitals.kinds import VitalSpec
from mumian.brain.vitals.rules import enough, interpolate, levels_of
from mumian.kernel.declarations.documents import read_path
from mumian.kernel.declarations.kinds import discover
from mumian.kernel.declarations.planning import plan
from tests.conftest import ROOT

FOLDER = ROOT / "src" / "mumian" / "services" / "environment" / "declarations"
TABLE = [(0, 0), (35, 50), (75, 100), (115, 150), (150, 200), (250, 300), (350, 400), (500, 500)]
CLASSES = [(50, "excellent"), (100, "good"), (150, "light"), (200, "moderate"), (300, "heavy"), (500, "severe")]


def _vital(name: str) -> VitalSpec:
    document = next(d for d in read_path(FOLDER) if d.kind == "Vital" and d.name == name)
    return VitalSpec.model_validate(document.spec)


AQI = _vital("air-aqi")
MEAN = _vital("air-pm25-24h")


def _index(concentration: float) -> int:
    derived = AQI.source.derived
    assert derived is not None
    return int(interpolate(derived.interpolate, np.array([concentration]), derived.round, derived.cap)[0])


def _level(index: float) -> str:
    found = levels_of([(level.bound, level.strict) for level in AQI.levels], np.array([float(index)]))
    return AQI.levels[int(found[0])].name


@pytest.mark.parametrize(
    ("concentration", "index"),
    [
        *[(0, 0), (1, 2), (17.5, 25), (35, 50), (36, 52), (75, 100), (86, 114), (115, 150), (130, 172), (150, 200)],
        *[(200, 250), (250, 300), (300, 350), (350, 400), (425, 450), (500, 500), (526, 500), (940, 500)],
    ],
)
def test_the_index_has_the_values_worked_out_by_the_standards_equation(concentration: float, index: int) -> None:
    assert _index(concentration) == index


@settings(deadline=None)
@given(st.floats(0, 500, allow_nan=False))
def test_between_its_breakpoints_the_index_is_linear_and_rounded_up(concentration: float) -> None:
    low, high = next(pair for pair in pairwise(TABLE) if concentration <= pair[1][0])
    exact = low[1] + (high[1] - low[1]) * (concentration - low[0]) / (high[0] - low[0])
    assert abs(_index(concentration) - ceil(exact - 1e-9)) <= (0 if abs(exact - round(exact)) > 1e-6 else 1)


@pytest.mark.parametrize("index", range(501))
def test_every_index_falls_into_the_class_that_the_standard_names(index: int) -> None:
    assert _level(index) == next(name for upper, name in CLASSES if index <= upper)


def test_a_daily_mean_needs_twenty_of_twenty_four_hours() -> None:
    window = MEAN.source.window
    assert window is not None
    assert window.hours == 24
    assert not enough(19, 24, window.minimum_share)
    assert enough(20, 24, window.minimum_share)


def test_the_classes_have_the_standards_colours() -> None:
    assert [level.colour for level in AQI.levels] == ["#00e400", "#ffff00", "#ff7e00", "#ff0000", "#99004c", "#7e0023"]


@pytest.fixture(scope="module")
def declared() -> dict[tuple[str, str], Any]:
    """The shipped city with the application on top, planned from nothing."""
    kinds = discover()
    city = plan(kinds, {}, read_path(ROOT / "cities" / "guangzhou"), "city", prune=False)
    current = {(change.kind, change.name): change.new for change in city.changes}
    service = plan(kinds, current, read_path(FOLDER), "service", prune=False)
    return current | {(change.kind, change.name): change.new for change in service.changes}


def test_every_district_has_the_branch_that_its_air_incidents_go_to(declared: dict[tuple[str, str], Any]) -> None:
    rule = declared["DispatchRule", "air-pollution-district"].spec
    districts = [d.spec.district for (kind, _), d in declared.items() if kind == "Organisation" and d.spec.level == "district"]
    assert len(districts) == 11
    for code in districts:
        branch = declared["Organisation", rule.organisation.replace("{district}", code)]
        assert branch.spec.district == code
        assert "environment" in branch.spec.duties


def test_warning_lines_are_left_below_where_they_are_entered(declared: dict[tuple[str, str], Any]) -> None:
    lines = [line for (kind, _), d in declared.items() if kind == "Warning" for line in d.spec.levels]
    assert len(lines) == 8
    assert all(line.leave < line.enter and line.for_minutes > 0 for line in lines)


def test_the_plans_twenty_seven_indicators_have_targets_for_both_years(declared: dict[tuple[str, str], Any]) -> None:
    planned = [d for (kind, name), d in declared.items() if kind == "Kpi" and name.startswith("plan.")]
    assert len(planned) == 27
    assert all(set(d.spec.targets) == {2025, 2027} for d in planned)
    assert sum(bool(d.spec.series) for d in planned) == 15
