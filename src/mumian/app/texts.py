"""What the commands about texts do, once the command line has been read."""

import csv
import gzip
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

from mumian.app.commands import guard, language
from mumian.app.platform import offline
from mumian.foundation.models.api import Answer, Labelled, Models, Version
from mumian.foundation.storage.api import open_objects
from mumian.foundation.storage.contracts import Objects
from mumian.foundation.tables.api import Limits, RowFault, Table, described, read_table
from mumian.foundation.tables.contracts import safe
from mumian.kernel.errors import Fault, Invalid, Malformed, TooLarge
from mumian.kernel.platform import Platform

_MOST_BYTES = 512 * 1024 * 1024
_LIMITS = Limits(rows=1_000_000)
_SHOWN = 20


def train(name: str, file: Path, text: str, label: str, wanted: float, reference: str | None) -> None:
    """Train a model on a file and say how good it is."""

    def work() -> None:
        table = _table(file)
        columns = [_column(table, each) for each in _names(text)]
        labels = [_column(table, each) for each in _names(label)]
        numbered = None if reference is None else _column(table, reference)
        texts, faults = [], []
        for line, cells in table.rows:
            fault = _fault(table, line, cells, columns, labels)
            if fault is not None:
                faults.append(fault)
                continue
            told = f"{file.name}:{line}" if numbered is None else cells[numbered].strip()
            path = "/".join(cells[each].strip() for each in labels if cells[each].strip())
            texts.append(Labelled(told, tuple(cells[each] for each in columns), path))
        _report(faults)
        with _platform() as platform:
            source = {"source": file.name, "columns": _names(text), "label": label, "left_out": len(faults)}
            began = time.monotonic()
            made = platform.get(Models).train_now(name, texts, source, wanted, _tell)
        _tell(f"{time.monotonic() - began:.0f} s")
        _print_version(made)

    guard(work)


def predict(name: str, file: Path, text: str, output: Path, number: int | None) -> None:
    """Write a file with label and confidence beside every row; the label of a row without text is empty."""

    def work() -> None:
        table = _table(file)
        columns = [_column(table, each) for each in _names(text)]
        with _platform() as platform:
            models = platform.get(Models)
            version = platform.records.read_now(lambda session: models.newest(session, name, number))
            model = models.loaded(version)
        rows = [tuple(_cell(cells, each) for each in columns) for _, cells in table.rows]
        began = time.perf_counter()
        answers = model.predict(rows)
        took = time.perf_counter() - began
        with _opened(output) as stream:
            writer = csv.writer(stream)
            added = ("label", "confidence", "abstains")
            kept = [i for i, header in enumerate(table.headers) if header not in added]
            writer.writerow([*added, *(safe(table.headers[i]) for i in kept)])
            for (_, cells), parts, answer in zip(table.rows, rows, answers, strict=True):
                empty = not any(part.strip() for part in parts)
                said = ("", "0", "1") if empty else _said(answer)
                writer.writerow([*said, *(safe(_cell(cells, i)) for i in kept)])
        speed = f"{len(rows) / max(took, 1e-9):.0f}/s"
        _tell(f"{name}@{version.number} ({version.state}): {len(rows)} texts, {speed}, {output}")

    guard(work)


def approve(name: str, number: int, note: str) -> None:
    """Let a version be used by the city."""

    def work() -> None:
        with _platform() as platform:
            models = platform.get(Models)
            made = platform.records.write_now(lambda tx: models.approve(tx, name, number, note))
        print(f"{made.model}@{made.number}: {made.state}")

    guard(work)


def _said(answer: Answer) -> tuple[str, str, str]:
    return answer.candidates[0][0], f"{answer.confidence:.4f}", str(int(not answer.label))


@contextmanager
def _platform() -> Iterator[Platform]:
    with offline() as platform:
        platform.provide(Objects, open_objects(platform.settings.objects, platform.settings.home))  # type: ignore[type-abstract]
        yield platform


def _names(columns: str) -> list[str]:
    return [name.strip() for name in columns.replace("，", ",").split(",") if name.strip()]


def _table(file: Path) -> Table:
    content = file.read_bytes() if file.stat().st_size <= _MOST_BYTES else b""
    if not content and file.stat().st_size:
        raise TooLarge(limit=f"{_MOST_BYTES} bytes")
    if content[:2] == b"\x1f\x8b":
        unpacker = zlib.decompressobj(31)
        try:
            plain = unpacker.decompress(content, _MOST_BYTES)
        except zlib.error as error:
            raise Malformed(Fault(file.name, "field.syntax", {"reason": f"gzip: {error}"})) from error
        if unpacker.unconsumed_tail:
            raise TooLarge(limit=f"{_MOST_BYTES} bytes")
        if not unpacker.eof:
            raise Malformed(Fault(file.name, "field.syntax", {"reason": "gzip: the file ends too early"}))
        content = plain
    return read_table(content, file.name, _LIMITS)


def _column(table: Table, name: str) -> int:
    if name not in table.headers:
        raise Invalid.field("column", "models.no_column", name=name, expected=", ".join(table.headers)[:400])
    return table.headers.index(name)


def _cell(cells: list[str], number: int) -> str:
    return cells[number] if number < len(cells) else ""


def _fault(table: Table, line: int, cells: list[str], columns: list[int], labels: list[int]) -> RowFault | None:
    """What keeps a row from being learned."""
    if len(cells) <= max(*columns, *labels):
        values = {"count": len(cells), "expected": len(table.headers)}
        return RowFault(line, table.headers[max(*columns, *labels)], "", "models.short_row", values)
    if not cells[labels[0]].strip():
        return RowFault(line, table.headers[labels[0]], "", "models.empty_label")
    if not any(cells[each].strip() for each in columns):
        return RowFault(line, table.headers[columns[0]], "", "models.empty_text")
    return None


def _report(faults: list[RowFault]) -> None:
    for fault in faults[:_SHOWN]:
        _tell(f"line {fault.line}, {fault.column}: {described(fault, language())['message']}")
    if faults:
        _tell(f"{len(faults)} rows left out")


def _opened(output: Path) -> TextIO:
    if output.suffix == ".gz":
        return cast(TextIO, gzip.open(output, "wt", encoding="utf-8", newline=""))
    return output.open("w", encoding="utf-8", newline="")


def _print_version(made: Version) -> None:
    measured = made.evaluation
    print(f"{made.model}@{made.number}: {made.data['texts']} texts, {made.data['labels']} labels, {made.bytes} bytes")
    print(
        f"cross-validated: macro-F1 {measured['macro_f1']:.4f}, accuracy {measured['accuracy']:.4f}, "
        f"calibration error {measured['error']:.4f}"
    )
    print(
        f"from confidence {measured['threshold']:.2f} on it answers: {measured['coverage']:.1%} of texts, "
        f"{measured['precision']:.1%} of them rightly"
    )
    print(f"mumian text approve --name {made.model} --version {made.number}   lets the city use it")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
