"""Hashes that come twice among very many, in bounded memory: parted by their first bits on disk, then part by part in a table."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
_BITS = 8
_PARTS = 1 << _BITS


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _parted(hashes: Any, starts: Any, out: Any) -> None:
    """Write hashes to `out` part after part; `starts` ends up where each part begins."""
    counts = np.zeros(_PARTS + 1, np.int64)
    for i in range(len(hashes)):
        counts[(hashes[i] >> np.uint64(64 - _BITS)) + np.uint64(1)] += 1
    for k in range(_PARTS):
        counts[k + 1] += counts[k]
    starts[:] = counts
    for i in range(len(hashes)):
        part = hashes[i] >> np.uint64(64 - _BITS)
        out[counts[part]] = hashes[i]
        counts[part] += 1


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _twice(hashes: Any, table: Any, found: Any) -> int:
    """The hashes that are there already when they come; `table` is empty (all zero) and larger than there are hashes."""
    last, count = np.uint64(len(table) - 1), 0
    for i in range(len(hashes)):
        value = hashes[i] | np.uint64(1)  # zero means free; two hashes that differ in this bit alone are looked at, that is all
        place = (value >> np.uint64(8)) & last
        while table[place] != 0 and table[place] != value:
            place = (place + np.uint64(1)) & last
        if table[place] == value:
            found[count] = value
            count += 1
        table[place] = value
    return count


def twice(batches: Iterable[Callable[[], Hashes]], folder: Path, threads: int) -> Hashes:
    """The hashes, with their last bit set, that come more than once in all batches together; `folder` takes what is parted.

    Batches are made and parted in `threads` threads, a few at a time.
    """
    names = [folder / f"hashes-{part:03d}" for part in range(_PARTS)]
    for name in names:
        name.unlink(missing_ok=True)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[tuple[Hashes, NDArray[np.int64]]]] = deque()
        for make in batches:
            waiting.append(pool.submit(_batch, make))
            if len(waiting) > threads:
                _append(names, *waiting.popleft().result())
        while waiting:
            _append(names, *waiting.popleft().result())
        found = list(pool.map(_of_part, names))
    for name in names:
        name.unlink(missing_ok=True)
    return np.unique(np.concatenate(found))


def _batch(make: Callable[[], Hashes]) -> tuple[Hashes, NDArray[np.int64]]:
    hashes = make()
    out, starts = np.empty_like(hashes), np.zeros(_PARTS + 1, np.int64)
    _parted(hashes, starts, out)
    return out, starts


def _append(names: list[Path], hashes: Hashes, starts: NDArray[np.int64]) -> None:
    for part, name in enumerate(names):
        with name.open("ab") as stream:
            stream.write(hashes[starts[part] : starts[part + 1]].data)


def _of_part(file: Path) -> Hashes:
    hashes = np.fromfile(file, np.uint64) if file.exists() else np.empty(0, np.uint64)
    size = 1 << max(len(hashes) * 2 - 1, 1).bit_length()
    found = np.empty(len(hashes), np.uint64)
    return found[: _twice(hashes, np.zeros(size, np.uint64), found)].copy()
