"""Assignment: the pairing of rows and columns with the least total cost (Hungarian method, Kuhn 1955, in O(n³))."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FORBIDDEN = 1e6


def assign(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs (row, column) of least total cost; pairs that cost `FORBIDDEN` or more are left out, rows come in order."""
    if not cost.size:
        return []
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, column) for column, row in assign(cost.T))
    row_of = _augment(cost.tolist())
    pairs = [(row, column) for column, row in enumerate(row_of) if row >= 0]
    return sorted((row, column) for row, column in pairs if cost[row, column] < FORBIDDEN)


def _augment(cost: Sequence[Sequence[float]]) -> list[int]:
    """Shortest augmenting paths with potentials; the row of each column, -1 where it stays free."""
    rows, columns = len(cost), len(cost[0])
    row_potential, column_potential = [0.0] * (rows + 1), [0.0] * (columns + 1)
    row_of = [0] * (columns + 1)
    for row in range(1, rows + 1):
        row_of[0] = row
        least, came, used = [float("inf")] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        at = 0
        while row_of[at]:
            used[at] = True
            here, delta, following = row_of[at], float("inf"), 0
            for column in range(1, columns + 1):
                if used[column]:
                    continue
                reduced = cost[here - 1][column - 1] - row_potential[here] - column_potential[column]
                if reduced < least[column]:
                    least[column], came[column] = reduced, at
                if least[column] < delta:
                    delta, following = least[column], column
            for column in range(columns + 1):
                if used[column]:
                    row_potential[row_of[column]] += delta
                    column_potential[column] -= delta
                else:
                    least[column] -= delta
            at = following
        while at:
            row_of[at] = row_of[came[at]]
            at = came[at]
    return [row - 1 for row in row_of[1:]]
