"""Blocks: the tables within a file, each with its header, and what stands before, between and behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mumian.foundation.tables.rules.dialects import usual_width
from mumian.foundation.tables.rules.kinds import column_type, sort_of
from mumian.foundation.tables.rules.splitting import Record

_VALUES = {"integer", "number", "date", "time", "clock", "amount", "boolean"}
_LOOKED_AT = 200
_TAIL = 12


@dataclass(frozen=True)
class Block:
    """A table within a file: its lines, the rows that name its columns (none: `headers` are made up), and its width."""

    first: int
    last: int
    headers: list[str]
    header_lines: tuple[int, ...]
    width: int
    rows: int
    notes: tuple[tuple[int, str], ...] = field(default=(), compare=False)


def find(records: Sequence[Record], header: int | None = None) -> list[Block]:
    """The tables in the records of a file or its beginning; `header` is the line of the header where it is known (0: none)."""
    parts = [block for part in _parts(records) if (block := _block(part, header)) is not None]
    return parts or []


def main(blocks: Sequence[Block]) -> int:
    """Which table of a file is meant where nobody says: the first, unless another is much larger."""
    sizes = [block.rows * block.width for block in blocks]
    largest = max(range(len(sizes)), key=lambda i: sizes[i], default=0)
    return largest if sizes and sizes[largest] > 2 * sizes[0] else 0


def filled(record: Record) -> int:
    """How many cells of a row say something."""
    return sum(1 for cell in record.cells if cell.strip())


def _parts(records: Sequence[Record]) -> list[list[Record]]:
    """The stretches between which a new table begins: at a header that comes again, or a lasting change of width after a gap."""
    parts: list[list[Record]] = [[]]
    head: Record | None = None
    for i, record in enumerate(records):
        here = parts[-1]
        if head is None and filled(record) >= 2 and _texts(record):
            head = record
        elif head is not None and len(here) > 1 and (_again(head, record) or _changed(records, i, here)):
            parts.append([])
            head = record
        parts[-1].append(record)
    return parts


def _again(head: Record, record: Record) -> bool:
    ours, theirs = [c.strip() for c in head.cells if c.strip()], {c.strip() for c in record.cells if c.strip()}
    same = sum(cell in theirs for cell in ours)
    return len(theirs) > 1 and same >= 2 and same >= 0.6 * max(len(ours), len(theirs)) and _texts(record)


def _changed(records: Sequence[Record], i: int, here: Sequence[Record]) -> bool:
    """Behind an empty row begins something whose rows are of another width, and it begins with names."""
    if filled(records[i - 1]) or not _texts(records[i]) or filled(records[i]) < 2:
        return False
    coming = [record for record in records[i : i + 4] if filled(record)]
    if len(coming) < 3:
        return False
    before, after = usual_width([r for r in here[-_LOOKED_AT:] if filled(r)]), usual_width(coming)
    data = any(sort_of(cell) in _VALUES for record in coming[1:] for cell in record.cells)
    had_data = sum(filled(r) > 1 for r in here) > 2
    width = {filled(record) for record in coming}
    usual = max(filled(r) for r in here[-_LOOKED_AT:])
    return had_data and (
        (before != after and len({len(r.cells) for r in coming}) == 1) or (max(width) != usual and data and len(width) == 1)
    )


def _texts(record: Record) -> bool:
    """Whether no cell of a row looks like a value."""
    return not any(sort_of(cell) in _VALUES for cell in record.cells)


def _block(part: Sequence[Record], header: int | None) -> Block | None:
    there = [record for record in part if filled(record)]
    if not there:
        return None
    width = usual_width(there)
    top = _top(there, width, header)
    body, notes = there[top:], [(r.line, r.cells[0][:200] if r.cells else "") for r in there[:top]]
    heads = _header(body, width, header)
    names = _names(body[:heads], width)
    rows = body[heads:]
    rows, tail = _trimmed(rows, width)
    notes += [(r.line, r.cells[0][:200]) for r in tail]
    first = body[0].line if body else there[0].line
    last = rows[-1].line if rows else first
    return Block(first, last, names, tuple(r.line for r in body[:heads]), width, len(rows), tuple(notes))


def _top(there: Sequence[Record], width: int, header: int | None) -> int:
    """How many rows stand before the table: titles, notes and what else is narrower than its rows."""
    if header:
        return next((i for i, record in enumerate(there) if record.line >= header), 0)
    if width == 1:
        return 0
    for i, record in enumerate(there[:_LOOKED_AT]):
        full = filled(record)
        if len(record.cells) != width and i + 1 < len(there) and len(there[i + 1].cells) == width and _texts(there[i + 1]):
            continue
        if len(record.cells) >= width - 1 and full >= max(2, 0.5 * width):
            return i
        rest = [filled(r) for r in there[i : i + 20]]
        if len(record.cells) == width and full >= 2 and full >= 0.8 * sorted(rest)[len(rest) // 2]:
            return i
    return 0


def _header(body: Sequence[Record], width: int, header: int | None) -> int:
    """How many rows of the beginning name the columns: 0, 1 or, where titles are split over rows, more."""
    if header is not None:
        return 0 if header == 0 or not body else 1
    if not body or not _names_columns(body[0], body[1 : 1 + _LOOKED_AT], width):
        return 0
    count = 1
    while count < min(4, len(body) - 1) and _texts(body[count]) and _continues(body, count, width):
        count += 1
    return count


def _continues(body: Sequence[Record], at: int, width: int) -> bool:
    """A second row of names: the same again, or one that stands above typed columns whose first row has gaps."""
    cells, above = body[at].cells, body[at - 1].cells
    if cells == above:
        return True
    typed = [column_type([_cell(r, i) for r in body[at + 1 : at + _LOOKED_AT]]) for i in range(width)]
    gaps = sum(not cell.strip() for cell in above) >= max(1, 0.25 * width)
    strange = sum(kind not in ("text", "boolean") and bool(_cell(body[at], i).strip()) for i, kind in enumerate(typed))
    return gaps and strange >= max(1, 0.3 * width)


def _names_columns(record: Record, rows: Sequence[Record], width: int) -> bool:
    cells = [cell.strip() for cell in record.cells]
    there = [cell for cell in cells if cell]
    if not there:
        return False
    values = sum(sort_of(cell) in _VALUES and not _year(cell) for cell in there)
    if not rows:
        return values == 0
    typed = [column_type([_cell(row, i) for row in rows]) for i in range(width)]
    strange = sum(
        kind not in ("text", "boolean") and bool(_cell(record, i).strip()) and sort_of(_cell(record, i)) not in _VALUES
        for i, kind in enumerate(typed)
    )
    alike = sum(kind != "text" and sort_of(_cell(record, i)) in _VALUES for i, kind in enumerate(typed))
    if strange > alike:
        return True
    if values > 0.34 * len(there) or alike:
        return alike == 0 and values < 0.5 * len(there) and strange > 0
    return len(set(there)) == len(there) and not _repeated(cells, rows, width)


def _repeated(cells: Sequence[str], rows: Sequence[Record], width: int) -> bool:
    """Whether most cells of a row come again below: then it is a row as any other."""
    again = sum(any(_cell(row, i).strip() == cell for row in rows) for i, cell in enumerate(cells[:width]) if cell)
    return again > 0.34 * max(1, sum(bool(cell) for cell in cells))


def _year(cell: str) -> bool:
    return len(cell) == 4 and cell.isdigit() and cell[:2] in ("19", "20")


def _cell(record: Record, i: int) -> str:
    return record.cells[i] if i < len(record.cells) else ""


def _names(heads: Sequence[Record], width: int) -> list[str]:
    if not heads:
        return [f"col_{i}" for i in range(width)]
    wide = max(width, *(len(r.cells) for r in heads)) if len(heads) == 1 else width
    names = []
    for i in range(wide):
        parts = [_cell(record, i).strip() for record in heads]
        names.append(" ".join(part for part in parts if part)[:200])
    while len(names) > width and "" in names:
        del names[len(names) - 1 - names[::-1].index("")]
    return names


def _trimmed(rows: Sequence[Record], width: int) -> tuple[list[Record], list[Record]]:
    """The rows without notes behind them: a few at the end with a single text where rows have several values."""
    kept = list(rows)
    tail: list[Record] = []
    while len(kept) > 1 and len(tail) < _TAIL and width > 2 and _note(kept[-1], kept, width):
        tail.insert(0, kept.pop())
    return kept, tail


def _note(record: Record, rows: Sequence[Record], width: int) -> bool:
    usual = sorted(filled(r) for r in rows[-50:])[len(rows[-50:]) // 2]
    return usual > 2 and filled(record) == 1 and bool(record.cells[0].strip()) and sort_of(record.cells[0]) in ("text", "words")
