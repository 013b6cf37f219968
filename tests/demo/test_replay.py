"""Behaviour of replay data and of the demo's data folder."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mumian.demo.errors import BadReplay, HomeTaken
from mumian.demo.home import claim
from mumian.demo.replay import Replay, read_replay
from tests.conftest import ROOT

MANIFEST = """
file = "t.csv.gz"
time = ["y", "m", "d", "h"]
missing = "NA"
start = 2014-01-02
[streams]
"a.b" = "A"
"c.d" = "C"
"""
TABLE = "y,m,d,h,A,C\n2014,1,1,23,1.5,NA\n2014,1,2,0,NA,2\n2014,1,2,1,3,4\n"


def _city(folder: Path, manifest: str = MANIFEST, table: str = TABLE) -> Path:
    (folder / "data").mkdir()
    (folder / "data" / "replay.toml").write_text(manifest, "utf-8")
    (folder / "data" / "t.csv.gz").write_bytes(gzip.compress(table.encode()))
    return folder


def test_local_hours_become_utc_and_missing_values_stay_missing(tmp_path: Path) -> None:
    replay = read_replay(_city(tmp_path), "Asia/Shanghai")
    assert replay.streams == ("a.b", "c.d")
    first = datetime(2014, 1, 1, 15, tzinfo=UTC)
    assert replay.times == tuple(first + timedelta(hours=i) for i in range(3))
    assert replay.rows == ((1.5, None), (None, 2.0), (3.0, 4.0))
    assert replay.start == first + timedelta(hours=1)


def test_a_span_holds_its_first_hour_and_not_its_last(tmp_path: Path) -> None:
    replay = read_replay(_city(tmp_path), "Asia/Shanghai")
    assert [row for _, row in replay.between(replay.times[0], replay.times[2])] == list(replay.rows[:2])
    assert list(replay.between(replay.times[1], replay.times[1])) == []


def test_days_are_the_citys_and_must_have_data(tmp_path: Path) -> None:
    replay = read_replay(_city(tmp_path), "Asia/Shanghai")
    assert replay.day(None) == replay.start == replay.day("2014-01-02")
    for text in ("2014-01-03", "2013-12-30", "soon", "2014-13-01"):
        with pytest.raises(BadReplay):
            replay.day(text)


@pytest.mark.parametrize(
    ("manifest", "table"),
    [
        ("", TABLE),
        ("file = ", TABLE),
        (MANIFEST.replace('"A"', '"B"'), TABLE),
        (MANIFEST.replace("t.csv", "u.csv"), TABLE),
        (MANIFEST, TABLE + "2014,1,1,0,1,1\n"),
        (MANIFEST, TABLE + "2014,1,2,2,x,1\n"),
        (MANIFEST, TABLE + "2014,1,2,99,1,1\n"),
        (MANIFEST, "y,m,d,h,A,C\n"),
    ],
)
def test_a_broken_manifest_or_table_is_named_and_not_replayed(tmp_path: Path, manifest: str, table: str) -> None:
    with pytest.raises(BadReplay) as refused:
        read_replay(_city(tmp_path, manifest, table), "Asia/Shanghai")
    assert refused.value.faults[0].file is not None
    with pytest.raises(BadReplay):
        read_replay(tmp_path / "data", "Asia/Shanghai")


@pytest.fixture(scope="module")
def shipped() -> Replay:
    """The data that come with the city."""
    return read_replay(ROOT / "cities" / "guangzhou", "Asia/Shanghai")


def test_the_shipped_data_have_every_hour_of_five_years(shipped: Replay) -> None:
    assert len(shipped.times) == 43_824
    assert shipped.times[-1] - shipped.times[0] == timedelta(hours=43_823)
    present = [sum(row[i] is not None for row in shipped.rows) for i in range(len(shipped.streams))]
    assert present == [23_836, 12_527, 23_836, 43_824, 43_820, 43_820, 43_824, 43_824, 43_824]


def test_two_of_the_shipped_stations_repeat_one_another_as_the_notice_says(shipped: Replay) -> None:
    one, other = shipped.streams.index("air.city-station.pm25"), shipped.streams.index("air.us-post.pm25")
    assert all(row[one] == row[other] for row in shipped.rows)


def test_an_empty_folder_is_taken_and_a_live_demo_is_gone_on_with(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert claim(home, headless=False) is False
    assert claim(home, headless=False) is True


def test_a_folder_that_is_not_the_demos_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite").write_text("a city", "utf-8")
    for headless in (True, False):
        with pytest.raises(HomeTaken):
            claim(tmp_path, headless)
    assert (tmp_path / "records.sqlite").read_text("utf-8") == "a city"


def test_a_headless_run_clears_only_what_a_headless_run_left(tmp_path: Path) -> None:
    live, headless = tmp_path / "live", tmp_path / "headless"
    claim(live, headless=False)
    with pytest.raises(HomeTaken):
        claim(live, headless=True)
    claim(headless, headless=True)
    (headless / "lake").mkdir()
    (headless / "lake" / "file").write_text("old", "utf-8")
    assert claim(headless, headless=True) is False
    assert not (headless / "lake").exists()
    assert json.loads((headless / "demo.json").read_text("utf-8")) == {"headless": True}
    with pytest.raises(HomeTaken):
        claim(headless, headless=False)
