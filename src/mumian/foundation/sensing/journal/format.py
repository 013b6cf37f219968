"""The journal's bytes: records with length, checksum and columns, so that a torn end is told from damage.

A segment begins with `MUMJRNL2` and the sequence number of its first record (8 bytes). All numbers are little-endian. A record:

    4  length of the body in bytes       4  CRC-32 of everything after this field
    8  sequence number                   8  id of the first row
    8  time received, µs since 1970      4  rows          4  length of the answers in bytes
    body: answers (MessagePack), then the columns streams, times, results, result times, 8 bytes a value,
          then, where any row has flags or details, the extras (MessagePack)

Segments that begin with `MUMJRNL1` are of the time before there were extras, and are read as well.
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.sensing.contracts import Int64, Observations, Texts

MAGIC = b"MUMJRNL2"
KNOWN = (MAGIC, b"MUMJRNL1")
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


class Extras(msgspec.Struct, array_like=True):
    """What few rows have: the column of flags (empty: all are 0), and the details with the rows that they belong to."""

    flags: bytes
    rows: list[int]
    details: list[str]


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
_decode_extras = msgspec.msgpack.Decoder(Extras).decode


def encode(record: Record) -> list[Any]:
    """The record as buffers to be written one after another."""
    answers = _encode(record.answers) if record.answers else b""
    columns = [np.ascontiguousarray(getattr(record.rows, name), dtype).data.cast("B") for name, dtype in _COLUMNS]
    extras = _extras(record.rows)
    if extras:
        columns.append(memoryview(extras))
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
    if end > len(content) or length < answers_length + count * 8 * len(_COLUMNS):
        return None
    if zlib.crc32(content[at + _CHECKED_FROM : end]) != checksum:
        return None
    answers = _decode(content[end_of_header : end_of_header + answers_length]) if answers_length else []
    columns: dict[str, Any] = {"ids": np.arange(first_id, first_id + count, dtype=np.int64)}
    start = end_of_header + answers_length
    for name, dtype in _COLUMNS:
        columns[name] = np.frombuffer(content[start : start + 8 * count], dtype).copy()
        start += 8 * count
    if start < end:
        columns["flags"], columns["details"] = _columns(_decode_extras(content[start:end]), count)
    return Record(sequence, first_id, received, Observations(**columns), answers), end


def _extras(rows: Observations) -> bytes:
    """The extras of rows; empty where there are none."""
    flagged = bool(rows.flags.any())
    if not flagged and rows.details is None:
        return b""
    places = [] if rows.details is None else [row for row, text in enumerate(rows.details) if text is not None]
    texts = [] if rows.details is None else [rows.details[row] for row in places]
    return _encode(Extras(np.ascontiguousarray(rows.flags, "<i8").tobytes() if flagged else b"", places, texts))


def _columns(extras: Extras, count: int) -> tuple[Int64, Texts | None]:
    flags = np.frombuffer(extras.flags, "<i8").astype(np.int64) if extras.flags else np.zeros(count, np.int64)
    if not extras.rows:
        return flags, None
    details = np.full(count, None, np.object_)
    details[extras.rows] = extras.details
    return flags, details


def claimed_end(content: memoryview, at: int) -> int | None:
    """Where the record at `at` says that it ends, sound or not; None where the bytes do not reach so far."""
    if at + _HEADER.size > len(content):
        return None
    end = at + _HEADER.size + int(_HEADER.unpack(content[at : at + _HEADER.size])[0])
    return end if end < len(content) else None
