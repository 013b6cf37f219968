"""Dialects: which delimiter and quote a text is written with, judged by how even its rows and how clean its cells come out.

The measure is that of van den Burg, Nazábal and Sutton (Wrangling messy CSV files, 2019): a pattern score that prefers many
rows of one wide shape, times a type score that prefers cells which look like values.
"""

from collections import Counter
from collections.abc import Sequence

from mumian.foundation.tables.rules.kinds import cleanliness
from mumian.foundation.tables.rules.splitting import Dialect, Record, split

DELIMITERS = (",", ";", "\t", "|", "，", "^", "~", ":", " ")
_PRIOR = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, "，": 0.9, "^": 0.9, "~": 0.8, ":": 0.45, " ": 0.4}
_ROWS = 300


def ranked(lines: Sequence[str]) -> list[tuple[Dialect, float]]:
    """Dialects that could be meant, likeliest first, with their scores; one column of text is the last resort."""
    text = "".join(lines)
    found = [(dialect, _score(lines, dialect)) for dialect in _candidates(text)]
    best = sorted(found, key=lambda each: -each[1])
    single = Dialect("," if "," not in text else "\t" if "\t" not in text else "\x1f")
    if not best or best[0][1] <= 0:
        return [(single, 0.001)]
    return best


def _candidates(text: str) -> list[Dialect]:
    quotes = ['"'] if '"' in text else []
    delimiters = [each for each in DELIMITERS if each in text]
    found = []
    for delimiter in delimiters:
        apostrophe = f"'{delimiter}" in text and (f"{delimiter}'" in text or f"{delimiter} '" in text)
        for quote in [*quotes, *(["'"] if apostrophe else []), *([] if quotes else [""])]:
            escaped = bool(quote) and f"\\{quote}" in text
            for escape in ["", *(["\\"] if escaped else [])]:
                found.append(Dialect(delimiter, quote or '"', escape, _padded(text, delimiter)))
    return found


def _padded(text: str, delimiter: str) -> bool:
    return delimiter != " " and text.count(delimiter + " ") >= 0.95 * text.count(delimiter) > 0


def _score(lines: Sequence[str], dialect: Dialect) -> float:
    records = [record for record in split(lines, dialect) if any(cell.strip() for cell in record.cells)][:_ROWS]
    if not records:
        return 0.0
    widths = Counter(len(record.cells) for record in records)
    pattern = sum(count * max(width - 1, 0.001) / width for width, count in widths.items()) / len(widths)
    clean = cleanliness(cell for record in records for cell in record.cells)
    mended = sum(record.mended for record in records) / len(records)
    usual = max(widths, key=lambda width: (widths[width], width))
    even = widths[usual] / len(records)
    quoted = 1.0 if dialect.quote != "'" else 1.02 if _at_edges("".join(lines), dialect.delimiter) else 0.97
    return (
        pattern * max(clean, 0.001) * _PRIOR[dialect.delimiter] * (1 - 0.5 * mended) * (0.5 + 0.5 * even) * quoted / len(records)
    )


def _at_edges(text: str, delimiter: str) -> bool:
    """Whether nearly all apostrophes stand at the beginnings and ends of cells."""
    edges = sum(text.count(each) for each in (f"{delimiter}'", f"'{delimiter}", "\n'", "'\n"))
    return edges >= 0.9 * text.count("'")


def usual_width(records: Sequence[Record]) -> int:
    """How many cells most rows have, empty ones at the end of all rows left out of account; 1 where there are no rows."""
    widths = Counter(len(record.cells) for record in records if any(cell.strip() for cell in record.cells))
    return max(widths, key=lambda width: (widths[width], width)) if widths else 1
