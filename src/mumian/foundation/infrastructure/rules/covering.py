"""Covering 最大覆盖选址: which candidates serve the most demand, greedily and with a guarantee, and what a choice serves.

The maximal covering location problem (Church and ReVelle, 1974): choose N candidates so that the weight of the demand points
covered by at least one is greatest. It is submodular, so the greedy choice serves at least 1 − 1/e of the best (Nemhauser, 1978).
"""

import heapq
from collections.abc import Iterable, Sequence

GUARANTEE = 1 - 2.718281828459045**-1


def gain(covers: Sequence[frozenset[int]], weights: Sequence[int], chosen: Iterable[int]) -> int:
    """The weight that the chosen candidates cover together."""
    covered: set[int] = set().union(*(covers[number] for number in chosen))
    return sum(weights[point] for point in covered)


def greedy(covers: Sequence[frozenset[int]], weights: Sequence[int], count: int) -> list[int]:
    """At most `count` candidates, each the one that adds most (of equals the first); those that add nothing are left out.

    Lazy evaluation: what a candidate adds only shrinks, so one that still leads the heap after a fresh look is the best.
    """
    left = [set(cover) for cover in covers]
    heap = [(-sum(weights[point] for point in cover), number) for number, cover in enumerate(left)]
    heapq.heapify(heap)
    covered: set[int] = set()
    chosen: list[int] = []
    while heap and len(chosen) < count:
        _, number = heapq.heappop(heap)
        left[number] -= covered
        fresh = -sum(weights[point] for point in left[number])
        if fresh == 0:
            continue
        if heap and (fresh, number) > heap[0]:
            heapq.heappush(heap, (fresh, number))
            continue
        chosen.append(number)
        covered |= left[number]
    return chosen


def merged(covers: Sequence[frozenset[int]], weights: Sequence[int]) -> tuple[list[frozenset[int]], list[int]]:
    """The same problem with demand points that exactly the same candidates cover taken together, and none that nobody covers."""
    by_point: dict[int, list[int]] = {}
    for number, cover in enumerate(covers):
        for point in cover:
            by_point.setdefault(point, []).append(number)
    groups: dict[tuple[int, ...], int] = {}
    for point, candidates in by_point.items():
        key = tuple(candidates)
        groups[key] = groups.get(key, 0) + weights[point]
    made: list[set[int]] = [set() for _ in covers]
    for place, key in enumerate(groups):
        for number in key:
            made[number].add(place)
    return [frozenset(cover) for cover in made], list(groups.values())


def ranked(covers: Sequence[frozenset[int]], weights: Sequence[int], chosen: Iterable[int]) -> list[tuple[int, int, int]]:
    """The chosen, best first: (candidate, weight that it adds to those before it, points that it adds)."""
    waiting, covered = set(chosen), set[int]()
    found = []
    while waiting:
        best = min(waiting, key=lambda n: (-sum(weights[p] for p in covers[n] - covered), n))
        added = covers[best] - covered
        found.append((best, sum(weights[point] for point in added), len(added)))
        covered |= added
        waiting.remove(best)
    return found
