"""Facts: what must be known of every stream before an observation is taken, as arrays by stream id."""

import numpy as np

from mumian.foundation.sensing import store
from mumian.foundation.sensing.contracts import MEASUREMENT, Int64
from mumian.foundation.sensing.service.results import ANY, KINDS, MULTI
from mumian.kernel.unit_of_work import Row, Session

_PAGE = 50_000


class Facts:
    """By stream id: whether it takes observations, its valid range, the feature it has moved to (0: none), its kind of result.

    `bounded`, `moving` and `kinded` tell whether any stream has a range, has moved, or is no plain measurement; `deleted` are the
    ids of deleted streams, sorted.
    """

    def __init__(self) -> None:
        self.open = np.zeros(1, np.bool_)
        self.minimum, self.maximum = np.full(1, -np.inf), np.full(1, np.inf)
        self.moved: Int64 = np.zeros(1, np.int64)
        self.kinds = np.full(1, KINDS[MEASUREMENT], np.int8)
        self.bounded = self.moving = self.kinded = False
        self.deleted: Int64 = np.empty(0, np.int64)

    @staticmethod
    def read(session: Session) -> "Facts":
        """The facts of all streams; only those that are special in any way are read one by one."""
        facts, after = Facts(), 0
        facts.make_room(store.highest(session))
        facts.deleted = np.array(store.deleted(session), np.int64)
        facts.open[facts.deleted] = False
        while rows := store.special(session, after, _PAGE):
            for row in rows:
                facts.set(row["id"], row)
            after = rows[-1]["id"]
        return facts

    def make_room(self, highest: int) -> None:
        """Have a place for every id up to `highest`; new ones are open, unbounded, unmoved measurements."""
        missing = highest + 1 - len(self.open)
        if missing > 0:
            self.open = np.append(self.open, np.ones(missing, np.bool_))
            self.minimum = np.append(self.minimum, np.full(missing, -np.inf))
            self.maximum = np.append(self.maximum, np.full(missing, np.inf))
            self.moved = np.append(self.moved, np.zeros(missing, np.int64))
            self.kinds = np.append(self.kinds, np.full(missing, KINDS[MEASUREMENT], np.int8))

    def set(self, number: int, row: Row | None) -> None:
        """Take note of one stream; None: it is deleted."""
        if row is None:
            self.open[number] = False
            self.deleted = np.union1d(self.deleted, [number]).astype(np.int64)
            return
        minimum, maximum, moved = row["minimum"], row["maximum"], row["moved_to"]
        kind = MULTI if row["multi"] else KINDS.get(row["observation_type"], ANY)
        self.open[number] = not row["retired"]
        self.minimum[number] = -np.inf if minimum is None else minimum
        self.maximum[number] = np.inf if maximum is None else maximum
        self.moved[number], self.kinds[number] = moved or 0, kind
        self.bounded = self.bounded or minimum is not None or maximum is not None
        self.moving, self.kinded = self.moving or moved is not None, self.kinded or kind > 0
