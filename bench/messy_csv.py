"""Messy CSV read as it was meant: header, rows and cells found by themselves, beside DuckDB's sniffer on the same files."""

import csv
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Figure = dict[str, Any]
Rows = list[list[str]]
Reader = Callable[[Path], Rows]
_SEED = 20260131
_NAMES = "甲乙丙丁戊己庚辛壬癸"
_PLACES = ["天街12号", "河边路 3 号", "市场街, 一楼", "“老”巷7号", "Bridge Street 5"]


def run(data: Path | None) -> list[Figure]:
    """Score made files, the suites below `data`/fuzz_corpora and, where it is there, the survey of `data`/pollock.

    `pollock` is a checkout of the benchmark of that name (Vitagliano et al., PVLDB 16(8), 2023): real files with clean versions.
    """
    csv.field_size_limit(1 << 30)
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        made = list(_made(Path(folder)))
        plain = [each for each in made if each[2] == "utf-8"]
        figures = [_figure("messy-csv-made", made), _figure("messy-csv-made-utf8", plain)]
        if data is not None and (data / "fuzz_corpora").is_dir():
            figures.append(_figure("messy-csv-suites", list(_suites(data / "fuzz_corpora", Path(folder)))))
        for part in ("survey_sample", "polluted_files"):
            if data is not None and (data / "pollock" / part / "csv").is_dir():
                figures.append(_figure(f"messy-csv-pollock-{part.split('_')[0]}", list(_pollock(data / "pollock" / part))))
    return figures


def _figure(name: str, files: list[tuple[Path, Rows, str]]) -> Figure:
    begun = time.perf_counter()
    own = [_score(truth, _safely(_ours, path)) for path, truth, _ in files]
    middle = time.perf_counter()
    other = [_score(truth, _safely(_duckdb, path)) for path, truth, _ in files]
    end = time.perf_counter()
    value, peer = sum(own) / len(own), sum(other) / len(other)
    return {
        "name": name,
        "value": round(value, 4),
        "unit": "mean F1 of header, rows and cells",
        "size": f"{len(files)} files, {middle - begun:.1f} s (peer {end - middle:.1f} s)",
        "peer": "DuckDB read_csv (all_varchar, strict_mode=false, ignore_errors, null_padding)",
        "peer_value": round(peer, 4),
        "ratio": round(value / peer, 2) if peer else None,
    }


def _ours(path: Path) -> Rows:
    from mumian.foundation.tables.api import guess, rows

    told = guess(path)
    block = told.blocks[told.main]
    head = [block.headers] if block.header_lines else [[]]
    return [*head, *(record.cells for record in rows(path, told, told.main))]


def _duckdb(path: Path) -> Rows:
    import duckdb

    with duckdb.connect() as con:
        asked = "SELECT * FROM read_csv(?, all_varchar=true, strict_mode=false, ignore_errors=true, null_padding=true)"
        con.execute(asked, [str(path)])
        names = [each[0] for each in con.description or []]
        found = [["" if cell is None else cell for cell in row] for row in con.fetchall()]
        made_up = all(name in (f"column{i}", f"column{i:02}") for i, name in enumerate(names))
        return [[] if made_up else names, *found]


def _safely(read: Reader, path: Path) -> Rows:
    try:
        return read(path)
    except Exception:
        return []


def _score(truth: Rows, found: Rows) -> float:
    """The mean F1 of the names of the header, of whole rows in any order, and of cells; numbers are equal by value.

    Where the truth tells rows only, what was taken for a header counts as a row.
    """
    if not truth or not found:
        return 0.0 if truth else 1.0
    if not truth[0]:
        found = [[], *(row for row in found if row)]
    parts = [_f1([_plain(c) for c in truth[0]], [_plain(c) for c in found[0]])]
    parts.append(_f1(["\x1f".join(map(_plain, row)) for row in truth[1:]], ["\x1f".join(map(_plain, row)) for row in found[1:]]))
    parts.append(_f1([_plain(c) for row in truth for c in row], [_plain(c) for row in found for c in row]))
    return sum(parts) / 3


def _f1(wanted: list[str], found: list[str]) -> float:
    if not wanted and not found:
        return 1.0
    same = sum((Counter(wanted) & Counter(found)).values())
    return 2 * same / (len(wanted) + len(found))


def _plain(cell: str) -> str:
    text = cell.strip().replace("\r\n", "\n")
    try:
        return repr(float(text.replace(",", "")))
    except ValueError:
        return text


def _made(folder: Path) -> Iterator[tuple[Path, Rows, str]]:
    """Tables of shops, each spoiled in one to three ways; the truth is the table before it was."""
    chance = random.Random(_SEED)
    spoils = [_preamble, _footer, _second_table, _extra_cell, _open_quote, _blank_lines]
    for number in range(240):
        truth = _table(chance)
        delimiter = chance.choice(",;\t|，")
        encoding = chance.choice(["utf-8", "utf-8", "gb18030", "utf-8-sig", "utf-16", "big5"])
        lines = [_line(row, delimiter, chance) for row in truth]
        for spoil in chance.sample(spoils, chance.randint(1, 3)):
            lines = spoil(lines, delimiter, chance)
        text = chance.choice(["\n", "\r\n"]).join(lines) + chance.choice(["", "\n"])
        try:
            content = text.encode(encoding)
        except UnicodeEncodeError:
            encoding, content = "gb18030", text.encode("gb18030")
        path = folder / f"made{number:03}.csv"
        path.write_bytes(content)
        yield path, truth, "utf-8" if encoding.startswith("utf-8") else encoding


def _table(chance: random.Random) -> Rows:
    rows = [["编号", "名称", "地址", "开业日期", "面积", "备注"]]
    for i in range(1, chance.randint(8, 60)):
        name = "".join(chance.sample(_NAMES, 3)) + "店"
        day = f"20{chance.randint(10, 24)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        note = chance.choice(["", "", "已核", "见附件, 第2页"])
        rows.append([f"{i:05}", name, chance.choice(_PLACES), day, f"{chance.uniform(10, 900):.1f}", note])
    return rows


def _line(row: list[str], delimiter: str, chance: random.Random) -> str:
    cells = []
    for cell in row:
        quoted = delimiter in cell or '"' in cell or chance.random() < 0.1
        cells.append('"' + cell.replace('"', '""') + '"' if quoted else cell)
    return delimiter.join(cells)


def _preamble(lines: list[str], delimiter: str, chance: random.Random) -> list[str]:
    title = "某区商铺名录（2024年）"
    return [chance.choice([title, title + delimiter * 5]), f"制表：某局{delimiter * chance.randint(0, 2)}", "", *lines]


def _footer(lines: list[str], delimiter: str, chance: random.Random) -> list[str]:
    return [*lines, "", "注：以上数据由街道报送"]


def _second_table(lines: list[str], delimiter: str, chance: random.Random) -> list[str]:
    second = [delimiter.join(["街道", "数量"]), *(delimiter.join([f"第{i}街", str(chance.randint(1, 99))]) for i in range(5))]
    return [*lines, "", *second]


def _extra_cell(lines: list[str], delimiter: str, chance: random.Random) -> list[str]:
    """One row has an empty cell too many in front."""
    return _changed(lines, chance, lambda line: delimiter + line)


def _open_quote(lines: list[str], delimiter: str, chance: random.Random) -> list[str]:
    """One row has a cell whose quote never ends; the truth keeps no quote, so that cell counts as wrong for everybody."""
    return _changed(lines, chance, lambda line: line.replace(delimiter, f'{delimiter}"', 1) if '"' not in line else line)


def _blank_lines(lines: list[str], delimiter: str, chance: random.Random) -> list[str]:
    at = chance.randrange(2, len(lines))
    return [*lines[:at], "", *lines[at:]]


def _changed(lines: list[str], chance: random.Random, change: Callable[[str], str]) -> list[str]:
    rows = [i for i, line in enumerate(lines) if line[:1].isdigit() or line[:2] == '"0']
    if not rows:
        return lines
    at = chance.choice(rows)
    return [*lines[:at], change(lines[at]), *lines[at + 1 :]]


def _suites(folder: Path, scratch: Path) -> Iterator[tuple[Path, Rows, str]]:
    """csv-spectrum and csv-test-data with the truth that they come with; files that are bad on purpose have none."""
    import tarfile

    for suite, files, truths in (("csv-spectrum", "csvs", "json"), ("csv-test-data", "csv", "json")):
        with tarfile.open(folder / f"{suite}.tar.xz") as archive:
            archive.extractall(scratch / suite, filter="data")
        for path in sorted((scratch / suite).rglob(f"{files}/*.csv")):
            truth = path.parent.parent / truths / f"{path.stem}.json"
            told = json.loads(truth.read_text("utf-8")) if truth.is_file() else []
            if told:
                yield path, _of_json(told), "utf-8"


def _of_json(found: list[Any]) -> Rows:
    if found and isinstance(found[0], dict):
        return [list(found[0]), *([str(cell) for cell in row.values()] for row in found)]
    return [[], *([str(cell) for cell in row] for row in found)]


def _pollock(folder: Path) -> Iterator[tuple[Path, Rows, str]]:
    for path in sorted((folder / "csv").iterdir()):
        clean = folder / "clean" / path.name
        if clean.is_file():
            with clean.open(encoding="utf-8-sig", newline="") as stream:
                yield path, list(csv.reader(stream)), "utf-8"
