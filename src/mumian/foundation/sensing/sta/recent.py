"""Recent observations from memory: the newest of a stream, where memory reaches back far enough to know them all."""

from dataclasses import dataclass

import numpy as np

from mumian.foundation.sensing.contracts import NONE, Observations


@dataclass(frozen=True, eq=False)
class Recent:
    """The newest rows of a stream, newest first (by time, then id), and whether there are older ones."""

    rows: Observations
    more: bool


def newest_first(held: Observations, complete: int, top: int, after: tuple[int, int] | None) -> Recent | None:
    """The `top` newest of one stream's rows that are older than `after` (time and id).

    From the time `complete` on all observations of the stream are held (`NONE`: simply all are). None: that is not enough.
    """
    rows = np.arange(len(held))
    times = held.times
    if complete != NONE:
        rows = rows[times >= complete]
        times = held.times[rows]
    if after is not None:
        rows = rows[(times < after[0]) | ((times == after[0]) & (held.ids[rows] < after[1]))]
        times = held.times[rows]
    if complete != NONE and len(rows) <= top:
        return None
    if len(rows) > 1 and (times[1:] > times[:-1]).all():
        order = np.arange(len(rows) - 1, -1, -1)
    else:
        order = np.lexsort((held.ids[rows], times))[::-1]
    return Recent(held.take(rows[order[:top]]), len(rows) > top)
