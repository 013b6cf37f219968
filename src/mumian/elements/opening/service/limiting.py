"""Limiting: how many requests an address or a key may send in a while, counted in memory."""

import time
from collections import OrderedDict

from mumian.kernel.errors import TooMany

_MOST = 50_000


class Buckets:
    """Each key may spend `most` in `seconds`, and gains what it spent back evenly; old keys are forgotten."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._gain = most / seconds
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Spend one; raises TooMany with the seconds to wait."""
        now = time.monotonic()
        left, at = self._left.pop(key, (float(self._most), now))
        left = min(float(self._most), left + (now - at) * self._gain)
        allowed = left >= 1
        self._left[key] = (left - 1 if allowed else left, now)
        while len(self._left) > _MOST:
            self._left.popitem(last=False)
        if not allowed:
            raise TooMany(seconds=max(1, round((1 - left) / self._gain)))
