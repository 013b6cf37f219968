"""HMAC-SM3 compiled to machine code: sixteen values abreast, one in each lane of a vector register (needs numba).

Values are given by the addresses of their bytes, so that an engine's own buffers are read where they lie.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from mumian.foundation.cryptography.columns.plain import CONSTANTS

LANES = 16
_u32, _i64 = np.uint32, np.int64
_table = CONSTANTS


@intrinsic  # type: ignore[untyped-decorator]
def _big_endian(_: Any, address: Any) -> Any:
    """The four bytes at an address as a number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(32).as_pointer())
        return builder.bswap(builder.load(pointer, align=1))

    return types.uint32(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def byte_at(_: Any, address: Any) -> Any:
    """The byte at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], cgutils.voidptr_t))

    return types.uint8(types.uint64), generate


@njit(inline="always")  # type: ignore[untyped-decorator]
def _turned(x: Any, count: Any) -> Any:
    return _u32((x << _u32(count)) | (x >> _u32(32 - count)))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _expand(w: Any) -> None:
    for j in range(16, 68):
        for i in range(LANES):
            x = w[j - 16, i] ^ w[j - 9, i] ^ _turned(w[j - 3, i], 15)
            w[j, i] = x ^ _turned(x, 15) ^ _turned(x, 23) ^ _turned(w[j - 13, i], 7) ^ w[j - 6, i]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _compress(w: Any, s: Any, before: Any) -> None:
    """CF (GB/T 32905 §5.3) on sixteen lanes: the first 16 rows of `w` (68 × 16) are the blocks, `s` (8 × 16) the states.

    The loops over lanes stand in one function and branch outside: only so does the compiler make vector instructions of them.
    """
    _expand(w)
    for r in range(8):
        for i in range(LANES):
            before[r, i] = s[r, i]
    for j in range(64):
        constant = _table[j]
        if j < 16:
            for i in range(LANES):
                a, b, c, d, e, f, g, h = s[0, i], s[1, i], s[2, i], s[3, i], s[4, i], s[5, i], s[6, i], s[7, i]
                turned = _turned(a, 12)
                ss1 = _turned(_u32(turned + e + constant), 7)
                tt1 = _u32((a ^ b ^ c) + d + (ss1 ^ turned) + (w[j, i] ^ w[j + 4, i]))
                tt2 = _u32((e ^ f ^ g) + h + ss1 + w[j, i])
                s[3, i], s[2, i], s[1, i], s[0, i] = c, _turned(b, 9), a, tt1
                s[7, i], s[6, i], s[5, i], s[4, i] = g, _turned(f, 19), e, tt2 ^ _turned(tt2, 9) ^ _turned(tt2, 17)
        else:
            for i in range(LANES):
                a, b, c, d, e, f, g, h = s[0, i], s[1, i], s[2, i], s[3, i], s[4, i], s[5, i], s[6, i], s[7, i]
                turned = _turned(a, 12)
                ss1 = _turned(_u32(turned + e + constant), 7)
                tt1 = _u32(((a & b) | (a & c) | (b & c)) + d + (ss1 ^ turned) + (w[j, i] ^ w[j + 4, i]))
                tt2 = _u32(((e & f) | (~e & g)) + h + ss1 + w[j, i])
                s[3, i], s[2, i], s[1, i], s[0, i] = c, _turned(b, 9), a, tt1
                s[7, i], s[6, i], s[5, i], s[4, i] = g, _turned(f, 19), e, tt2 ^ _turned(tt2, 9) ^ _turned(tt2, 17)
    for r in range(8):
        for i in range(LANES):
            s[r, i] ^= before[r, i]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _fill(w: Any, lane: int, address: Any, length: int, block: int) -> None:
    """One block of a padded message into a lane; the state already holds one block, the key's."""
    for j in range(16):
        at = block * 64 + 4 * j
        if at + 4 <= length:
            w[j, lane] = _big_endian(address + np.uint64(at))
        elif at > length:
            w[j, lane] = _u32(0)
        else:
            word = _u32(0x80) << _u32(24 - 8 * (length - at))
            for k in range(length - at):
                word |= _u32(byte_at(address + np.uint64(at + k))) << _u32(24 - 8 * k)
            w[j, lane] = word
    if block == (length + 8) // 64:
        w[14, lane] = _u32((length + 64) >> 29)
        w[15, lane] = _u32((length + 64) << 3)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def hmac_lanes(addresses: Any, lengths: Any, key: Any, w: Any, s: Any, before: Any) -> None:
    """The HMAC of sixteen values into `s` (8 words a lane); `key` are the 16 words of `plain.states`, the rest room."""
    most = 0
    for i in range(LANES):
        most = max(most, (lengths[i] + 8) // 64)
        for r in range(8):
            s[r, i] = key[r]
    for block in range(most + 1):
        for i in range(LANES):
            _fill(w, i, addresses[i], lengths[i], block)
        _compress(w, s, before)
        if block < most or most > 0:
            _keep_finished(s, before, lengths, block)
    for i in range(LANES):
        for r in range(8):
            w[r, i] = s[r, i]
            s[r, i] = key[8 + r]
            w[8 + r, i] = _u32(0)
        w[8, i] = _u32(0x80000000)
        w[15, i] = _u32((64 + 32) * 8)
    _compress(w, s, before)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _keep_finished(s: Any, before: Any, lengths: Any, block: int) -> None:
    """Undo the compression in lanes whose message had ended before this block."""
    for i in range(LANES):
        if (lengths[i] + 8) // 64 < block:
            for r in range(8):
                s[r, i] = before[r, i]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def room() -> Any:
    """The working arrays of `hmac_lanes`: addresses, lengths, w, s, before."""
    return (
        np.zeros(LANES, np.uint64),
        np.zeros(LANES, np.int64),
        np.zeros((68, LANES), np.uint32),
        np.zeros((8, LANES), np.uint32),
        np.zeros((8, LANES), np.uint32),
    )


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _column(key: Any, start: Any, offsets: Any, out: Any) -> None:
    addresses, lengths, w, s, before = room()
    count = len(offsets) - 1
    for base in range(0, count, LANES):
        lanes = min(LANES, count - base)
        for i in range(lanes):
            addresses[i] = start + np.uint64(offsets[base + i])
            lengths[i] = offsets[base + i + 1] - offsets[base + i]
        for i in range(lanes, LANES):
            lengths[i] = 0
        hmac_lanes(addresses, lengths, key, w, s, before)
        for i in range(lanes):
            for r in range(8):
                for k in range(4):
                    out[base + i, 4 * r + k] = np.uint8((s[r, i] >> _u32(24 - 8 * k)) & _u32(255))


def column(key: NDArray[np.uint32], offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The HMAC of each value `data[offsets[i]:offsets[i + 1]]`: an array of 32 bytes a row."""
    out = np.empty((len(offsets) - 1, 32), np.uint8)
    _column(key, np.uint64(data.ctypes.data), offsets, out)
    return out
