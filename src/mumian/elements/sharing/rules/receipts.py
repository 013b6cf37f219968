"""Receipts: what is signed of a request, and the Merkle tree of RFC 9162 §2.1 over those that are signed together."""

from collections.abc import Sequence
from hashlib import sha256


def leaf(receipt_body: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 ‖ body)."""
    return sha256(b"\x00" + receipt_body).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves; needs at least one."""
    if len(leaves) == 1:
        return leaves[0]
    left = _split(len(leaves))
    return sha256(b"\x01" + root(leaves[:left]) + root(leaves[left:])).digest()


def paths(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The inclusion proof of every leaf (§2.1.3.1), from the leaf up."""
    if len(leaves) == 1:
        return [[]]
    left = _split(len(leaves))
    first, second = leaves[:left], leaves[left:]
    beside_first, beside_second = root(second), root(first)
    return [
        *([*path, beside_first] for path in paths(first)),
        *([*path, beside_second] for path in paths(second)),
    ]


def message(size: int, root_hex: str, time: str) -> bytes:
    """The bytes that the signatures of a tree of receipts cover; the root in hexadecimal, the time as ISO 8601 UTC."""
    return f"mumian-receipts/1\n{size}\n{root_hex}\n{time}\n".encode()


def request_digest(method: str, target: str, content: bytes) -> str:
    """SHA-256 of a request: method, target (path and query as sent), and SHA-256 of the body, a line each."""
    return sha256(f"{method}\n{target}\n{sha256(content).hexdigest()}\n".encode()).hexdigest()


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
