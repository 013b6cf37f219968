"""The page of systems tells the truth: all 152 are there, and every claim points at something that exists and is tested."""

import csv
import re
from pathlib import Path

import pytest

from tests.laws.sources import ROOT

PAGE = ROOT / "docs" / "systems.md"
SHARED = ROOT.parent / "shared" / "systems.csv"
STATES = {"works", "in part", "not yet"}
COUNT = 152


def rows() -> list[list[str]]:
    """The cells of every row: id, 系统, system, state, lives in, shown by, today."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def targets(cell: str) -> list[Path]:
    """What the links of a cell lead to."""
    return [PAGE.parent / link for link in re.findall(r"\]\(([^)]+)\)", cell)]


CLAIMED = [row for row in rows() if row[3] != "not yet"]
claimed = pytest.mark.parametrize("row", CLAIMED, ids=lambda row: row[0].strip("`"))


def test_every_system_has_one_row() -> None:
    ids = [row[0].strip("`") for row in rows()]
    assert len(ids) == len(set(ids)) == COUNT
    assert all(len(row) == 7 and row[1] and row[2] and row[3] in STATES for row in rows())


def test_the_systems_are_those_of_the_plans() -> None:
    if not SHARED.exists():
        pytest.skip("the list of the plans is not here")
    with SHARED.open(encoding="utf-8-sig") as file:
        planned = {row["id"]: (row["name_zh"], row["name_en"]) for row in csv.DictReader(file)}
    assert {row[0].strip("`"): (row[1], row[2]) for row in rows()} == planned


@claimed
def test_what_is_claimed_lives_somewhere_in_the_source(row: list[str]) -> None:
    places = targets(row[4])
    assert places
    assert all(place.exists() and place.resolve().is_relative_to(ROOT) for place in places)


@claimed
def test_what_is_claimed_is_shown_by_a_test(row: list[str]) -> None:
    shown = [place.resolve() for place in targets(row[5])]
    assert shown
    for place in shown:
        assert place.is_relative_to(ROOT / "tests")
        assert place.is_file() or any(place.rglob("test_*.py")) or any(place.rglob("*.test.mjs")), place


@claimed
def test_what_works_in_part_says_what_is_missing(row: list[str]) -> None:
    assert row[6]
    if row[3] == "in part":
        assert re.search(r"\bno\b|\bnot\b|\bof the\b", row[6])


def test_what_is_not_there_claims_nothing() -> None:
    assert [row[0] for row in rows() if row[3] == "not yet" and any(row[4:])] == []


def test_no_claim_is_lost_on_the_way() -> None:
    assert len(CLAIMED) >= 10
