"""The Merkle tree of RFC 9162 §2.1: leaves, roots, inclusion and consistency proofs, and how to verify them.

Complete subtrees of 256, 65 536, … leaves ("tiles") are kept, so that a root or a proof reads few hashes however long the log is.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

TILE_LEVELS = 8
TILE = 1 << TILE_LEVELS
EMPTY_ROOT = sha256(b"").digest()

Fetch = Callable[[int, int, int], Sequence[bytes]]
"""`fetch(level, first, count)`: the hashes of complete subtrees of 2^level leaves; level is a multiple of 8, 0 for leaves."""
Node = tuple[int, int, bytes]


def leaf_hash(body: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 ‖ body)."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an interior node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a complete level: as many hashes as a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def head_message(size: int, root: str, time: str) -> bytes:
    """The bytes that the signatures of a tree head cover; `root` in hexadecimal, `time` as ISO 8601 UTC."""
    return f"mumian-ledger-head/1\n{size}\n{root}\n{time}\n".encode()


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first."""

    __slots__ = ("_edge", "size")

    def __init__(self, size: int = 0, edge: Sequence[bytes] = ()) -> None:
        self.size = size
        self._edge = list(edge)

    @classmethod
    def at(cls, fetch: Fetch, size: int) -> "Frontier":
        """The edge of the first `size` leaves of a stored tree."""
        edge, first = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                edge.append(range_hash(fetch, first, 1 << level))
                first += 1 << level
        return cls(size, edge)

    def append(self, leaf: bytes) -> list[Node]:
        """Add a leaf; returns the tiles that it completes, as (level, position, hash)."""
        node, level, done = leaf, 0, []
        while self.size >> level & 1:
            node = node_hash(self._edge.pop(), node)
            level += 1
            if level % TILE_LEVELS == 0:
                done.append((level, self.size >> level, node))
        self._edge.append(node)
        self.size += 1
        return done

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        total = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            total = node_hash(left, total)
        return total

    def copy(self) -> "Frontier":
        """The same edge, to go on from separately."""
        return Frontier(self.size, self._edge)


def range_hash(fetch: Fetch, first: int, count: int) -> bytes:
    """The root over the leaves [first, first + count), as they stand in the tree."""
    if count == 0:
        return EMPTY_ROOT
    if count & (count - 1) == 0 and first % count == 0:
        level = count.bit_length() - 1
        kept = level - level % TILE_LEVELS
        return fold(fetch(kept, first >> kept, count >> kept))
    left = _split(count)
    return node_hash(range_hash(fetch, first, left), range_hash(fetch, first + left, count - left))


def inclusion(fetch: Fetch, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves (§2.1.3.1); needs 0 ≤ index < size."""
    path: list[bytes] = []
    first, count = 0, size
    while count > 1:
        left = _split(count)
        if index - first < left:
            path.append(range_hash(fetch, first + left, count - left))
            count = left
        else:
            path.append(range_hash(fetch, first, left))
            first, count = first + left, count - left
    return path[::-1]


def consistency(fetch: Fetch, first_size: int, second_size: int) -> list[bytes]:
    """The proof that the tree of `first_size` leaves is the beginning of that of `second_size` (§2.1.4.1).

    Needs 0 < first_size ≤ second_size; the proof between equal sizes is empty.
    """
    path: list[bytes] = []
    first, count, old, whole = 0, second_size, first_size, True
    while old != count:
        left = _split(count)
        if old <= left:
            path.append(range_hash(fetch, first + left, count - left))
            count = left
        else:
            path.append(range_hash(fetch, first, left))
            first, count, old, whole = first + left, count - left, old - left, False
    if not whole:
        path.append(range_hash(fetch, first, count))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf to the root (§2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, total = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            total = node_hash(step, total)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            total = node_hash(total, step)
        here, last = here >> 1, last >> 1
    return last == 0 and total == root


def verify_consistency(first_size: int, first_root: bytes, second_size: int, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the second tree continues the first (§2.1.4.2)."""
    if not 0 < first_size <= second_size:
        return False
    if first_size == second_size:
        return not path and first_root == second_root
    steps = [first_root, *path] if first_size & (first_size - 1) == 0 else list(path)
    if not steps:
        return False
    here, last = first_size - 1, second_size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = node_hash(new, step)
        here, last = here >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
