"""Tests of planning: the greedy and the exact choice against brute force, and a plan made in its own process."""

from itertools import combinations

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.infrastructure.planning.search import Problem, solve
from mumian.foundation.infrastructure.rules import covering
from tests.foundation.infrastructure.conftest import Town, charger, enter

COVERS = st.lists(st.frozensets(st.integers(0, 9), max_size=6), min_size=1, max_size=8)
WEIGHTS = st.lists(st.integers(0, 50), min_size=10, max_size=10)
PLACES = st.tuples(st.integers(0, 12), st.integers(0, 12))


def best(covers: list[frozenset[int]], weights: list[int], count: int) -> int:
    """The greatest weight that any choice covers, by trying all."""
    every = combinations(range(len(covers)), min(count, len(covers)))
    return max(covering.gain(covers, weights, chosen) for chosen in every)


@given(COVERS, WEIGHTS, st.integers(1, 4))
def test_the_greedy_choice_keeps_its_guarantee(covers: list[frozenset[int]], weights: list[int], count: int) -> None:
    chosen = covering.greedy(covers, weights, count)
    assert len(chosen) == len(set(chosen)) <= count
    assert covering.gain(covers, weights, chosen) >= covering.GUARANTEE * best(covers, weights, count) - 1e-9


@given(COVERS, WEIGHTS, st.integers(1, 4))
def test_lazy_evaluation_chooses_what_the_plain_greedy_choice_does(
    covers: list[frozenset[int]], weights: list[int], count: int
) -> None:
    plain: list[int] = []
    for _ in range(count):
        gains = [covering.gain(covers, weights, [*plain, n]) for n in range(len(covers))]
        number = gains.index(max(gains))
        if gains[number] == covering.gain(covers, weights, plain):
            break
        plain.append(number)
    assert covering.greedy(covers, weights, count) == plain


@given(COVERS, WEIGHTS, st.integers(1, 4))
def test_taking_equal_points_together_changes_no_gain(covers: list[frozenset[int]], weights: list[int], count: int) -> None:
    small, heavy = covering.merged(covers, weights)
    for chosen in combinations(range(len(covers)), min(count, len(covers))):
        assert covering.gain(small, heavy, chosen) == covering.gain(covers, weights, chosen)


@given(st.lists(PLACES, min_size=1, max_size=14), st.lists(PLACES, min_size=1, max_size=7), st.integers(1, 3), st.data())
def test_the_exact_choice_is_what_brute_force_finds(
    points: list[tuple[int, int]], candidates: list[tuple[int, int]], count: int, data: st.DataObject
) -> None:
    pytest.importorskip("ortools")
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(points), max_size=len(points)))
    sites = data.draw(st.lists(PLACES, max_size=2))
    degree = 1 / 111_194.93  # a metre on the equator, where the plane is square

    def placed(places: list[tuple[int, int]]) -> np.ndarray:
        return np.array(places, np.float64).reshape(-1, 2) * degree

    names = [str(n) for n in range(len(candidates))]
    problem = Problem(
        placed(points),
        np.array(weights, float),
        placed(candidates),
        names,
        placed(sites),
        np.full(len(sites), 2.5),
        2.5,
        count,
        5,
    )
    found = solve(problem)

    def near(one: tuple[int, int], other: tuple[int, int]) -> bool:
        return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 <= 6.25

    left = [n for n, point in enumerate(points) if not any(near(point, site) for site in sites)]
    covers = [frozenset(n for n in left if near(points[n], candidate)) for candidate in candidates]
    assert found.optimal
    assert found.gain == pytest.approx(best(covers, weights, count), abs=0.01)
    assert found.gain >= found.greedy_gain - 1e-6
    assert found.served_before == pytest.approx(sum(weights) - sum(weights[n] for n in left))
    assert sum(pick.gain for pick in found.picks) == pytest.approx(found.gain, abs=0.01)


async def test_a_plan_puts_chargers_where_nobody_serves_and_is_kept(town: Town, admin: httpx.AsyncClient) -> None:
    await enter(admin, **charger())
    demand = {"points": [[113.25, 23.05, 100], [113.35, 23.05, 5], [113.352, 23.05, 5], [113.22, 23.02, 7]]}
    places = {"points": [[113.25, 23.05], [113.351, 23.05], [113.22, 23.02]]}
    body = {"kind": "charger", "count": 1, "demand": demand, "candidates": places, "seconds": 5}
    made = (await admin.post("/plans", json=body)).json()
    assert [pick["candidate"] for pick in made["picks"]] == ["1"]
    assert (made["served_before"], made["gain"], made["optimal"]) == (100, pytest.approx(10, abs=0.01), True)
    assert made["picks"][0]["nearest"] > 9000
    kept = (await admin.get(f"/plans/{made['id']}")).json()
    assert kept["result"]["picks"] == made["picks"]
    assert town.events("infrastructure.plan.made")[0]["kind"] == "charger"


async def test_a_plan_from_cells_shares_the_people_of_each_district(admin: httpx.AsyncClient) -> None:
    body = {"kind": "charger", "count": 2, "demand": {"figure": "people"}, "candidates": {"resolution": 7}, "seconds": 5}
    made = (await admin.post("/plans", json=body)).json()
    assert made["demand"] == pytest.approx(30_000)
    assert len(made["picks"]) == 2
    assert all(pick["longitude"] < 113.3 for pick in made["picks"]), "twice as many people live in the west"
    greedy = (await admin.post("/plans", json={**body, "method": "greedy"})).json()
    assert greedy["method"] == "greedy"
    assert made["gain"] >= greedy["gain"] * 0.999999


async def test_questions_that_cannot_be_answered_are_refused(admin: httpx.AsyncClient) -> None:
    for body in (
        {"kind": "node", "count": 1},
        {"kind": "charger", "count": 1, "demand": {"resolution": 11}},
        {"kind": "charger", "count": 1, "area": "999999"},
        {"kind": "charger", "count": 1, "demand": {"layer": "quarters", "property": "name"}},
        {"kind": "charger", "count": 0},
    ):
        assert (await admin.post("/plans", json=body)).status_code in (400, 422), body
    assert (await admin.post("/plans", json={"kind": "nothing", "count": 1})).status_code == 404
