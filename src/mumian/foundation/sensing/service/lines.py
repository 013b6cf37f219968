"""Lines of a CSV file: its header, and on which line its rows begin."""

import csv
import gzip
import mmap
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from mumian.kernel.errors import Invalid

_DELIMITERS = ",;\t|"
_LONGEST_HEADER = 1_000_000


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


def line_numbers(path: Path, rows: Sequence[int], unreadable: Collection[int], quoted: bool) -> list[int]:
    """The line (the header is 1) on which each of these rows begins; row 1 is the first that is neither blank nor unreadable."""
    if not rows:
        return []
    if _one_line_each(path):
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


def _one_line_each(path: Path) -> bool:
    """Whether the file has neither quotes nor blank lines, so that rows can be counted instead of read."""
    if path.name.lower().endswith(".gz"):
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return all(content.find(sign) < 0 for sign in (b'"', b"\n\n", b"\n\r", b"\r\r")) and content[:1] not in (b"\n", b"\r")


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
