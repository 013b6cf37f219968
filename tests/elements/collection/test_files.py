"""Files as sources: messy text, workbooks, Parquet, JSON; bad rows with their lines; what is refused."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mumian.elements.collection import store
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.tables.api import workbook
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.elements.collection.conftest import connect, held, inbox, run

MESSY = """某区商铺名录（内部）
制表日期：2024年1月

编号;名称;Since;seats;changed
1;甲店;2024/1/2;1,200;2024-01-02 08:00:00
2;"乙;店";2024年3月4日;20;2024/1/2 8:00

注：以上数据由街道报送
"""
FEATURE = '{"type": "Feature", "properties": {"编号": 1, "name": "p"}, "geometry": null}'
FILES = {"kind": "files", "path": "*"}


async def faults(platform: Platform, id_: str) -> list[tuple[Any, ...]]:
    rows = await platform.records.read(lambda s: store.faults(s, id_, 0, 100))
    return [(row["place"], row["line"], row["field"], row["value"], row["key"]) for row in rows]


async def test_a_messy_file_in_gb18030_is_read_and_what_was_guessed_is_told(town: Platform) -> None:
    (inbox(town) / "shops.csv").write_bytes(MESSY.encode("gb18030"))
    await connect(town, "shops-file", source=FILES, zone="Asia/Shanghai")
    done = await run(town, "shops-file")
    assert (done.state, done.read, done.good, done.bad) == ("done", 2, 2, 0), done.error
    assert await held(town, '"编号", name, CAST(since AS VARCHAR), seats, CAST(changed AS VARCHAR)') == [
        (1, "甲店", "2024-01-02", 1200, "2024-01-02 00:00:00"),
        (2, "乙;店", "2024-03-04", 20, "2024-01-02 00:00:00"),
    ]
    guessed = done.guessed["shops.csv"]
    assert (guessed["encoding"], guessed["delimiter"], guessed["header"]) == ("gb18030", ";", [4])
    assert guessed["matched"] == {"编号": "编号", "名称": "name", "Since": "since", "seats": "seats", "changed": "changed"}
    assert (await town.get(Ledger).verify()).sound


async def test_bad_rows_are_kept_aside_with_file_line_field_and_reason(town: Platform) -> None:
    rows = "".join(f"{i},店{i},2024-01-0{i},5\n" for i in range(1, 9))
    (inbox(town) / "shops.csv").write_text(
        "编号,name,since,seats\n" + rows + "x,坏,2024-13-01,5\n,无号,,\n9,好,2024-01-09,9.0\n", "utf-8"
    )
    await connect(town, "shops-file", source=FILES, most_bad=0.2)
    done = await run(town, "shops-file")
    assert (done.state, done.read, done.good, done.bad) == ("done", 11, 9, 2)
    assert await faults(town, done.id) == [
        ("shops.csv", 10, "编号", "x", "collection.bad_value"),
        ("shops.csv", 11, "编号", "", "collection.no_value"),
        ("shops.csv", 10, "since", "2024-13-01", "collection.bad_value"),
    ]
    (file,) = (town.home / "collection" / "runs" / done.id).glob("bad-*.jsonl")
    kept = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [row["line"] for row in kept] == [10, 11]
    assert kept[0]["cells"] == {"编号": "x", "name": "坏", "since": "2024-13-01", "seats": "5"}


async def test_neither_bad_nor_empty_deliveries_touch_the_dataset(town: Platform) -> None:
    file = inbox(town) / "shops.csv"
    await connect(town, "shops-file", source=FILES)
    for content, state, key in (
        ("编号,name\n1,a\n2,b\n", "done", ""),
        ("编号,name\n1,a\nx,b\n", "stopped", "collection.too_many_bad"),
        ("编号,name\n", "stopped", "collection.empty"),
        ("a,b\n1,2\n", "stopped", "collection.nothing_fits"),
    ):
        file.write_text(content, "utf-8")
        done = await run(town, "shops-file")
        assert (done.state, done.error["key"] if done.error else "") == (state, key)
        assert await held(town) == [(1, "a"), (2, "b")]


async def test_only_files_that_were_not_taken_yet_are_added(town: Platform) -> None:
    (inbox(town) / "a.csv").write_text("编号,name\n1,a\n", "utf-8")
    await connect(town, "shops-file", source=FILES, mode="append")
    await run(town, "shops-file")
    (inbox(town) / "b.csv").write_text("编号,name\n2,b\n", "utf-8")
    second = await run(town, "shops-file")
    third = await run(town, "shops-file")
    assert (second.read, third.read, third.state) == (1, 0, "done")
    assert await held(town) == [(1, "a"), (2, "b")]


def _parquet(path: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 1::BIGINT AS \"编号\", 'p' AS name, DATE '2024-01-02' AS since) TO '{path}' (FORMAT parquet)")


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.csv", "编号,name\n1,p\n")


WRITERS = {
    "a.xlsx": lambda path: path.write_bytes(workbook([["某区名录"], [], ["编号", "名称"], [1, "p"]])),
    "a.parquet": _parquet,
    "a.json": lambda path: path.write_text('[{"编号": 1, "name": "p", "more": {"x": [1]}}]', "utf-8"),
    "a.jsonl": lambda path: path.write_text('{"编号": 1, "name": "p"}\n', "utf-8"),
    "a.geojson": lambda path: path.write_text(f'{{"type": "FeatureCollection", "features": [{FEATURE}]}}', "utf-8"),
    "a.csv.gz": lambda path: path.write_bytes(gzip.compress("编号,name\n1,p\n".encode())),
    "a.zip": _zip,
    "b.csv": lambda path: path.write_bytes("编号\tname\n1\tp\n".encode("utf-16")),
}


async def test_every_format_is_read(town: Platform) -> None:
    for number, (file, write) in enumerate(WRITERS.items()):
        folder = inbox(town) / f"f{number}"
        folder.mkdir()
        write(folder / file)
        await connect(town, f"shops-{number}", source={"kind": "files", "path": f"f{number}/*"})
        done = await run(town, f"shops-{number}")
        assert (file, done.state, done.good) == (file, "done", 1), done.error
        assert await held(town) == [(1, "p")]


async def test_a_line_of_json_that_cannot_be_read_is_told(town: Platform) -> None:
    lines = [json.dumps({"编号": i, "name": "p"}, ensure_ascii=False) for i in range(30)]
    (inbox(town) / "a.jsonl").write_text("\n".join([*lines[:3], "{broken", *lines[3:]]), "utf-8")
    await connect(town, "shops-file", source=FILES)
    done = await run(town, "shops-file")
    assert (done.state, done.read, done.good, done.bad) == ("done", 31, 30, 1)
    assert [(fault[1], fault[4]) for fault in await faults(town, done.id)] == [(4, "collection.unreadable")]


def _bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as stream:
        for _ in range(80):
            stream.write(b"0" * (1 << 20))
    return packed.getvalue()


REFUSED = {
    "bomb.zip": (_bomb, "error.too_large"),
    "bomb.csv.gz": (lambda: gzip.compress(b"1,2\n" * (20 << 20), 9), "error.too_large"),
    "broken.xlsx": (lambda: b"PK\x03\x04" + b"x" * 100, "error.malformed"),
    "two.zip": (lambda: _archive("a.csv", "b.csv"), "error.invalid"),
    "nothing.csv": (lambda: b"   \n", "error.invalid"),
    "deep.json": (lambda: b"[" * 200_000, "error.malformed"),
    "nul.csv": (lambda: b"a,b\n1,\0\n", "error.malformed"),
    "cut.parquet": (lambda: b"PAR1" + b"x" * 50, "error.malformed"),
}


def _archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "编号\n1\n")
    return packed.getvalue()


async def test_what_cannot_or_must_not_be_read_is_refused_with_its_reason(
    town: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mumian.elements.collection.sources.unpacking._FREE", 1 << 20)
    monkeypatch.setattr("mumian.elements.collection.sources.unpacking._RATIO", 20)
    for number, (file, (content, key)) in enumerate(REFUSED.items()):
        folder = inbox(town) / f"f{number}"
        folder.mkdir()
        (folder / file).write_bytes(content())
        await connect(town, f"shops-{number}", source={"kind": "files", "path": f"f{number}/*"})
        done = await run(town, f"shops-{number}")
        assert (file, done.state, done.error["key"] if done.error else "") == (file, "failed", key)
    assert await held(town) == []


async def test_no_path_leads_out_of_the_inbox(town: Platform, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("编号,name\n1,secret\n", "utf-8")
    (inbox(town) / "link.csv").symlink_to(secret)
    for path in ("../*.csv", "/etc/passwd", "a/../../x"):
        with pytest.raises(Invalid, match="inbox"):
            await connect(town, "shops-file", source={"kind": "files", "path": path})
    await connect(town, "shops-file", source=FILES)
    done = await run(town, "shops-file")
    assert (done.state, done.read) == ("done", 0)
