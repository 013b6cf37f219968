"""Guessing: how a file of delimited text is to be read, with what else it could be, to be shown to a person and confirmed."""

import codecs
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mumian.foundation.tables.contracts import Dialect, Guess, Record
from mumian.foundation.tables.rules import blocks, dialects, encodings
from mumian.foundation.tables.rules.alignment import Aligner
from mumian.foundation.tables.rules.kinds import column_type
from mumian.foundation.tables.rules.splitting import split
from mumian.kernel.errors import Fault, Invalid, Malformed

_SAMPLE = 1 << 20
_LINES = 400
_RECORDS = 20_000
_TYPED = 1000
_LONGEST = 4 << 20


def guess(path: Path, encoding: str | None = None, dialect: Dialect | None = None, header: int | None = None) -> Guess:
    """How to read a file of delimited text; what is given (`header`: its line, 0 for none) is kept, the rest guessed.

    Raises Malformed for what is no text, Invalid for an empty file or an unknown encoding.
    """
    with path.open("rb") as stream:
        sample = stream.read(_SAMPLE)
        whole = not stream.read(1)
    ranks = encodings.ranked(sample, not whole)
    if not sample.strip():
        raise Invalid.field("file", "tables.empty")
    if encoding is None:
        if not ranks:
            raise Malformed(Fault("file", "tables.encoding", {}))
        encoding = ranks[0][0]
    lines = _lines(sample, encoding, whole)
    spoken = [line for line in lines if line.strip()]
    ordered = dialects.ranked(spoken[:_LINES])
    chosen = dialect or ordered[0][0]
    records = list(split(lines[:_RECORDS], chosen))
    width = dialects.usual_width(records)
    records = list(split(lines[:_RECORDS], chosen, width))
    found = blocks.find(records, header)
    if not found:
        raise Invalid.field("file", "tables.empty")
    made = Guess(encoding, chosen, found, [], tuple(ranks[:5]), tuple(_distinct(ordered)), whole and len(lines) <= _RECORDS)
    return replace(made, types=_types(records, made))


def rows(path: Path, told: Guess, table: int) -> Iterator[Record]:
    """The rows of one table of a file as told, one by one: never more than a row in memory. Each has a cell for every column.

    A row that had to be mended or moved says so, and one that has values under no column. Raises Malformed where the encoding
    does not hold for the whole file.
    """
    block = told.blocks[table]
    width = max(block.width, len(block.headers))
    aligner = _aligner(path, told, table, width)
    ends = block.last if table < len(told.blocks) - 1 or (told.whole and block.last) else None
    heads = set(block.header_lines)
    begins = max([block.first, *(line + 1 for line in heads)])
    for record in split(_text(path, told.encoding), told.dialect, block.width):
        if record.line < begins or record.line in heads:
            continue
        if ends is not None and record.line > ends:
            return
        if not any(cell.strip() for cell in record.cells):
            continue
        cells, moved = aligner.fitted(record.cells)
        yield Record(record.line, cells[:width], record.mended or moved, len(cells) > width)


def _aligner(path: Path, told: Guess, table: int, width: int) -> Aligner:
    block = told.blocks[table]
    sample: list[list[str]] = []
    for record in split(_text(path, told.encoding), told.dialect, block.width):
        if record.line < block.first or record.line in block.header_lines:
            continue
        if len(sample) >= _TYPED or (record.line > block.last and table < len(told.blocks) - 1):
            break
        if len(record.cells) == width:
            sample.append(record.cells)
    return Aligner(sample, width)


def _text(path: Path, encoding: str) -> Iterator[str]:
    """The lines of a file with their ends; a line without end in sight is cut."""
    try:
        with path.open("r", encoding=encoding, newline="") as stream:
            first = True
            while line := stream.readline(_LONGEST):
                yield line.removeprefix("\ufeff") if first else line
                first = False
    except (UnicodeDecodeError, LookupError) as error:
        raise Malformed(Fault("file", "tables.encoding", {})) from error


def _lines(sample: bytes, encoding: str, whole: bool) -> list[str]:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample, final=whole).removeprefix("\ufeff")
    except (UnicodeDecodeError, ValueError, LookupError) as error:
        raise Malformed(Fault("encoding", "tables.encoding", {})) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise Malformed(Fault("file", "field.syntax", {"reason": "the character U+0000"}, None, line))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return ended + ([lines[-1]] if whole and lines[-1] else [])


def _types(records: list[Record], made: Guess) -> list[list[str]]:
    found = []
    for block in made.blocks:
        inside = [r for r in records if block.first <= r.line <= block.last and r.line not in block.header_lines][:_TYPED]
        count = max(block.width, len(block.headers))
        found.append([column_type(r.cells[i] for r in inside if i < len(r.cells)) for i in range(count)])
    return found


def _distinct(ordered: list[tuple[Dialect, float]]) -> list[tuple[Dialect, float]]:
    """The best of each delimiter."""
    seen: dict[str, tuple[Dialect, float]] = {}
    for dialect, score in ordered:
        if dialect.delimiter not in seen:
            seen[dialect.delimiter] = (dialect, round(score, 4))
    return list(seen.values())[:5]
