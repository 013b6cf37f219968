"""Patterns of one length, such as 1[3-9][0-9]{9}, as a table of the bytes that may stand at each place; others are for RE2."""

import re

import numpy as np
from numpy.typing import NDArray

_ATOM = r"(\[(?:[A-Za-z0-9](?:-[A-Za-z0-9])?)+\]|\\d|[A-Za-z0-9])(?:\{(\d{1,2})\})?"
_WHOLE = re.compile(f"(?:{_ATOM})+")
_LONGEST = 64


def table(pattern: str) -> NDArray[np.uint8] | None:
    """One row of 256 a place, 1 where a byte may stand there; None for a pattern that says more than that."""
    if not _WHOLE.fullmatch(pattern):
        return None
    rows: list[NDArray[np.uint8]] = []
    for atom, count in re.findall(_ATOM, pattern):
        allowed = np.zeros(256, np.uint8)
        for first, last in _ranges(atom):
            if first > last:
                return None
            allowed[ord(first) : ord(last) + 1] = 1
        rows += [allowed] * (int(count) if count else 1)
    return np.stack(rows) if 0 < len(rows) <= _LONGEST else None


def _ranges(atom: str) -> list[tuple[str, str]]:
    if atom == "\\d":
        return [("0", "9")]
    inside = atom[1:-1] if atom.startswith("[") else atom
    return [(one[0], one[-1]) for one in re.findall(r"[A-Za-z0-9](?:-[A-Za-z0-9])?", inside)]
