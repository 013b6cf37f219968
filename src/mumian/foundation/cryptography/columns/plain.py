"""HMAC-SM3 (GB/T 32905, RFC 2104) over columns with numpy: one round at a time, for all values of a slab together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
BLOCK = 64
_SLAB = 4096  # words of so many values stay in a core's own cache
IV = np.array(
    [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E],
    np.uint32,
)


def _constant(round_: int) -> int:
    value, turn = (0x79CC4519 if round_ < 16 else 0x7A879D8A), round_ % 32
    return (value << turn | value >> (32 - turn)) & 0xFFFFFFFF


CONSTANTS = np.array([_constant(round_) for round_ in range(64)], np.uint32)


def states(key: bytes) -> Words:
    """The state of SM3 after the inner and after the outer key block: 8 words each; two compressions saved for every value."""
    if len(key) > BLOCK:
        key = digest(key)
    padded = np.frombuffer(key.ljust(BLOCK, b"\0"), np.uint8)
    blocks = np.stack([padded ^ np.uint8(0x36), padded ^ np.uint8(0x5C)])
    return compress(_words(blocks), np.repeat(IV[:, None], 2, 1)).T.reshape(16).copy()


def tokens(key_states: Words, values: Sequence[bytes]) -> NDArray[np.uint8]:
    """The HMAC of each value under the key of these states: an array of 32 bytes a row."""
    out = np.empty((len(values), 32), np.uint8)
    for start in range(0, len(values), _SLAB):
        part = values[start : start + _SLAB]
        inner = _digests(key_states[:8], part, BLOCK)
        padded = np.zeros((len(part), BLOCK), np.uint8)
        padded[:, :32] = inner
        _finish(padded, np.full(len(part), 32), BLOCK)
        outer = compress(_words(padded), np.repeat(key_states[8:, None], len(part), 1))
        out[start : start + len(part)] = _bytes(outer)
    return out


def digest(message: bytes) -> bytes:
    """SM3 of one message."""
    return bytes(_digests(IV, [message], 0)[0])


def _digests(start: Words, values: Sequence[bytes], before: int) -> NDArray[np.uint8]:
    """The digests of values of any length that follow `before` bytes which the state `start` already holds."""
    lengths = np.array([len(value) for value in values], np.int64)
    counts = (lengths + 9 + BLOCK - 1) // BLOCK
    width = int(counts.max(initial=1)) * BLOCK
    padded = np.frombuffer(b"".join(value.ljust(width, b"\0") for value in values), np.uint8).reshape(len(values), width).copy()
    _finish(padded, lengths, before)
    state = np.repeat(start[:, None], len(values), 1)
    for block in range(int(counts.max(initial=0))):
        moved = compress(_words(padded[:, block * BLOCK : (block + 1) * BLOCK]), state)
        state = np.where(counts > block, moved, state)
    return _bytes(state)


def _finish(padded: NDArray[np.uint8], lengths: NDArray[np.int64], before: int) -> None:
    """Put the bit 1 behind each message, and its length in bits at the end of its last block."""
    rows = np.arange(len(padded))
    padded[rows, lengths] = 0x80
    bits = ((lengths + before) * 8).astype(">u8").view(np.uint8).reshape(-1, 8)
    ends = (lengths + 9 + BLOCK - 1) // BLOCK * BLOCK
    for place in range(8):
        padded[rows, ends - 8 + place] = bits[:, place]


def compress(words: Words, state: Words) -> Words:
    """The compression function CF (GB/T 32905 §5.3) of `words` (16 × n) on `state` (8 × n): the next states."""
    w = np.empty((68, words.shape[1]), np.uint32)
    w[:16] = words
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ _turned(w[j - 3], 15)
        w[j] = x ^ _turned(x, 15) ^ _turned(x, 23) ^ _turned(w[j - 13], 7) ^ w[j - 6]
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        turned = _turned(a, 12)
        ss1 = _turned(turned + e + CONSTANTS[j], 7)
        ff, gg = (a ^ b ^ c, e ^ f ^ g) if j < 16 else ((a & b) | (c & (a | b)), ((f ^ g) & e) ^ g)
        tt1 = ff + d + (ss1 ^ turned) + (w[j] ^ w[j + 4])
        tt2 = gg + h + ss1 + w[j]
        a, b, c, d = tt1, a, _turned(b, 9), c
        e, f, g, h = tt2 ^ _turned(tt2, 9) ^ _turned(tt2, 17), e, _turned(f, 19), g
    return np.stack([a, b, c, d, e, f, g, h]) ^ state


def _turned(x: Words, count: int) -> Any:
    return (x << np.uint32(count)) | (x >> np.uint32(32 - count))


def _words(blocks: NDArray[np.uint8]) -> Words:
    return np.ascontiguousarray(blocks).view(">u4").astype(np.uint32).T


def _bytes(state: Words) -> NDArray[np.uint8]:
    return np.ascontiguousarray(state.T).astype(">u4").view(np.uint8)
