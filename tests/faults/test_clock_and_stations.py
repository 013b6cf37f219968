"""Clocks that jump, observations that come late or out of order, stations that repeat themselves, files with broken rows."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from mumian.foundation.sensing.api import Observations, Sensing, import_file, microseconds
from mumian.foundation.sensing.errors import BadRows
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from tests.conftest import START

HOUR = 3_600_000_000
NOW = microseconds(START)


def at(hours: list[int], results: list[float], stream: int = 1) -> Observations:
    times = NOW + np.array(hours, np.int64) * HOUR
    return Observations(np.full(len(hours), stream, np.int64), times, np.array(results, np.float64))


async def test_a_clock_that_jumps_back_and_forth_harms_no_observation(
    sensing: Sensing, sensed: Platform, clock: ManualClock
) -> None:
    assert (await sensing.record(at([0], [1.0]))).ids.tolist() == [1]
    clock.advance(days=400)
    assert (await sensing.record(at([24 * 400], [2.0]))).ids.tolist() == [2]
    await sensed.settle()
    clock.set(START - timedelta(days=400))
    with pytest.raises(BadRows):
        await sensing.record(at([0], [9.0], stream=2))
    assert (await sensing.record(at([-24 * 401], [3.0]))).ids.tolist() == [3]
    await sensed.settle()
    clock.set(START)
    assert sensing.window([1], 0, 2 * NOW).results.tolist() == [3.0, 1.0, 2.0]
    assert sensing.latest([1]).results.tolist() == [2.0]
    assert sensing.faults() == []


async def test_hours_that_come_in_any_order_are_each_there_once(sensing: Sensing, sensed: Platform) -> None:
    hours = np.random.default_rng(3).permutation(np.repeat(np.arange(-300, 0), 2)).tolist()
    accepted = 0
    for start in range(0, len(hours), 25):
        part = hours[start : start + 25]
        accepted += (await sensing.record(at(part, [float(h) for h in part]))).accepted
        if start % 100 == 0:
            await sensed.settle()
    assert accepted == 300
    found = sensing.window([1], 0, NOW)
    assert found.results.tolist() == [float(h) for h in range(-300, 0)]


async def test_a_station_that_repeats_itself_is_counted_once(sensing: Sensing, sensed: Platform) -> None:
    first = await sensing.record(at([-1, -2], [5.0, np.nan]))
    for _ in range(5):
        again = await sensing.record(at([-1, -2], [5.0, np.nan]))
        assert (again.accepted, again.ids.tolist()) == (0, first.ids.tolist())
        await sensed.settle()
    assert sensing.counts([1]) == {1: 2}


BROKEN = b"""\xef\xbb\xbfstream,time,result,note
a,2013-12-31T00:00:00Z,1.5,fine

nowhere,2013-12-31T00:00:00Z,1,unknown stream
a,yesterday,2,no time
a,2013-12-31T01:00:00Z,many,no number
a,2013-12-31T02:00:00Z
a,2013-12-31T03:00:00Z,4,x,too many
"a",2013-12-31 04:00:00+08:00,5,"quoted, with comma"
a,2013-12-31T05:00:00Z,NA,missing
\xff\xfe,2013-12-31T06:00:00Z,6,no UTF-8
a,2013-12-31T07:00:00Z,inf,not finite
a,,8,no time at all
a,2030-01-01T00:00:00Z,9,future
c,2013-12-31T08:00:00Z,100.5,out of range
a,2013-12-31T00:00:00Z,1.5,a repeat
a,2013-12-31T00:00:00Z,2.5,a correction
b,2013-12-31T09:00:00,7,no offset
"""


async def test_good_rows_go_in_and_bad_ones_are_listed_with_their_lines(
    sensing: Sensing, sensed: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "broken.csv"
    file.write_bytes(BROKEN)
    report = await import_file(sensed, file, stream_column="stream")
    found_lines = [(row.line, row.field) for row in report.broken]
    assert found_lines[:5] == [(4, "stream"), (5, "time"), (6, "result"), (7, "result"), (8, "")]
    assert found_lines[5:] == [(11, "stream"), (12, "result"), (13, "time"), (14, "time"), (15, "result")]
    assert (report.rows, report.accepted, report.repeated) == (16, 5, 1)
    found = sensing.window([1], 0, 2 * NOW)
    assert [None if np.isnan(r) else r for r in found.results.tolist()] == [5.0, 2.5, None]
    assert sensing.latest([2]).results.tolist() == [7.0]
    assert report.lines("zh")[0].startswith(str(file))
    assert len(report.lines("en")) == 11
    assert len(report.as_dict()["broken"]) == 10
    again = await import_file(sensed, file, stream_column="stream")
    assert (again.accepted, again.repeated) == (2, 4)
    assert sensing.faults() == []


async def test_a_quote_that_never_closes_costs_its_own_line_alone(sensing: Sensing, sensed: Platform, tmp_path: Path) -> None:
    file = tmp_path / "quote.csv"
    rows = [f'"a",2013-12-31T{hour:02}:00:00Z,{hour}' for hour in range(10)]
    rows[3] = 'a,"2013-12-31T03:00:00Z,3'
    rows[6] = '"a,2013-12-31T06:00:00Z,6,'
    file.write_text("\n".join(["stream,time,result", *rows]) + "\n", "utf-8")
    report = await import_file(sensed, file, stream_column="stream")
    assert [row.line for row in report.broken] == [5, 8]
    assert report.accepted + len(report.broken) == 10
    assert len(sensing.window([1], 0, NOW)) == report.accepted


async def test_a_file_beside_live_observations_meets_them(sensing: Sensing, sensed: Platform, tmp_path: Path) -> None:
    await sensing.record(at([-3, -2], [3.0, 2.0]))
    file = tmp_path / "hours.csv"
    file.write_text("when;value\n" + "".join(f"2013-12-31T{24 - h:02}:00:00Z;{h}\n" for h in range(10, 0, -1)), "utf-8")
    report = await import_file(sensed, file, stream="a", time="when", result="value")
    assert (report.accepted, report.repeated, report.broken) == (8, 2, ())
    assert sensing.window([1], 0, NOW).results.tolist() == [float(h) for h in range(10, 0, -1)]
    await sensing.record(at([0], [0.0]))
    assert sensing.latest([1]).ids.tolist() == [11]
    assert (await sensing.record(at([-9], [9.0]))).repeated == 1


async def test_parquet_is_read_like_csv(sensing: Sensing, sensed: Platform, tmp_path: Path) -> None:
    import duckdb

    file = tmp_path / "hours.parquet"
    duckdb.sql(
        "SELECT CASE WHEN i = 5 THEN 'x' ELSE 'a' END AS stream, TIMESTAMP '2013-12-31' + INTERVAL 1 HOUR * i AS time, "
        "CASE WHEN i = 7 THEN NULL ELSE i::DOUBLE END AS result FROM range(10) r(i)"
    ).write_parquet(str(file))
    report = await import_file(sensed, file, stream_column="stream")
    assert (report.accepted, [(row.line, row.field) for row in report.broken]) == (9, [(6, "stream")])
    found = sensing.window([1], 0, NOW)
    assert int(np.isnan(found.results).sum()) == 1
    assert found.results[0] == 0.0


async def test_a_file_that_cannot_be_used_is_refused(sensing: Sensing, sensed: Platform, tmp_path: Path) -> None:
    def made(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    for file, kwargs in [
        (made("empty.csv", b""), {"stream": "a"}),
        (made("twice.csv", b"time,time,result\n"), {"stream": "a"}),
        (made("other.csv", b"when,result\n"), {"stream": "a"}),
        (made("words.csv", b"time,result\n"), {}),
        (made("latin.csv", b"time,r\xe9sult\n"), {"stream": "a"}),
        (made("table.xlsx", b"PK"), {"stream": "a"}),
        (made("bad.parquet", b"PAR1"), {"stream": "a"}),
        (made("bad.csv.gz", b"no gzip"), {"stream": "a"}),
    ]:
        with pytest.raises(Invalid):
            await import_file(sensed, file, **kwargs)
    with pytest.raises(NotFound):
        await import_file(sensed, tmp_path / "absent.csv", stream="a")
    with pytest.raises(NotFound):
        await import_file(sensed, tmp_path / "empty.csv", stream="unknown")
    only_header = await import_file(sensed, made("header.csv", b"time,result\n"), stream="a")
    assert (only_header.rows, only_header.accepted) == (0, 0)
