"""Flags: the bits by which an observation's quality is doubted, and their names."""

import numpy as np
from numpy.typing import NDArray

OUT_OF_RANGE, STUCK, SPIKE, CLOCK_DRIFT, AFTER_GAP, MANUAL = 1, 2, 4, 8, 16, 32
NAMES = {
    OUT_OF_RANGE: "out-of-range",
    STUCK: "stuck",
    SPIKE: "spike",
    CLOCK_DRIFT: "clock-drift",
    AFTER_GAP: "after-gap",
    MANUAL: "manual",
}
# That nothing came for a while before says nothing against the value itself.
DOUBTFUL = OUT_OF_RANGE | STUCK | SPIKE | CLOCK_DRIFT | MANUAL


def names_of(flags: int) -> list[str]:
    """The names of the bits that are set."""
    return [name for bit, name in NAMES.items() if flags & bit]


def good(flags: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which observations nothing speaks against."""
    mask: NDArray[np.bool_] = (flags & DOUBTFUL) == 0
    return mask
