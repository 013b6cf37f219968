"""How alike texts are: the cosine of their runs of two to four characters, of which rare ones count most."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.models.text.grams import Keys, grams, plain

_TWO = np.uint64(1 << 16)
_COMMON = 0.05
_FIRST = 20


def fingerprint(text: str) -> Keys:
    """The distinct runs of two to four characters of a text, blanks and punctuation left out, sorted."""
    kept = "".join(character if character.isalnum() else " " for character in plain(text)[:4000])
    keys, _ = grams([plain(kept).replace(" ", "")])
    found: Keys = np.unique(keys)
    return found[found >= _TWO]


class Shelf:
    """Texts by their fingerprints, to be asked which of them are like another."""

    def __init__(self, fingerprints: Sequence[Keys]) -> None:
        self._keys = np.concatenate([*fingerprints, np.zeros(0, np.uint64)])
        self._owners = np.repeat(np.arange(len(fingerprints)), [len(each) for each in fingerprints])
        self._count = len(fingerprints)
        self._distinct, self._columns, df = np.unique(self._keys, return_inverse=True, return_counts=True)
        rare = df <= max(_FIRST, _COMMON * self._count)
        self._weight = np.where(rare, np.log((1 + self._count) / df) + 1, 0.0)
        self._length = np.sqrt(np.bincount(self._owners, self._weight[self._columns] ** 2, minlength=self._count))

    def likeness(self, asked: Keys) -> NDArray[np.float64]:
        """The likeness (0–1) of a text to each on the shelf."""
        if not len(self._keys) or not len(asked):
            return np.zeros(self._count)
        found = np.searchsorted(self._distinct, asked)
        found[found == len(self._distinct)] = 0
        known = self._distinct[found] == asked
        said = np.zeros(len(self._distinct))
        said[found[known]] = self._weight[found[known]]
        unknown = (np.log(1 + self._count) + 1) ** 2 * (~known).sum()
        length = np.sqrt((said**2).sum() + unknown)
        shared = np.bincount(self._owners, (said * self._weight)[self._columns], minlength=self._count)
        alike: NDArray[np.float64] = shared / np.maximum(self._length * length, 1e-9)
        return alike

    def pairs(self, least: float) -> list[tuple[int, int, float]]:
        """All pairs on the shelf that are at least so much alike, each once, the lower number first."""
        from scipy import sparse

        values = self._weight[self._columns] / np.maximum(self._length, 1e-9)[self._owners]
        matrix: Any = sparse.csr_matrix((values, (self._owners, self._columns)), shape=(self._count, len(self._distinct)))
        found: list[tuple[int, int, float]] = []
        for start in range(0, self._count, 500):
            block = (matrix[start : start + 500] @ matrix.T).tocoo()
            wanted = (block.data >= least) & (block.row + start < block.col)
            rows, columns, alike = block.row[wanted] + start, block.col[wanted], block.data[wanted]
            found += [(int(i), int(j), float(s)) for i, j, s in zip(rows, columns, alike, strict=True)]
        return found
