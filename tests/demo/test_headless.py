"""The whole loop, headless: from observations to a closed incident, provable, and the same every time."""

import json
from pathlib import Path
from typing import Any

import pytest

from mumian.demo.api import DemoOptions, run

DAYS = 4


def _run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    monkeypatch.setenv("MUMIAN_HOME", str(home))
    assert run(DemoOptions(headless=True, json=True, days=DAYS, **options)) == 0
    outcome: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return outcome


def test_the_loop_closes_and_the_same_input_gives_the_same_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _run(tmp_path / "one", capsys, monkeypatch)
    assert list(first) == [
        *("observations", "vitals_evaluated", "warnings_raised", "warnings_lifted", "incidents_opened", "incidents_closed"),
        *("on_time_rate", "ledger_entries", "ledger_verified", "seconds"),
    ]
    assert first["observations"] == DAYS * 24 * 9
    assert first["vitals_evaluated"] > 0
    assert 1 <= first["incidents_closed"] <= first["incidents_opened"]
    assert first["warnings_raised"] <= first["incidents_opened"]
    assert 0 <= first["on_time_rate"] <= 1
    assert first["ledger_verified"] is True
    second, again = _run(tmp_path / "two", capsys, monkeypatch), _run(tmp_path / "one", capsys, monkeypatch)
    for other in (second, again):
        assert {**other, "seconds": 0} == {**first, "seconds": 0}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"from_": "2019-01-01"}, "--from"),
        ({"speed": 0.0}, "--speed"),
        ({"speed": float("nan")}, "--speed"),
        ({"port": -1}, "--port"),
    ],
)
def test_options_that_make_no_sense_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], named: str
) -> None:
    monkeypatch.setenv("MUMIAN_HOME", str(tmp_path / "home"))
    with pytest.raises(SystemExit):
        run(DemoOptions(headless=True, **options))
    assert named in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
