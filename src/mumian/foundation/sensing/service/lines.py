"""Lines of a CSV file: its header, and on which line its rows begin."""

import csv
import gzip
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from mumian.kernel.errors import Invalid

_DELIMITERS = ",;\t|"
_LONGEST_HEADER = 1_000_000
_CHUNK = 1 << 20
_END, _RETURN = ord("\n"), ord("\r")


def read_header(path: Path) -> tuple[list[str], str]:
    """The column names in the first line, and what parts them; raises Invalid when there is none to use."""
    with _open(path) as stream:
        try:
            line = stream.readline(_LONGEST_HEADER).decode("utf-8-sig").rstrip("\r\n")
        except (UnicodeDecodeError, OSError, EOFError) as error:
            raise Invalid.field("file", "sensing.import.line", reason=str(error)[:200]) from error
    delimiter = max(_DELIMITERS, key=line.count)
    header = next(csv.reader([line], delimiter=delimiter), [])
    names = [name.strip() for name in header]
    if not any(names) or len(set(names)) < len(names):
        raise Invalid.field("file", "sensing.import.line", reason="the first line must name the columns, each differently")
    return header, delimiter


def line_numbers(path: Path, rows: Sequence[int], unreadable: Collection[int], quoted: bool, count: int) -> list[int]:
    """The line (the header is 1) on which each of these rows begins; row 1 is the first that is neither blank nor unreadable.

    `count` is how many rows there are, unreadable lines and the header left out.
    """
    if not rows:
        return []
    if _one_line_each(path, 1 + count + len(unreadable)):
        return _counted(rows, sorted(unreadable))
    wanted, numbers, row = iter(rows), [], 0
    next_wanted = next(wanted, None)
    for line in _first_lines(path, quoted):
        if line == 1 or line in unreadable:
            continue
        row += 1
        if row == next_wanted:
            numbers.append(line)
            next_wanted = next(wanted, None)
            if next_wanted is None:
                break
    return numbers


def _one_line_each(path: Path, count: int) -> bool:
    """Whether there are as many lines as header, rows and unreadable lines: none is blank then, and no row goes over two."""
    if path.name.lower().endswith(".gz"):
        return False
    ends, returns, last = 0, 0, _END
    buffer = bytearray(_CHUNK)
    with path.open("rb", buffering=0) as stream:
        while read := stream.readinto(buffer):
            chunk = np.frombuffer(buffer, np.uint8, read)
            ends += int(np.count_nonzero(chunk == _END))
            returns += int(np.count_nonzero(chunk == _RETURN))
            last = int(chunk[-1])
    return ends + (last != _END) == count and returns in (0, ends)


def _counted(rows: Sequence[int], unreadable: Sequence[int]) -> list[int]:
    """Row 1 stands on line 2; each unreadable line before a row moves it one further."""
    numbers, passed = [], 0
    for row in rows:
        while passed < len(unreadable) and unreadable[passed] <= row + 1 + passed:
            passed += 1
        numbers.append(row + 1 + passed)
    return numbers


def _first_lines(path: Path, quoted: bool) -> Iterator[int]:
    """The number of each line that begins a row: not blank, and not inside a quoted value."""
    inside = False
    with _open(path) as stream:
        for number, line in enumerate(stream, start=1):
            if not inside and line.strip(b"\r\n"):
                yield number
            if quoted and line.count(b'"') % 2:
                inside = not inside


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.name.lower().endswith(".gz") else path.open("rb")
