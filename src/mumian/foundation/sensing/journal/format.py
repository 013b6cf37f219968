"""The journal's bytes: records with length, checksum and columns, so that a torn end is told from damage.

A segment begins with `MUMJRNL1` and the sequence number of its first record (8 bytes). All numbers are little-endian. A record:

    4  length of the body in bytes       4  CRC-32 of everything after this field
    8  sequence number                   8  id of the first row
    8  time received, µs since 1970      4  rows          4  length of the answers in bytes
    body: answers (MessagePack), then the columns streams, times, results, result times, 8 bytes a value
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.sensing.contracts import Observations

MAGIC = b"MUMJRNL1"
SEGMENT_HEADER = struct.Struct("<8sq")
_HEADER = struct.Struct("<IIqqqII")
_CHECKED_FROM = 8
_COLUMNS = (("streams", "<i8"), ("times", "<i8"), ("results", "<f8"), ("result_times", "<i8"))


class Answer(msgspec.Struct, array_like=True):
    """What a request with an Idempotency-Key was told: digest of the request, ids (first and count, if they follow), repeats."""

    key: str
    digest: str
    ids: list[int]
    count: int
    repeated: int
    time: int


@dataclass(frozen=True)
class Record:
    """What one group commit recorded: new rows with following ids, and answers."""

    sequence: int
    first_id: int
    received: int
    rows: Observations
    answers: list[Answer] = field(default_factory=list)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Answer]).decode


def encode(record: Record) -> list[Any]:
    """The record as buffers to be written one after another."""
    answers = _encode(record.answers) if record.answers else b""
    columns = [np.ascontiguousarray(getattr(record.rows, name), dtype).data.cast("B") for name, dtype in _COLUMNS]
    body = len(answers) + sum(len(column) for column in columns)
    header = _HEADER.pack(body, 0, record.sequence, record.first_id, record.received, len(record.rows), len(answers))
    checksum = zlib.crc32(answers, zlib.crc32(header[_CHECKED_FROM:]))
    for column in columns:
        checksum = zlib.crc32(column, checksum)
    return [header[:4], struct.pack("<I", checksum), header[_CHECKED_FROM:], answers, *columns]


def decode(content: memoryview, at: int) -> tuple[Record, int] | None:
    """The record that begins at offset `at`, and where the next begins; None where no whole, sound record begins."""
    end_of_header = at + _HEADER.size
    if end_of_header > len(content):
        return None
    length, checksum, sequence, first_id, received, count, answers_length = _HEADER.unpack(content[at:end_of_header])
    end = end_of_header + length
    if end > len(content) or length != answers_length + count * 8 * len(_COLUMNS):
        return None
    if zlib.crc32(content[at + _CHECKED_FROM : end]) != checksum:
        return None
    answers = _decode(content[end_of_header : end_of_header + answers_length]) if answers_length else []
    columns: dict[str, Any] = {"ids": np.arange(first_id, first_id + count, dtype=np.int64)}
    start = end_of_header + answers_length
    for name, dtype in _COLUMNS:
        columns[name] = np.frombuffer(content[start : start + 8 * count], dtype).copy()
        start += 8 * count
    return Record(sequence, first_id, received, Observations(**columns), answers), end


def claimed_end(content: memoryview, at: int) -> int | None:
    """Where the record at `at` says that it ends, sound or not; None where the bytes do not reach so far."""
    if at + _HEADER.size > len(content):
        return None
    end = at + _HEADER.size + int(_HEADER.unpack(content[at : at + _HEADER.size])[0])
    return end if end < len(content) else None
