"""Search for the best places: covers from distances, the greedy choice, then CP-SAT from there until the time is over."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.infrastructure.contracts import Pick, Solution
from mumian.foundation.infrastructure.rules import covering
from mumian.foundation.infrastructure.rules.plane import Float64, flat, reached

_UNITS = 10_000_000  # CP-SAT counts in whole numbers: all demand together is so many


@dataclass(frozen=True)
class Problem:
    """Points of demand and candidates as degrees, what stands already (`sites` with `radii`), and how far a new one serves."""

    points: Float64
    weights: Float64
    candidates: Float64
    names: list[str]
    sites: Float64
    radii: Float64
    radius: float
    count: int
    seconds: float
    exact: bool = True


@dataclass(frozen=True)
class Choice:
    """What a search ended with: the chosen, whether nothing is better, a bound on the best (whole units), the method."""

    chosen: list[int]
    optimal: bool
    bound: float | None
    method: str
    note: str = ""


def solve(problem: Problem) -> Solution:
    """Where the next facilities serve most; see `Solution`."""
    middle = float((problem.points[:, 0].min() + problem.points[:, 0].max()) / 2)
    points = flat(problem.points[:, 0], problem.points[:, 1], middle)
    candidates = flat(problem.candidates[:, 0], problem.candidates[:, 1], middle)
    sites = flat(problem.sites[:, 0], problem.sites[:, 1], middle)
    served = reached(points, sites, problem.radii) if len(sites) else np.zeros(len(points), np.bool_)
    total, before = float(problem.weights.sum()), float(problem.weights[served].sum())
    left = np.flatnonzero(~served)
    covers = _covers(points[left], candidates, problem.radius)
    units = total / _UNITS if total else 1.0
    whole = [round(weight / units) for weight in problem.weights[left].tolist()]
    greedy = covering.greedy(covers, whole, problem.count)
    choice = _exact(covers, whole, problem, greedy) if problem.exact else Choice(greedy, False, None, "greedy")
    picks = [
        _pick(problem, number, added, points_added, units, total, candidates, sites)
        for number, added, points_added in covering.ranked(covers, whole, choice.chosen)
        if added
    ]
    gain = covering.gain(covers, whole, choice.chosen) * units
    bound = None if choice.bound is None else choice.bound * units
    return Solution(
        method=choice.method,
        picks=picks,
        demand=total,
        served_before=before,
        served_after=before + gain,
        gain=gain,
        greedy_gain=covering.gain(covers, whole, greedy) * units,
        bound=bound,
        optimal=choice.optimal,
        note=choice.note,
    )


def _covers(points: Float64, candidates: Float64, radius: float) -> list[frozenset[int]]:
    import shapely

    if not len(points):
        return [frozenset() for _ in candidates]
    tree = shapely.STRtree(shapely.points(points))
    candidate, point = tree.query(shapely.points(candidates), predicate="dwithin", distance=radius * (1 + 1e-9))
    order = np.argsort(candidate, kind="stable")
    parts = np.split(point[order], np.searchsorted(candidate[order], np.arange(1, len(candidates))))
    return [frozenset(part.tolist()) for part in parts]


def _pick(
    problem: Problem,
    number: int,
    added: int,
    points: int,
    units: float,
    total: float,
    candidates: Float64,
    sites: Float64,
) -> Pick:
    nearest: NDArray[Any] = np.hypot(*(sites - candidates[number]).T) if len(sites) else np.empty(0)
    return Pick(
        candidate=problem.names[number],
        longitude=float(problem.candidates[number, 0]),
        latitude=float(problem.candidates[number, 1]),
        gain=added * units,
        share=added * units / total if total else 0.0,
        serves=points,
        nearest=float(nearest.min()) if len(nearest) else None,
    )


def _exact(covers: list[frozenset[int]], weights: list[int], problem: Problem, greedy: list[int]) -> Choice:
    """The best choice that CP-SAT finds in the time given, never worse than the greedy one."""
    small, heavy = covering.merged(covers, weights)
    useful = [number for number, cover in enumerate(small) if cover]
    if len(useful) <= problem.count:
        return Choice(useful, True, float(sum(heavy)), "cp-sat")
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        return Choice(greedy, False, None, "greedy", "OR-Tools is not installed: pip install 'mumian[planning]'")
    model = cp_model.CpModel()
    open_ = {number: model.new_bool_var(f"c{number}") for number in useful}
    near: list[list[int]] = [[] for _ in heavy]
    for number in useful:
        for point in small[number]:
            near[point].append(number)
    covered = [model.new_bool_var(f"p{point}") for point in range(len(heavy))]
    for point, candidates in enumerate(near):
        model.add(sum(open_[number] for number in candidates) >= covered[point])
    model.add(sum(open_.values()) <= problem.count)
    model.maximize(sum(weight * variable for weight, variable in zip(heavy, covered, strict=True)))
    for number, variable in open_.items():
        model.add_hint(variable, number in greedy)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = problem.seconds
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Choice(greedy, False, None, "greedy", "no better choice was found in the time given")
    chosen = [number for number in useful if solver.boolean_value(open_[number])]
    if covering.gain(covers, weights, chosen) < covering.gain(covers, weights, greedy):
        return Choice(greedy, False, solver.best_objective_bound, "greedy")
    return Choice(chosen, status == cp_model.OPTIMAL, solver.best_objective_bound, "cp-sat")
