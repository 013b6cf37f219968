"""Learning: chances of agreement among the same (m) and among different entities (u), after Fellegi and Sunter (1969) by EM.

u is counted on pairs taken at random. m is estimated by expectation–maximisation for each blocking rule by itself, without the
comparisons that the rule itself decides (they agree in every pair), and put together by the number of matches that each rule saw;
so do Winkler (1988) and Splink. Dirichlet pseudo-counts keep small registers from believing in chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int64]
Numbers = NDArray[np.float64]
PSEUDO = 4.0
_LEAST = 1e-9
_ROUNDS = 200
_STILL = 1e-7


@dataclass(frozen=True)
class Patterns:
    """Patterns of agreement: `levels` (patterns × comparisons; 0 missing, 1 different, more is better) and how often each is.

    `same` and `different` count how many of them people have decided on.
    """

    levels: Levels
    counts: Numbers
    same: Numbers
    different: Numbers

    def total(self) -> float:
        """How many pairs there are."""
        return float(self.counts.sum())


@dataclass(frozen=True)
class Learned:
    """What one run of EM found: m of each comparison by level (index 0 is level 1), the share of matches, and its way there.

    `objective` is the logarithm of likelihood and pseudo-counts after each round; it never falls.
    """

    m: tuple[tuple[float, ...], ...]
    share: float
    matches: float
    objective: tuple[float, ...]


def chances(patterns: Patterns, sizes: Sequence[int]) -> list[tuple[float, ...]]:
    """The share of each level of each comparison among pairs where nothing is missing, kept from being nought."""
    found = []
    for index, size in enumerate(sizes):
        counted = np.bincount(patterns.levels[:, index], weights=patterns.counts, minlength=size + 1)[1 : size + 1]
        total = counted.sum()
        shares = (counted + 0.5 / size) / (total + 0.5) if total else np.full(size, 1.0 / size)
        found.append(tuple(float(share) for share in shares))
    return found


def expected_m(size: int) -> tuple[float, ...]:
    """Where EM begins, and what it believes where it sees nothing: matches mostly agree wholly, level 1 (different) is rare."""
    rest = [0.05] + [0.05 / max(size - 2, 1)] * (size - 2)
    return (*rest, 1 - sum(rest)) if size > 1 else (1.0,)


def learn(
    patterns: Patterns, u: Sequence[Sequence[float]], free: Sequence[bool], fixed: Sequence[Sequence[float] | None], share: float
) -> Learned:
    """m by EM; comparisons that are not `free` are left out, those with a `fixed` m keep it, u stays as it is."""
    sizes = [len(each) for each in u]
    used = [i for i, is_free in enumerate(free) if is_free]
    prior = [np.array(expected_m(size)) for size in sizes]
    m = [np.array(given if given is not None else prior[i], dtype=float) for i, given in enumerate(fixed)]
    log_u = _evidence(patterns, [np.array(each, dtype=float) for each in u], used)
    objective: list[float] = []
    matches = 0.0
    for _ in range(_ROUNDS):
        log_m = _evidence(patterns, m, used)
        posterior, likelihood = _expect(patterns, log_m, log_u, share)
        objective.append(likelihood + _belief(m, prior, used, fixed))
        weights = patterns.counts * posterior
        matches = float(weights.sum())
        if len(objective) > 1 and abs(objective[-1] - objective[-2]) <= _STILL * max(1.0, abs(objective[-1])):
            break
        share = min(max((matches + 1.0) / (patterns.total() + 2.0), _LEAST), 1 - _LEAST)
        for i in used:
            if fixed[i] is None:
                counted = np.bincount(patterns.levels[:, i], weights=weights, minlength=sizes[i] + 1)[1 : sizes[i] + 1]
                believed = counted + PSEUDO * prior[i]
                m[i] = believed / believed.sum()
    return Learned(tuple(tuple(float(x) for x in each) for each in m), share, matches, tuple(objective))


def together(found: Sequence[tuple[Learned, Sequence[bool]]], sizes: Sequence[int]) -> list[tuple[float, ...]]:
    """The m of several runs put together by the matches that each saw; what none was free to see is as expected."""
    result = []
    for index, size in enumerate(sizes):
        seen = [(learned.matches, learned.m[index]) for learned, free in found if free[index] and learned.matches > 0]
        weight = sum(matches for matches, _ in seen)
        if not seen:
            result.append(expected_m(size))
            continue
        means = [sum(matches * m[level] for matches, m in seen) / weight for level in range(size)]
        result.append(tuple(means))
    return result


def share_of_matches(patterns: Patterns, m: Sequence[Sequence[float]], u: Sequence[Sequence[float]], share: float) -> float:
    """How many of the pairs are matches, with m and u as they are."""
    used = list(range(len(m)))
    log_m = _evidence(patterns, [np.array(each) for each in m], used)
    log_u = _evidence(patterns, [np.array(each) for each in u], used)
    total, matches = patterns.total(), 0.0
    for _ in range(_ROUNDS):
        posterior, _likelihood = _expect(patterns, log_m, log_u, share)
        found = float((patterns.counts * posterior).sum())
        if abs(found - matches) <= _STILL * max(total, 1.0):
            break
        matches = found
        share = min(max(matches / total, _LEAST), 1 - _LEAST)
    return matches


def without_matches(patterns: Patterns, m: Sequence[Sequence[float]], u: Sequence[Sequence[float]], share: float) -> Patterns:
    """Pairs taken at random, less those that are likely matches: in a small register these are not rare enough to be left in."""
    used = list(range(len(m)))
    tables = [_evidence(patterns, [np.array(each) for each in chances_], used) for chances_ in (m, u)]
    posterior, _ = _expect(patterns, tables[0], tables[1], share)
    return Patterns(patterns.levels, patterns.counts * (1.0 - posterior), patterns.same, patterns.different)


def weight(m: float, u: float) -> float:
    """The weight of evidence of a level, in bits."""
    return float(np.log2(max(m, _LEAST) / max(u, _LEAST)))


def probability(weight_: float) -> float:
    """The probability that belongs to a weight in bits, prior included."""
    if weight_ > 60:
        return 1.0
    odds = 2.0 ** max(weight_, -1000.0)
    return float(odds / (1.0 + odds))


def bits(probability_: float) -> float:
    """The weight in bits that belongs to a probability."""
    return float(np.log2(probability_ / (1.0 - probability_)))


def _evidence(patterns: Patterns, chances_: Sequence[Numbers], used: Sequence[int]) -> Numbers:
    """The logarithm of the chance of each pattern; what is missing says nothing."""
    total = np.zeros(len(patterns.counts))
    for i in used:
        table = np.concatenate([[0.0], np.log(np.maximum(chances_[i], _LEAST))])
        total += table[patterns.levels[:, i]]
    return total


def _expect(patterns: Patterns, log_m: Numbers, log_u: Numbers, share: float) -> tuple[Numbers, float]:
    """The probability that each pattern is a match, and the log-likelihood; what people decided counts as they did."""
    with_match, without = log_m + log(share), log_u + log(1 - share)
    either = np.logaddexp(with_match, without)
    posterior = np.exp(with_match - either)
    open_ = np.maximum(patterns.counts - patterns.same - patterns.different, 0.0)
    likelihood = float((open_ * either + patterns.same * with_match + patterns.different * without).sum())
    counts = np.maximum(patterns.counts, _LEAST)
    # The pseudo-observations of the share, one match and one other pair, belong to the objective too.
    return (open_ * posterior + patterns.same) / counts, likelihood + log(share) + log(1 - share)


def _belief(
    m: Sequence[Numbers], prior: Sequence[Numbers], used: Sequence[int], fixed: Sequence[Sequence[float] | None]
) -> float:
    free = (i for i in used if fixed[i] is None)
    return float(sum(PSEUDO * (prior[i] * np.log(np.maximum(m[i], _LEAST))).sum() for i in free))
