"""What judging rows fills: which rows break which rules, and how many were seen; laid out so that compiled code can write it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Places in `state`: addresses, bounds and counts that compiled code reads and writes.
ROWS, BITS, FIRST, LAST, SEEN, FOUND, REJECTED, REJECTING, LISTED, LISTED_BITS, LISTED_COUNT, ROOM = range(12)
_FULL = (1 << 64) - 1


class Judged:
    """The faults of one chunk: `rows` and `bits` (bit k: rule k is broken) of the rows that break any rule.

    `rejecting` has the bits of the rules for which a row is not written.
    """

    def __init__(self, room: int, rejecting: int) -> None:
        self._room = room
        self.rejecting = rejecting
        self.rows = np.zeros(room, np.int64)
        self.bits = np.zeros(room, np.uint64)
        self.state = np.zeros(12, np.int64)
        self._listed: Any = None

    def begin(self, first: int, last: int, listed: NDArray[np.int64], listed_bits: NDArray[np.uint64]) -> None:
        """Begin with the rows [first, last); the rows `listed`, in order, break the rules of their bits whatever they hold."""
        self._listed = (np.ascontiguousarray(listed), np.ascontiguousarray(listed_bits))
        self.state[:] = 0
        self.state[ROWS], self.state[BITS] = self.rows.ctypes.data, self.bits.ctypes.data
        self.state[FIRST], self.state[LAST], self.state[ROOM] = first, last, self._room
        self.state.view(np.uint64)[REJECTING] = self.rejecting & _FULL
        self.state[LISTED], self.state[LISTED_BITS] = self._listed[0].ctypes.data, self._listed[1].ctypes.data
        self.state[LISTED_COUNT] = len(listed)

    def listed_bits(self, numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The bits of the rules that rows of these numbers break because they are listed."""
        listed, bits = self._listed
        if not len(listed):
            return np.zeros(len(numbers), np.uint64)
        places = np.minimum(np.searchsorted(listed, numbers), len(listed) - 1)
        return np.where(listed[places] == numbers, bits[places], np.uint64(0))

    @property
    def seen(self) -> int:
        """How many rows were judged."""
        return int(self.state[SEEN])

    @property
    def rejected(self) -> int:
        """How many of them are not written."""
        return int(self.state[REJECTED])

    def found(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """The rows that break rules, and which."""
        count = int(self.state[FOUND])
        if count > self._room:
            raise OverflowError(f"{count} faults, room for {self._room}")
        order = np.argsort(self.rows[:count], kind="stable")
        return self.rows[:count][order], self.bits[:count][order]
