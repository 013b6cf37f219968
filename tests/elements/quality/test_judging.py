"""Judging: datasets are judged after loads, new rows alone where that is enough, and scores reach the catalogue."""

from mumian.elements.catalog.api import Catalog
from mumian.elements.quality.api import Quality
from mumian.elements.quality.store import runs
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.platform import Platform
from tests.elements.quality.conftest import CODES, RULES, apply, companies, load, told


async def found(platform: Platform, dataset: str = "companies") -> dict[str, tuple[str, int | None, int | None, bool]]:
    """What the last run found: state, rows judged, rows that failed, and whether all rows were judged."""
    state = await platform.records.read(lambda s: runs.state(s, dataset))
    assert state is not None
    outcomes = await platform.records.read(lambda s: runs.outcomes(s, state["run"]))
    return {o.rule.removeprefix(f"{dataset}:"): (o.state, o.checked, o.failing, o.whole) for o in outcomes.values()}


async def test_a_load_is_judged_by_every_rule_and_the_score_stands_in_the_catalogue(town: Platform) -> None:
    await apply(town, RULES)
    bad = companies(
        code=[CODES[0], "91110000600037341X", CODES[2], CODES[2]],
        name=["a", " ", "a", None],
        capital=[5, -1, 1e9, None],
        closed=["2009-12-31", "2011-01-01", None, None],
        phone=["12", None, "", "020-83123456"],
        chief=["p1", "p2", None, "p1"],
        区=["440103", "440103", "9", None],
    )
    await load(town, "companies", bad)
    await town.settle()
    assert await found(town) == {
        "code-valid": ("failed", 4, 1, True),
        "named": ("failed", 4, 2, True),
        "phone": ("failed", 2, 1, True),
        "capital": ("failed", 3, 2, True),
        "dates": ("failed", 2, 1, True),
        "one-name": ("failed", 2, 2, True),
        "chief": ("failed", 3, 1, True),
        "declared:required.code": ("passed", 4, 0, True),
        "declared:codes.区": ("failed", 3, 1, True),
        "declared:key": ("failed", 4, 2, True),
    }
    event = [each for each in await told(town, "elements.quality.scored") if each["subject"] == "companies"][-1]
    assert event["dimensions"] == {
        "normativity": round((2 * 75 + 1 * 50 + 2 * 50 + 2 * 200 / 3) / 7, 2),
        "completeness": 75.0,
        "accuracy": round((100 / 3 + 0 + 50) / 3, 2),
        "consistency": round(200 / 3, 2),
        "accessibility": 100.0,
    }
    entry = await town.get(Catalog).get("companies", town.clock.now())
    assert entry.score == event["score"]
    assert (await town.get(Ledger).verify()).sound


async def test_added_rows_alone_are_judged_and_count_with_those_before(town: Platform) -> None:
    await apply(town, RULES)
    await load(town, "companies", companies(2, name=["a", "b"], capital=[-1, 5]))
    await town.settle()
    await load(town, "companies", companies(2, code=CODES[2:], name=["b", "c"], capital=[7, -3]))
    await town.settle()
    added = await found(town)
    assert added["capital"] == ("failed", 4, 2, False)
    assert added["one-name"] == ("failed", 2, 2, True), "doubles may stand in rows of before"
    assert added["chief"] == ("passed", 4, 0, False)
    await load(town, "people", {"id": ["p9"], "company": [None], "capital": [1], "note": [None]}, "replace")
    await town.settle()
    assert (await found(town))["chief"] == ("failed", 4, 4, True), "what is referred to was loaded anew"
    await load(town, "companies", companies(1, chief=["p9"]), "replace")
    await town.settle()
    assert (await found(town))["chief"] == ("passed", 1, 0, True)
    run = await town.get(Quality).judge("companies")
    assert run is not None
    assert run.trigger == "asked"
    assert all(outcome.whole for outcome in run.outcomes)
    assert (await town.get(Ledger).verify()).sound
