"""Describing a file: format, encoding, dialect, header, types and a sample, with what else it could be."""

import json
from pathlib import Path
from typing import Any

from mumian.elements.collection.models import Reading
from mumian.elements.collection.rules.documents import as_text
from mumian.elements.collection.settings import CollectionSettings
from mumian.elements.collection.sources.formats import chunks, guessed, kind_of, told_of, unique
from mumian.elements.collection.sources.unpacking import unpacked
from mumian.foundation.tables.api import Block, column_type, rows
from mumian.kernel.errors import Malformed, NotFound
from mumian.kernel.ids import new_id

_SAMPLE = 50
_TYPED = 1000
_NAME = 26
_MENDED = 20


class Previews:
    """Files that people look at before they declare anything; each lies in a folder of its own below `folder`."""

    def __init__(self, folder: Path, settings: CollectionSettings) -> None:
        self._folder = folder
        self._settings = settings

    def place(self, file: str, by: str) -> tuple[str, Path]:
        """A new preview: its id, and where its file is to be written."""
        id_ = new_id()
        folder = self._folder / id_
        folder.mkdir(parents=True)
        (folder / "about.json").write_text(json.dumps({"file": file[:200], "by": by}, ensure_ascii=False), "utf-8")
        return id_, folder / "content"

    def found(self, id_: str, by: str | None) -> tuple[Path, str]:
        """The file of a preview and what it is called; raises NotFound, also for what somebody else (not `by`) sent."""
        about = self._folder / id_ / "about.json"
        if len(id_) != _NAME or not id_.isalnum() or not about.is_file():
            raise NotFound(kind="preview", name=id_[:40])
        told = json.loads(about.read_text("utf-8"))
        if by is not None and told["by"] != by:
            raise NotFound(kind="preview", name=id_)
        return about.with_name("content"), str(told["file"])

    def describe(self, id_: str, by: str | None, reading: Reading) -> dict[str, Any]:
        """How the file would be read; raises NotFound, Invalid, Malformed, TooLarge."""
        path, file = self.found(id_, by)
        plain, inner = unpacked(path, file, path.parent, self._settings.unpacked_bytes)
        kind = kind_of(plain, inner, reading.format)
        told: dict[str, Any] = {"id": id_, "file": file, "bytes": path.stat().st_size, "format": kind}
        if kind == "csv":
            return told | self._delimited(plain, reading)
        return told | self._other(plain, inner, reading.model_copy(update={"format": kind}))

    def _delimited(self, path: Path, reading: Reading) -> dict[str, Any]:
        made, table = guessed(path, reading)
        block = made.blocks[table]
        width = max(block.width, len(block.headers))
        names = unique([*block.headers, *([""] * (width - len(block.headers)))])
        sample: list[list[str]] = []
        mended: list[int] = []
        lost: list[list[Any]] = []
        try:
            for record in rows(path, made, table):
                if record.lost:
                    lost.append([record.line, " | ".join(record.cells)[:200], f"> {width}"])
                else:
                    sample.append(record.cells)
                    mended += [record.line] if record.mended else []
                if len(sample) >= _TYPED or len(lost) >= _TYPED:
                    break
        except Malformed:
            if not sample:
                raise
        told = told_of(made, table)
        return {
            "reading": {key: told[key] for key in ("encoding", "delimiter", "quote", "escape", "table")}
            | {"format": "csv", "header": block.header_lines[0] if block.header_lines else 0},
            "columns": [{"name": name, "type": kind} for name, kind in zip(names, _types(sample, width), strict=True)],
            "sample": sample[:_SAMPLE],
            "tables": [_table(each) for each in made.blocks],
            "notes": told["notes"],
            "mended": mended[:_MENDED],
            "unreadable": lost[:_MENDED],
            "alternatives": {
                "encodings": [{"encoding": name, "score": score} for name, score in made.encodings],
                "delimiters": [{"delimiter": d.delimiter, "quote": d.quote, "score": score} for d, score in made.dialects],
                "header": [] if not block.header_lines else [0],
            },
        }

    def _other(self, path: Path, file: str, reading: Reading) -> dict[str, Any]:
        small = self._settings.model_copy(update={"batch": _TYPED})
        first = next(chunks(path, file, reading, small, path.parent, 0), None)
        names = [] if first is None else first.columns
        found = [] if first is None else [[as_text(value) or "" for value in row] for row in first.rows]
        typed = _types(found, len(names))
        declared = {} if first is None else first.types
        return {
            "reading": reading.model_dump(exclude_none=True),
            "columns": [{"name": n, "type": declared.get(n, kind)} for n, kind in zip(names, typed, strict=True)],
            "sample": found[:_SAMPLE],
            "tables": [],
            "notes": [],
            "mended": [],
            "unreadable": [] if first is None else [list(each) for each in first.faults[:_MENDED]],
            "alternatives": {"encodings": [], "delimiters": [], "header": []},
        }


def _types(sample: list[list[str]], width: int) -> list[str]:
    return [column_type(row[i] for row in sample if i < len(row)) for i in range(width)]


def _table(block: Block) -> dict[str, Any]:
    return {"first": block.first, "last": block.last, "rows": block.rows, "headers": block.headers[:50]}
