"""Measures: rules that judge no rows — how old data are, how many, how they are distributed — and rules in SQL."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.elements.quality.api import Outcome, Quality
from mumian.elements.quality.rules.comparing import ks, psi
from mumian.elements.quality.rules.scoring import volume
from mumian.elements.quality.store import runs
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.sensing.api import Sensing, microseconds
from mumian.foundation.sensing.contracts import Observations
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from tests.elements.quality.conftest import apply, companies, load, told

_RULES = """
kind: QualityRule
name: measured
title: {{zh: 度量, en: Measured}}
spec:
  dataset: companies
  rules: [{rules}]
"""


async def outcomes(platform: Platform, dataset: str = "companies") -> dict[str, Outcome]:
    """What the last run found, by the id of the rule."""
    await platform.settle()
    state = await platform.records.read(lambda s: runs.state(s, dataset))
    assert state is not None
    found = await platform.records.read(lambda s: runs.outcomes(s, state["run"]))
    return {name.split(":")[1]: outcome for name, outcome in found.items()}


async def rule(platform: Platform, *rules: str) -> None:
    """Declare rules for companies."""
    await apply(platform, _RULES.format(rules=", ".join(f"{{id: r{i}, {text}}}" for i, text in enumerate(rules))))


async def test_data_grow_too_old_without_anybody_asking_and_are_fresh_after_a_load(town: Platform, clock: ManualClock) -> None:
    await rule(town, "check: freshness, seconds: 86400", "check: freshness, seconds: 172800, field: founded")
    await load(town, "companies", companies(founded=["2013-12-31"] * 4))
    found = await outcomes(town)
    assert (found["r0"].state, found["r0"].measure, found["r1"].state) == ("passed", 0.0, "passed")
    clock.advance(hours=25)
    found = await outcomes(town)
    assert (found["r0"].state, round(found["r0"].score or 0), found["r1"].state) == ("failed", 96, "passed")
    assert [each["action"] for each in await told(town, "elements.quality.ticket")] == ["opened"]
    clock.advance(hours=24)
    assert (await outcomes(town))["r1"].state == "failed"
    await load(town, "companies", companies(1, founded=["2014-01-03"]))
    found = await outcomes(town)
    assert (found["r0"].state, found["r1"].state) == ("passed", "passed")
    assert (await town.get(Ledger).verify()).sound


async def test_scheduled_looks_that_find_nothing_new_leave_no_run_but_one_a_day(town: Platform, clock: ManualClock) -> None:
    await rule(town, "check: freshness, seconds: 60")
    await load(town, "companies", companies())
    await town.settle()
    for _ in range(30):
        clock.advance(hours=6)
        await town.settle()
    made = await town.records.read(lambda s: runs.runs(s, "companies", None, 100))
    assert len(made) == 9


async def test_datasets_made_of_streams_are_fresh_by_their_newest_observation(city: Platform, clock: ManualClock) -> None:
    assert await city.get(Quality).judge("air-pm25-hourly") is None, "there is nothing yet"
    assert await told(city, "elements.quality.scored") == []
    sensing, now = city.get(Sensing), city.clock.now()
    stream = sensing.streams({"pm25"})[0].id
    at = microseconds(now) - 4 * 3_600_000_000
    await sensing.record(Observations(np.array([stream]), np.array([at]), np.array([35.0])))
    clock.advance(minutes=10)
    await city.settle()
    outcome = (await outcomes(city, "air-pm25-hourly"))["hourly"]
    assert (outcome.state, outcome.bound, outcome.measure) == ("failed", 10800.0, 4 * 3600.0 + 600)
    ticket = (await told(city, "elements.quality.ticket"))[-1]
    assert (ticket["action"], ticket["owner"]) == ("opened", "ecology")
    later = microseconds(city.clock.now())
    await sensing.record(Observations(np.array([stream]), np.array([later]), np.array([36.0])))
    clock.advance(minutes=10)
    await city.settle()
    assert (await told(city, "elements.quality.ticket"))[-1]["action"] == "closed"


async def test_more_or_fewer_rows_than_usual_are_noticed(town: Platform) -> None:
    await rule(town, "check: volume, least: 3", "check: volume, of: load, change: 0.5")
    await load(town, "companies", companies(2), "replace")
    found = await outcomes(town)
    assert (found["r0"].state, found["r0"].measure, found["r0"].bound) == ("failed", 2.0, 3.0)
    assert found["r1"].state == "passed", "nothing before to compare with"
    await load(town, "companies", companies(4), "replace")
    found = await outcomes(town)
    assert (found["r0"].state, found["r1"].state, found["r1"].bound) == ("passed", "failed", 3.0)


async def test_values_that_are_distributed_otherwise_than_before_are_noticed(town: Platform) -> None:
    await rule(
        town,
        "check: drift, field: capital",
        "check: drift, field: capital, method: ks",
        "check: drift, field: 区",
        "check: drift, field: founded, baseline: previous",
    )

    def rows(shift: int, district: str) -> dict[str, Any]:
        count = 200
        return {
            "code": [f"c{shift}-{i}" for i in range(count)],
            "capital": [i + shift for i in range(count)],
            "区": [district if i % 2 else "440103" for i in range(count)],
            "founded": [f"20{10 + i % 10}-01-01" for i in range(count)],
        }

    await load(town, "companies", rows(0, "440104"))
    assert {o.state for name, o in (await outcomes(town)).items() if o.measure is None and name[1:].isdigit()} == {"unknown"}
    await load(town, "companies", rows(0, "440104"))
    found = await outcomes(town)
    assert [found[f"r{i}"].state for i in range(4)] == ["passed"] * 4
    assert abs(found["r0"].measure or 0.0) < 1e-9
    await load(town, "companies", rows(100, "9"))
    found = await outcomes(town)
    assert [found[f"r{i}"].state for i in range(4)] == ["failed", "failed", "failed", "passed"]
    assert abs((found["r1"].measure or 0.0) - 0.5) < 0.02
    assert (await town.get(Ledger).verify()).sound


async def test_a_rule_in_sql_names_failing_rows_and_each_look_at_labelled_data_is_proven(town: Platform) -> None:
    await rule(
        town,
        'check: sql, sql: "SELECT c._id FROM companies c JOIN people p ON p.company = c.code WHERE p.capital <> c.capital"',
        "check: sql, sql: \"SELECT phone FROM companies WHERE phone LIKE '1%'\", most: 3",
        "check: sql, sql: \"SELECT * FROM read_csv('/etc/passwd')\"",
        'check: sql, sql: "SELECT * FROM nowhere"',
        "check: consistency, key: [code], field: capital, dataset: people, target_key: [company]",
    )
    await load(town, "companies", companies(capital=[99, 1, 1, 1]))
    found = await outcomes(town)
    assert (found["r0"].state, found["r0"].failing, found["r0"].rows, found["r0"].score) == ("failed", 1, (1,), 75.0)
    assert (found["r1"].state, found["r1"].failing, found["r1"].rows) == ("failed", 4, ())
    assert (found["r2"].state, found["r3"].state) == ("error", "error")
    assert (found["r4"].state, found["r4"].checked, found["r4"].failing, found["r4"].rows) == ("failed", 1, 1, (1,))
    reads = await told(town, "elements.protection.read")
    assert {(each["subject"], each["purpose"]) for each in reads} == {("companies", "quality")}


async def test_one_rule_that_cannot_be_computed_does_not_spoil_the_others(town: Platform) -> None:
    await rule(town, 'check: condition, sql: "CAST(name AS INTEGER) > 3"', "check: not_null, field: name")
    await load(town, "companies", companies())
    found = await outcomes(town)
    assert (found["r0"].state, found["r1"].state) == ("error", "passed")
    assert "company" not in str(found["r0"].detail), "no value of a row is told"


_counts = st.lists(st.integers(0, 50), min_size=2, max_size=12).filter(lambda counts: sum(counts) > 0)


@given(_counts, st.integers(1, 9))
def test_the_same_shares_have_no_distance(counts: list[int], times: int) -> None:
    more = [count * times for count in counts]
    assert abs(psi(counts, more)) < 1e-9
    assert ks(counts, more) < 1e-9


@settings(max_examples=60)
@given(_counts, st.data())
def test_distances_are_positive_and_ks_is_that_of_the_values_themselves(counts: list[int], data: Any) -> None:
    others = data.draw(st.lists(st.integers(0, 50), min_size=len(counts), max_size=len(counts)).filter(lambda c: sum(c) > 0))
    assert psi(counts, others) >= 0
    one, other = ([value for value, n in enumerate(c) for _ in range(n)] for c in (counts, others))
    distance = max(abs(sum(v <= x for v in one) / len(one) - sum(v <= x for v in other) / len(other)) for x in range(len(counts)))
    assert abs(ks(counts, others) - distance) < 1e-9


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_a_volume_passes_within_its_bounds_and_scores_less_the_further_it_is_off(rows: int, a: int, b: int) -> None:
    least, most = sorted((a, b))
    state, score, bound = volume(rows, least, most, None, ())
    assert (state == "passed") == (least <= rows <= most)
    assert (score == 100.0) == (state == "passed")
    assert bound in (least, most)
