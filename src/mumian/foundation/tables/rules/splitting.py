"""Splitting: lines of delimited text into records, forgiving what people and programs do wrong with quotes."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MOST_LINES = 500
_MOST_CHARS = 1_000_000
_MOST_TRIES = 24


@dataclass(frozen=True)
class Dialect:
    """How cells are told apart: `quote` and `escape` may be empty; a doubled quote is one quote unless there is an `escape`.

    `padded`: one blank follows each delimiter and is no part of the cell.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    padded: bool = False


@dataclass(frozen=True)
class Record:
    """A row: the line that it begins on (the first is 1), its cells, and whether quotes in it had to be mended.

    `lost` says that it has values under no column, which are not among its cells.
    """

    line: int
    cells: list[str]
    mended: bool = False
    lost: bool = False


def split(lines: Iterable[str], dialect: Dialect, width: int | None = None, first: int = 1) -> Iterator[Record]:
    """Records of lines (with their ends); `width` is how many cells a row should have, where that is known."""
    source, number = iter(lines), first
    waiting: list[str] = []
    while True:
        raw = waiting.pop(0) if waiting else next(source, None)
        if raw is None:
            return
        line, begun = raw.rstrip("\r\n"), number
        number += 1
        if not dialect.quote or dialect.quote not in line:
            yield Record(begun, _plain(line, dialect))
            continue
        if _balanced(line, dialect):
            yield _one(begun, line, dialect, width)
            continue
        taken = _joined(raw, waiting, source, dialect)
        cells = None if taken is None else _strict("".join(taken).rstrip("\r\n"), dialect)
        alone = _mended(line, dialect, width)
        if taken is None or cells is None or (width is not None and len(cells) != width and len(alone) == width):
            waiting = ([] if taken is None else taken[1:]) + waiting
            yield Record(begun, alone, True)
            continue
        number += len(taken) - 1
        yield Record(begun, cells)


def _balanced(line: str, dialect: Dialect) -> bool:
    count = line.count(dialect.quote)
    if dialect.escape:
        count -= line.count(dialect.escape + dialect.quote)
    return count % 2 == 0


def _joined(raw: str, waiting: list[str], source: Iterator[str], dialect: Dialect) -> list[str] | None:
    """The line with those that close its open quote; None, with the lines put back, where none does in reach."""
    taken, chars = [raw], len(raw)
    while len(taken) < _MOST_LINES and chars < _MOST_CHARS:
        following = waiting.pop(0) if waiting else next(source, None)
        if following is None:
            break
        taken.append(following)
        chars += len(following)
        if not _balanced(following, dialect):
            return taken
    waiting[:0] = taken[1:]
    return None


def _one(begun: int, line: str, dialect: Dialect, width: int | None) -> Record:
    cells = _strict(line, dialect)
    if cells is not None and (width is None or len(cells) == width):
        return Record(begun, cells)
    alone = _mended(line, dialect, width)
    if cells is not None and (width is None or len(alone) != width):
        return Record(begun, cells)
    return Record(begun, alone, True)


def _plain(line: str, dialect: Dialect) -> list[str]:
    cells = line.split(dialect.delimiter)
    if dialect.escape and dialect.escape in line:
        cells = _strict(line, dialect) or cells
    return [cell.removeprefix(" ") for cell in cells] if dialect.padded else cells


def _strict(text: str, dialect: Dialect) -> list[str] | None:
    """The cells of a record whose quotes are as they should be; None for any other."""
    reader = csv.reader(
        text.splitlines(keepends=True) or [""],
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=not dialect.escape,
        escapechar=dialect.escape or None,
        skipinitialspace=dialect.padded,
        strict=True,
    )
    try:
        rows = list(reader)
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _mended(line: str, dialect: Dialect, width: int | None) -> list[str]:
    """The cells of a line with wrong quotes; openings are taken for plain characters in turn until the width is right."""
    best = tolerant(line, dialect, frozenset())
    if width is None or len(best) == width:
        return best
    openings = [i for i in range(len(line)) if _opens(line, i, dialect)][:_MOST_TRIES]
    for each in openings:
        cells = tolerant(line, dialect, frozenset((each,)))
        if len(cells) == width:
            return cells
        if len(cells) > width and (whole := _closed(cells, width, dialect)) is not None:
            return whole
    plain = line.split(dialect.delimiter)
    return plain if len(plain) == width else best


def _closed(cells: list[str], width: int, dialect: Dialect) -> list[str] | None:
    """Cells where those that a quote without end was meant to hold together are one again."""
    for i, cell in enumerate(cells):
        if cell.startswith(dialect.quote) and i + len(cells) - width < len(cells):
            end = i + len(cells) - width + 1
            return [*cells[:i], dialect.delimiter.join(cells[i:end]).removeprefix(dialect.quote), *cells[end:]]
    return None


def _opens(line: str, i: int, dialect: Dialect) -> bool:
    before = line[:i].rstrip(" ") if dialect.padded else line[:i]
    return line[i] == dialect.quote and (not before or before.endswith(dialect.delimiter))


def tolerant(line: str, dialect: Dialect, literal: frozenset[int]) -> list[str]:
    """Cells where a quote ends its cell only before a delimiter or the end; quotes that open at `literal` are characters."""
    cells: list[str] = []
    delimiter, quote, end, i = dialect.delimiter, dialect.quote, len(line), 0
    while True:
        while dialect.padded and i < end and line[i] == " ":
            i += 1
        if i < end and line[i] == quote and i not in literal:
            close = _closing(line, i + 1, dialect)
            if close >= 0:
                cells.append(_unescaped(line[i + 1 : close], dialect))
                i = close + 1
                if i >= end:
                    return cells
                i += 1
                if i >= end:
                    return [*cells, ""]
                continue
        stop = line.find(delimiter, i)
        if stop < 0:
            cells.append(line[i:])
            return cells
        cells.append(line[i:stop])
        i = stop + 1


def _closing(line: str, start: int, dialect: Dialect) -> int:
    """Where the quote stands that closes a cell: the first one right before a delimiter or the end; -1 for none."""
    at = start
    while (at := line.find(dialect.quote, at)) >= 0:
        escaped = bool(dialect.escape) and at > start and line[at - 1] == dialect.escape
        if not escaped and (at + 1 == len(line) or line[at + 1] == dialect.delimiter):
            return at
        at += 1
    return -1


def _unescaped(text: str, dialect: Dialect) -> str:
    return text.replace((dialect.escape or dialect.quote) + dialect.quote, dialect.quote)
