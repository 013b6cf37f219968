"""The functions of the engine without numba: Python is called with each vector, and numpy does the work on it."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.sharing.exchange.engine import duck
from mumian.elements.sharing.exchange.engine.judging import FIRST, FOUND, LAST, REJECTED, ROOM, SEEN, Judged
from mumian.foundation.cryptography.api import column_tokens

CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
Array = NDArray[Any]


class Vectors:
    """Vectors of DuckDB as arrays."""

    def __init__(self) -> None:
        self.library = duck.library()

    def size(self, chunk: int) -> int:
        """How many rows a chunk has."""
        return int(self.library.duckdb_data_chunk_get_size(chunk))

    def width(self, chunk: int) -> int:
        """How many columns a chunk has."""
        return int(self.library.duckdb_data_chunk_get_column_count(chunk))

    def column(self, chunk: int, number: int, kind: Any, each: int = 1) -> tuple[Array, NDArray[np.bool_]]:
        """A column's values and which of them are there."""
        vector, count = self.library.duckdb_data_chunk_get_vector(chunk, number), self.size(chunk)
        values = _array(self.library.duckdb_vector_get_data(vector), count * each, kind)
        mask = self.library.duckdb_vector_get_validity(vector)
        if not mask:
            return values, np.ones(count, np.bool_)
        return values, np.unpackbits(_array(mask, (count + 63) // 64 * 8, np.uint8), bitorder="little")[:count].astype(np.bool_)

    def answer(self, vector: int, count: int) -> Array:
        """The room for answers that are true or false."""
        return _array(self.library.duckdb_vector_get_data(vector), count, np.uint8)


def _array(address: int, count: int, kind: Any) -> Array:
    size = count * np.dtype(kind).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), kind) if size else np.empty(0, kind)


def address(call: Any) -> int:
    """Where the code of a function is."""
    return int(ctypes.cast(call, ctypes.c_void_p).value or 0)


def _guarded(vectors: Vectors, call: Any) -> Any:
    """What goes wrong in a function must end the query: ctypes would only print it."""

    def guarded(info: int, chunk: int, out: int) -> None:
        try:
            call(info, chunk, out)
        except Exception as error:
            vectors.library.duckdb_scalar_function_set_error(info, repr(error).encode())

    return guarded


def token(states: NDArray[np.uint32]) -> Any:
    """The token function under the key of these states; see `native.token`."""
    vectors = Vectors()

    def call(_: int, chunk: int, out: int) -> None:
        words, there = vectors.column(chunk, 0, np.uint64, 2)
        start = words.ctypes.data
        rows = np.flatnonzero(there)
        values = []
        for row in rows.tolist():
            length = int(words[2 * row]) & 0xFFFFFFFF
            values.append(ctypes.string_at(start + 16 * row + 4 if length <= 12 else int(words[2 * row + 1]), length))
        if len(rows) < len(there):
            vectors.library.duckdb_vector_ensure_validity_writable(out)
            mask = _array(vectors.library.duckdb_vector_get_validity(out), (len(there) + 63) // 64 * 8, np.uint8)
            mask[: (len(there) + 7) // 8] = np.packbits(there, bitorder="little")
        text = column_tokens(states, values).tobytes().hex().encode()
        for place, row in enumerate(rows.tolist()):
            vectors.library.duckdb_vector_assign_string_element_len(out, row, text[64 * place : 64 * place + 64], 64)

    return CALLBACK(_guarded(vectors, call))


def judge(judged: Judged) -> Any:
    """The judging function that fills `judged`; see `native.judge`."""
    vectors = Vectors()

    def call(_: int, chunk: int, out: int) -> None:
        numbers, _there = vectors.column(chunk, 0, np.int64)
        meant, known = vectors.column(chunk, 1, np.uint8)
        state = judged.state
        counted = (numbers >= state[FIRST]) & (numbers < state[LAST]) & (meant != 0) & known
        broken = judged.listed_bits(numbers)
        for column in range(2, vectors.width(chunk)):
            good, there = vectors.column(chunk, column, np.uint8)
            broken |= np.where((good == 0) & there, np.uint64(1 << (column - 2)), np.uint64(0))
        broken[~counted] = 0
        written = counted & ((broken & np.uint64(judged.rejecting)) == 0)
        vectors.answer(out, len(numbers))[:] = written
        wrong = np.flatnonzero(broken)
        at, room = int(state[FOUND]), int(state[ROOM])
        kept = wrong[: max(room - at, 0)]
        judged.rows[at : at + len(kept)], judged.bits[at : at + len(kept)] = numbers[kept], broken[kept]
        state[FOUND] += len(wrong)
        state[SEEN] += int(counted.sum())
        state[REJECTED] += int((counted & ~written).sum())

    return CALLBACK(_guarded(vectors, call))
