"""Figures are medians of whole runs, kept with machine and commit, and never mixed with those of other data."""

import json
from pathlib import Path

import pytest

from bench import runner


def test_each_number_is_the_median_of_its_runs() -> None:
    runs = [
        [{"name": "x", "value": value, "unit": "1/s", "size": "1", "p99_ms": p99}]
        for value, p99 in ((3, 9.0), (1, 7.0), (2, 8.0))
    ]
    assert runner.medians(runs) == [{"name": "x", "value": 2.0, "unit": "1/s", "size": "1", "p99_ms": 8.0}]


def test_the_ratio_is_that_of_the_medians() -> None:
    runs = [[{"name": "x", "value": 4.0, "unit": "s", "size": 1, "peer": "y", "peer_value": 2.0, "ratio": 99.0}]] * 3
    assert runner.medians(runs)[0]["ratio"] == 2.0


def test_four_digits_are_enough() -> None:
    runs = [[{"name": "x", "value": 123456.789, "unit": "1/s", "size": 1}]]
    assert runner.medians(runs)[0]["value"] == 123500.0


def test_every_benchmark_says_what_it_measures() -> None:
    assert "start" in runner.names()
    assert all(sentence.endswith((".", ":", ";", ",")) or len(sentence) > 20 for sentence in runner.names().values())


def test_a_record_names_machine_and_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    runner.keep("x", [{"name": "x", "value": 1.0, "unit": "s", "size": 1}], None)
    kept = json.loads((tmp_path / "x.json").read_text("utf-8"))
    assert kept["commit"]
    assert kept["machine"]["cores"] >= 1
    assert kept["machine"]["python"]
    assert kept["runs"] == 3


def test_figures_of_other_data_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    runner.keep("x", [], tmp_path / "other.csv")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.main("mystery", None, as_json=True) == 1
    assert "start" in capsys.readouterr().err
