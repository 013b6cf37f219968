"""Tests of `mumian text` as a person at a shell meets it: broken rows, odd encodings, packed files, wrong columns."""

import csv
import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.foundation.models.invented import tickets

_HEADER = "编号,标题,内容,类别\n"


def lines(count: int) -> str:
    """Invented tickets as CSV."""
    made = io.StringIO()
    writer = csv.writer(made)
    for each in tickets(count):
        writer.writerow([each.reference, *each.parts, each.label])
    return _HEADER + made.getvalue()


def mumian(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    environment = {**os.environ, "MUMIAN_HOME": str(home), "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-c", "from mumian.cli import main; main()", *words],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )


TEXT = ("--text", "标题,内容")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city that trained a model on a packed file in GB 18030 with three broken rows."""
    folder = tmp_path_factory.mktemp("texts")
    content = lines(60) + "X1,只有两列\nX2,没有类别,没有类别,\nX3,,,道路\n"
    (folder / "tickets.csv.gz").write_bytes(gzip.compress(content.encode("gb18030")))
    given = ("--name", "tickets", "--input", str(folder / "tickets.csv.gz"), *TEXT, "--label", "类别", "--id", "编号")
    made = mumian(folder / "home", "text", "train", *given)
    assert made.returncode == 0, made.stderr
    assert "3 rows left out" in made.stderr
    assert "line 62" in made.stderr
    assert "tickets@1: 60 texts, 3 labels" in made.stdout
    return folder


def predict(home: Path, content: bytes, name: str = "asked.csv", output: str = "told.csv") -> subprocess.CompletedProcess[str]:
    """Predict a file."""
    (home / name).write_bytes(content)
    given = ("--name", "tickets", "--input", str(home / name), *TEXT, "--output", str(home / output))
    return mumian(home / "home", "text", "predict", *given)


def test_every_row_gets_a_label_and_a_confidence_in_its_place(home: Path) -> None:
    made = predict(home, lines(9).encode("utf-8-sig"))
    assert made.returncode == 0, made.stderr
    with (home / "told.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["编号"] for row in rows] == [each.reference for each in tickets(9)]
    assert [row["label"] for row in rows] == [row["类别"] for row in rows]
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows)


def test_short_and_empty_rows_keep_their_place(home: Path) -> None:
    content = "编号,标题,内容\nA,路灯不亮,路灯不亮\nB\nC,,\n"
    made = predict(home, content.encode("utf-16"), output="told.csv.gz")
    assert made.returncode == 0, made.stderr
    with gzip.open(home / "told.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["编号"], bool(row["label"])) for row in rows] == [("A", True), ("B", False), ("C", False)]


def test_what_would_run_in_a_spreadsheet_is_disarmed(home: Path) -> None:
    predict(home, "标题,内容\n=1+1,路灯不亮\n".encode())
    assert "=1+1" not in (home / "told.csv").read_text("utf-8").replace("'=1+1", "")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        ("题目,正文\na,b\n".encode(), "标题"),
        (gzip.compress(lines(9).encode())[:-20], "gzip"),
        (b"\x1f\x8b" + b"x" * 50, "gzip"),
        (b"\xff\xfe\xfd" * 9, "file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(home: Path, content: bytes, told: str) -> None:
    made = predict(home, content)
    assert made.returncode == 1
    assert told in made.stderr
    assert "Traceback" not in made.stderr


def test_a_model_that_is_not_there_is_said_so(home: Path) -> None:
    (home / "asked.csv").write_text("标题,内容\na,b\n", "utf-8")
    given = ("--name", "nothing", "--input", str(home / "asked.csv"), *TEXT, "--output", str(home / "x.csv"))
    made = mumian(home / "home", "text", "predict", *given)
    assert (made.returncode, "nothing" in made.stderr) == (1, True)
    assert not (home / "x.csv").exists()


def test_a_version_is_approved_once(home: Path) -> None:
    words = ("text", "approve", "--name", "tickets", "--version", "1")
    assert "approved" in mumian(home / "home", *words).stdout
    again = mumian(home / "home", *words)
    assert again.returncode == 1
    assert "approved" in again.stderr
