"""Guessing: files as people and programs leave them are read as they were meant, and what was guessed can be overruled."""

import csv
import io
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import messy_csv
from mumian.foundation.tables.api import Dialect, guess, rows
from mumian.foundation.tables.rules.encodings import ranked
from mumian.foundation.tables.rules.splitting import split
from mumian.kernel.errors import Invalid, Malformed


def read(path: Path, content: bytes) -> tuple[list[str], list[list[str]]]:
    path.write_bytes(content)
    told = guess(path)
    return told.blocks[told.main].headers, [record.cells for record in rows(path, told, told.main)]


def test_titles_notes_and_further_tables_are_told_apart_from_the_table(tmp_path: Path) -> None:
    text = "某区名录,,\n制表：某局,,\n,,\n编号,名称,数量\n1,甲,3\n2,乙,4\n3,丙,5\n\n街道,户数\n一街,10\n二街,20\n三街,30\n"
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    told = guess(path)
    assert [(block.headers, block.rows) for block in told.blocks] == [(["编号", "名称", "数量"], 3), (["街道", "户数"], 3)]
    assert [note[0] for note in told.blocks[0].notes] == [1, 2]
    assert [record.cells for record in rows(path, told, 1)] == [["一街", "10"], ["二街", "20"], ["三街", "30"]]
    assert [record.line for record in rows(path, told, 0)] == [5, 6, 7]


def test_rows_with_a_cell_too_many_or_too_few_are_put_under_their_columns(tmp_path: Path) -> None:
    plain = "".join(f"{i},店{i},2024-01-{i:02},{i}.5\n" for i in range(1, 20))
    header, found = read(
        tmp_path / "a.csv", ("编号,名称,日期,面积\n" + plain + ",30,店,2024-02-01,1.5\n31,2024-02-02,2.5\n").encode()
    )
    assert header == ["编号", "名称", "日期", "面积"]
    assert found[-2:] == [["30", "店", "2024-02-01", "1.5"], ["31", "", "2024-02-02", "2.5"]]
    told = guess(tmp_path / "a.csv")
    assert [record.line for record in rows(tmp_path / "a.csv", told, 0) if record.mended] == [21, 22]


def test_a_quote_that_never_ends_spoils_no_other_row(tmp_path: Path) -> None:
    lines = [f'{i},"a, {i}",x' for i in range(30)]
    lines[10] = '10,"open, but not closed,x'
    lines[20] = '20,"a "quoted" word, 20",x'
    _, found = read(tmp_path / "a.csv", ("n,t,k\n" + "\n".join(lines)).encode())
    assert len(found) == 30
    assert found[20] == ["20", 'a "quoted" word, 20', "x"]
    assert found[11] == ["11", "a, 11", "x"]
    assert found[10][0] == "10"


def test_a_row_with_values_under_no_column_says_so_and_a_lost_quote_holds_its_cell_together(tmp_path: Path) -> None:
    plain = "".join(f"{i};店{i};2024-01-{i:02};{i}.5\n" for i in range(1, 20))
    (tmp_path / "a.csv").write_text("编号;名称;日期;面积\n" + plain + '20;"乙;店;2024-03-04;20\n21;a;b;2024-03-04;20\n', "utf-8")
    told = guess(tmp_path / "a.csv")
    found = list(rows(tmp_path / "a.csv", told, 0))
    assert found[-2].cells == ["20", "乙;店", "2024-03-04", "20"]
    assert [record.line for record in found if record.lost] == [22]


TEXTS = {
    "gb18030": "商铺名称,地址\n天天便利店,天河区体育西路\n",
    "big5": "商鋪名稱,地址\n天天便利店,體育西路附近\n",
    "utf-16": "名称,数量\n甲,1\n",
    "cp1252": "name,city\nRenée Müller,Malmö\nJosé Peña,São Paulo\n",
    "shift_jis": "名前,住所\nカタカナ,ひらがなの町\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_the_encoding_is_told_from_the_characters_it_gives(encoding: str, tmp_path: Path) -> None:
    content = TEXTS[encoding].encode(encoding)
    assert ranked(content)[0][0] == encoding
    header, found = read(tmp_path / "a.csv", content)
    assert [header, *found] == [line.split(",") for line in TEXTS[encoding].splitlines()]


def test_what_is_given_overrules_what_would_be_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a;b\n1;2\n3;4\n", "utf-8")
    told = guess(path, "gb18030", Dialect("\t"), 0)
    assert (told.encoding, told.dialect.delimiter, told.blocks[0].header_lines) == ("gb18030", "\t", ())
    assert told.dialects[0][0].delimiter == ";"
    with pytest.raises(Malformed):
        guess(path, "no-such-encoding")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"   "])
def test_an_empty_file_is_no_table(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(Invalid):
        guess(tmp_path / "a.csv")


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(content)
        try:
            told = guess(path)
            widths = {len(record.cells) for record in rows(path, told, told.main)}
            assert widths <= {max(told.blocks[told.main].width, len(told.blocks[told.main].headers))}
        except (Invalid, Malformed):
            pass


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029\x85"), max_size=8)


@settings(max_examples=60)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_well_formed_rows_are_split_as_they_were_written(table: list[list[str]], delimiter: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows(table)
    lines = buffer.getvalue().splitlines(keepends=True)
    assert [record.cells for record in split(lines, Dialect(delimiter), 3)] == table


def test_the_suites_are_read_as_their_authors_say(shared_data: Path, tmp_path: Path) -> None:
    files = list(messy_csv._suites(shared_data / "fuzz_corpora", tmp_path))
    scores = {path.stem: messy_csv._score(truth, messy_csv._safely(messy_csv._ours, path)) for path, truth, _ in files}
    assert len(scores) > 20
    assert sum(scores.values()) / len(scores) >= 0.95, {name: score for name, score in scores.items() if score < 1}


def test_spoiled_files_are_read_at_least_as_well_as_by_duckdb(tmp_path: Path) -> None:
    files = list(messy_csv._made(tmp_path))[::4]
    ours = [messy_csv._score(truth, messy_csv._safely(messy_csv._ours, path)) for path, truth, _ in files]
    theirs = [messy_csv._score(truth, messy_csv._safely(messy_csv._duckdb, path)) for path, truth, _ in files]
    assert sum(ours) / len(ours) >= 0.95
    assert sum(ours) > sum(theirs)


@pytest.mark.parametrize("suite", ["frictionless-datasets", "w3c-csvw-tests", "big-list-of-naughty-strings"])
def test_no_file_of_the_torture_suites_does_more_than_be_refused(suite: str, shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "fuzz_corpora" / f"{suite}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    seen = 0
    for path in sorted(tmp_path.rglob("*.csv" if "naughty" not in suite else "*.txt"))[:80]:
        try:
            told = guess(path)
            count = sum(1 for _ in rows(path, told, told.main))
            assert count >= 0
            seen += 1
        except (Invalid, Malformed):
            continue
    assert seen > 0
