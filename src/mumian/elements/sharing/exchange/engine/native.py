"""The functions of the engine as compiled code (needs numba): tokens, checks and judgements on DuckDB's own vectors."""

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import carray, cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from mumian.elements.sharing.exchange.engine import duck
from mumian.elements.sharing.exchange.engine.judging import (
    BITS,
    FIRST,
    FOUND,
    LAST,
    LISTED,
    LISTED_BITS,
    LISTED_COUNT,
    REJECTED,
    REJECTING,
    ROOM,
    ROWS,
    SEEN,
)
from mumian.foundation.cryptography.api import compiled_tokens

_kernels = compiled_tokens()
LANES = _kernels.LANES
hmac_lanes, room, byte_at = _kernels.hmac_lanes, _kernels.room, _kernels.byte_at
llvm.load_library_permanently(duck.library()._name)  # noqa: SLF001 - the path that ctypes opened

_void, _size = types.voidptr, types.uint64
_External = types.ExternalFunction
chunk_size = _External("duckdb_data_chunk_get_size", _size(_void))
chunk_columns = _External("duckdb_data_chunk_get_column_count", _size(_void))
chunk_vector = _External("duckdb_data_chunk_get_vector", _void(_void, _size))
vector_data = _External("duckdb_vector_get_data", _void(_void))
vector_validity = _External("duckdb_vector_get_validity", _void(_void))
vector_writable = _External("duckdb_vector_ensure_validity_writable", types.void(_void))
vector_assign = _External("duckdb_vector_assign_string_element_len", types.void(_void, _size, _void, _size))
extra_info = _External("duckdb_scalar_function_get_extra_info", _void(_void))
SIGNATURE = types.void(_void, _void, _void)
_HEX = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)
_CHECKS = np.frombuffer(b"10X98765432", np.uint8)
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], np.int64)
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(_: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return _void(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def _address(_: Any, pointer: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], ir.IntType(64))

    return types.uint64(_void), generate


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _validity(vector: Any, count: int) -> Any:
    """The validity mask of a vector; an empty array where all values are there."""
    found = vector_validity(vector)
    words = (count + 63) // 64 if _address(found) != 0 else 0
    return carray(found, (words,), np.uint64)


@njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _there(mask: Any, i: int) -> Any:
    return len(mask) == 0 or (mask[i >> 6] >> np.uint64(i & 63)) & np.uint64(1) != 0


@njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def _text_at(start: Any, words: Any, i: int) -> Any:
    """Address and length of a text: up to 12 bytes stand in the vector itself (duckdb_string_t)."""
    length = np.int64(words[2 * i] & np.uint64(0xFFFFFFFF))
    return (start + np.uint64(16 * i + 4) if length <= 12 else words[2 * i + 1]), length


@cfunc(SIGNATURE, cache=True)  # type: ignore[untyped-decorator]
def token(info: Any, chunk: Any, out: Any) -> None:
    """HMAC-SM3 of a text in hexadecimal; the information is the 16 words of the key."""
    count = np.int64(chunk_size(chunk))
    key = carray(extra_info(info), (16,), np.uint32)
    vector = chunk_vector(chunk, _size(0))
    data = vector_data(vector)
    start, words = _address(data), carray(data, (2 * count,), np.uint64)
    mask = _validity(vector, count)
    if len(mask):
        vector_writable(out)
        target = carray(vector_validity(out), (len(mask),), np.uint64)
        for k in range(len(mask)):
            target[k] = mask[k]
    addresses, lengths, w, s, before = room()
    text = np.empty(32, np.uint16)
    for base in range(0, count, LANES):
        for lane in range(LANES):
            lengths[lane] = 0
            if base + lane < count and _there(mask, base + lane):
                addresses[lane], lengths[lane] = _text_at(start, words, base + lane)
        hmac_lanes(addresses, lengths, key, w, s, before)
        for lane in range(min(LANES, count - base)):
            if _there(mask, base + lane):
                for r in range(8):
                    for k in range(4):
                        text[4 * r + k] = _HEX[(s[r, lane] >> np.uint32(24 - 8 * k)) & np.uint32(255)]
                vector_assign(out, _size(base + lane), text.ctypes, _size(64))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _is_id_card(address: Any, length: int) -> Any:
    """GB 11643-1999: six digits of a division, a date that there was, three digits, and the check of ISO 7064 MOD 11-2."""
    if length != 18:
        return False
    total, number = np.int64(0), np.int64(0)
    for i in range(17):
        digit = np.int64(byte_at(address + np.uint64(i))) - 48
        if digit < 0 or digit > 9:
            return False
        total += digit * _WEIGHTS[i]
        if 6 <= i < 14:
            number = number * 10 + digit
    year, month, day = number // 10000, number // 100 % 100, number % 100
    if byte_at(address) == 48 or year < 1800 or year > 2099 or month < 1 or month > 12 or day < 1:
        return False
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= _DAYS[month - 1] + (1 if leap else 0) and byte_at(address + np.uint64(17)) == _CHECKS[total % 11]


@cfunc(SIGNATURE, cache=True)  # type: ignore[untyped-decorator]
def id_card(_: Any, chunk: Any, out: Any) -> None:
    """Whether a text is an ID card number; true where there is none."""
    count = np.int64(chunk_size(chunk))
    vector = chunk_vector(chunk, _size(0))
    data = vector_data(vector)
    start, words = _address(data), carray(data, (2 * count,), np.uint64)
    mask = _validity(vector, count)
    answer = carray(vector_data(out), (count,), np.uint8)
    for i in range(count):
        address, length = _text_at(start, words, i)
        answer[i] = not _there(mask, i) or _is_id_card(address, length)


@cfunc(SIGNATURE, cache=True)  # type: ignore[untyped-decorator]
def pattern(info: Any, chunk: Any, out: Any) -> None:
    """Whether a text has at each place a byte that its table allows; true where there is none. Before the table, its length."""
    count = np.int64(chunk_size(chunk))
    places = np.int64(carray(extra_info(info), (1,), np.int64)[0])
    table = carray(_pointer(_address(extra_info(info)) + np.uint64(8)), (places, 256), np.uint8)
    vector = chunk_vector(chunk, _size(0))
    data = vector_data(vector)
    start, words = _address(data), carray(data, (2 * count,), np.uint64)
    mask = _validity(vector, count)
    answer = carray(vector_data(out), (count,), np.uint8)
    for i in range(count):
        answer[i] = 1
        if _there(mask, i):
            address, length = _text_at(start, words, i)
            answer[i] = length == places
            for k in range(places if length == places else 0):
                answer[i] &= table[k, byte_at(address + np.uint64(k))]


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _listed(rows: Any, bits: Any, row: int) -> Any:
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle] < row:
            low = middle + 1
        else:
            high = middle
    return bits[low] if low < len(rows) and rows[low] == row else np.uint64(0)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add_broken(chunk: Any, count: int, broken: Any) -> None:
    """For each rule, an argument from the third on, its bit to the rows for which it is false; unknown is not false."""
    for column in range(2, np.int64(chunk_columns(chunk))):
        vector = chunk_vector(chunk, _size(column))
        good = carray(vector_data(vector), (count,), np.uint8)
        mask = _validity(vector, count)
        bit = np.uint64(1) << np.uint64(column - 2)
        if len(mask) == 0:
            for i in range(count):
                broken[i] |= bit * np.uint64(good[i] == 0)
        else:
            for i in range(count):
                if good[i] == 0 and _there(mask, i):
                    broken[i] |= bit


@cfunc(SIGNATURE, cache=True)  # type: ignore[untyped-decorator]
def judge(info: Any, chunk: Any, out: Any) -> None:
    """Whether a row is to be written; notes the rules that it breaks. Arguments: number, whether it counts at all, rules."""
    count = np.int64(chunk_size(chunk))
    state = carray(extra_info(info), (12,), np.int64)
    rows = carray(_pointer(np.uint64(state[ROWS])), (state[ROOM],), np.int64)
    bits = carray(_pointer(np.uint64(state[BITS])), (state[ROOM],), np.uint64)
    listed = carray(_pointer(np.uint64(state[LISTED])), (state[LISTED_COUNT],), np.int64)
    listed_bits = carray(_pointer(np.uint64(state[LISTED_BITS])), (state[LISTED_COUNT],), np.uint64)
    numbers = carray(vector_data(chunk_vector(chunk, _size(0))), (count,), np.int64)
    meant_vector = chunk_vector(chunk, _size(1))
    meant, meant_mask = carray(vector_data(meant_vector), (count,), np.uint8), _validity(meant_vector, count)
    answer = carray(vector_data(out), (count,), np.uint8)
    broken = np.zeros(count, np.uint64)
    _add_broken(chunk, count, broken)
    rejecting = np.uint64(state[REJECTING])
    for i in range(count):
        row = numbers[i]
        if row < state[FIRST] or row >= state[LAST] or meant[i] == 0 or not _there(meant_mask, i):
            answer[i] = 0
            continue
        state[SEEN] += 1
        wrong = broken[i] | (_listed(listed, listed_bits, row) if len(listed) else np.uint64(0))
        answer[i] = (wrong & rejecting) == 0
        if wrong:
            if state[FOUND] < state[ROOM]:
                rows[state[FOUND]], bits[state[FOUND]] = row, wrong
            state[FOUND] += 1
            state[REJECTED] += np.int64(answer[i] == 0)
