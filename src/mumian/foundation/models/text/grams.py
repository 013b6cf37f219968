"""Runs of one to four characters as exact 64-bit numbers, many texts at once: no dictionary of words, no hash."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST = 4
MOST_CHARACTERS = 20_000
Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]
_OUTSIDE = 0xFFFD


def plain(text: str) -> str:
    """A text as it is read: compatibility forms folded (full-width letters), lower case, blanks single, a blank at both ends.

    What stands beyond 20,000 characters is not read.
    """
    folded = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).lower().replace("\0", " ")
    return f" {' '.join(folded.split())} "


def grams(texts: Sequence[str]) -> tuple[Keys, Numbers]:
    """The keys of all runs in texts made `plain`, and for each key the position of its text.

    A key holds up to four characters of 16 bits, the last in the lowest bits; characters beyond U+FFFF count as U+FFFD.
    """
    codes = np.frombuffer("\0".join([*texts, ""]).encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    codes[codes > 0xFFFF] = _OUTSIDE
    ends = np.flatnonzero(codes == 0)
    owner = np.repeat(np.arange(len(texts)), np.diff(ends, prepend=-1))
    key, whole = np.zeros_like(codes), np.ones(len(codes), dtype=bool)
    keys, owners = [], []
    for length in range(LONGEST):
        following = np.zeros_like(codes)
        following[: max(0, len(codes) - length)] = codes[length:]
        whole &= following != 0
        key = (key << np.uint64(16)) | following
        keys.append(key[whole])
        owners.append(owner[whole])
    return np.concatenate(keys), np.concatenate(owners)


def spelled(key: int) -> str:
    """The characters of a key."""
    return "".join(chr(code) for code in ((key >> shift) & 0xFFFF for shift in (48, 32, 16, 0)) if code)
