"""Flags and details of observations: kept through journal, memory and lake, told apart, proved, and free where there are none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.sensing import rules
from mumian.foundation.sensing.api import Observations, Sensing
from mumian.foundation.sensing.contracts import MEASUREMENT
from mumian.foundation.sensing.journal.format import SEGMENT_HEADER, Record
from mumian.foundation.sensing.journal.segments import Journal
from mumian.foundation.sensing.service.results import ANY, KINDS
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.sensing.conftest import build
from tests.foundation.sensing.test_recording import HOUR, NOW

DETAILS = st.none() | st.dictionaries(st.sampled_from(["result", "parameters"]), st.text(max_size=9)).map(json.dumps)


@pytest.fixture(autouse=True)
def of_any_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that are declared take results of any kind."""
    monkeypatch.setitem(KINDS, MEASUREMENT, ANY)


def batch(*rows: tuple[int, int, float, Any]) -> Observations:
    """Rows of stream, hours before the start of the clock, result and detail."""
    streams, hours, results, details = zip(*rows, strict=True)
    columns = (np.array(streams, np.int64), NOW - np.array(hours, np.int64) * HOUR, np.array(results, np.float64))
    return Observations(*columns, details=np.array([*details, None], np.object_)[:-1])


def flag_all(rows: Observations, live: bool = True) -> Observations:
    return rows.flagged(np.full(len(rows), 5, np.int64))


async def test_details_are_found_in_memory_and_in_the_lake_and_only_when_asked_for(sensing: Sensing, sensed: Platform) -> None:
    await sensing.record(batch((1, 2, np.nan, '{"result":"雨"}'), (1, 1, 3.0, None), (2, 1, 4.0, '{"parameters":{"a":1}}')))
    for _ in range(2):
        rows = sensing.window([1, 2], 0, NOW, details=True)
        assert [rows.detail(row) for row in range(3)] == ['{"result":"雨"}', None, '{"parameters":{"a":1}}']
        assert sensing.window([1, 2], 0, NOW).details is None
        assert sensing.latest([1, 2]).details.tolist() == [None, '{"parameters":{"a":1}}']  # type: ignore[union-attr]
        assert sensing.numbered(1, 3).details.tolist() == rows.details.tolist()  # type: ignore[union-attr]
        await sensed.settle()
        sensing.tail.drop(sensing.recorder.folded)
        sensing.recorder.folded = len(sensing.tail)
    assert sensing.faults() == []


async def test_details_are_part_of_what_makes_a_repeat(sensing: Sensing, sensed: Platform) -> None:
    wet, dry = batch((1, 2, np.nan, '{"result":"wet"}')), batch((1, 2, np.nan, '{"result":"dry"}'))
    assert (await sensing.record(wet)).ids.tolist() == [1]
    assert (await sensing.record(wet)).repeated == 1
    assert (await sensing.record(dry)).ids.tolist() == [2]
    assert (await sensing.record(batch((1, 2, np.nan, None)))).ids.tolist() == [3]
    await sensing.record(batch((1, 1, 1.0, None)))
    await sensed.settle()
    assert (await sensing.record(batch((1, 2, np.nan, None)))).ids.tolist() == [3]
    sensing.tail.drop(sensing.recorder.folded)
    sensing.recorder.folded = 0
    assert (await sensing.record(batch((1, 2, np.nan, None)))).ids.tolist() == [3]
    assert (await sensing.record(dry)).ids.tolist() == [5]
    both = batch((2, 1, 1.0, '{"a":1}'), (2, 1, 1.0, '{"a":1}'), (2, 1, 1.0, None))
    assert (await sensing.record(both)).ids.tolist() == [6, 6, 7]


async def test_everything_is_there_after_a_restart(settings: Settings, clock: ManualClock) -> None:
    for round_ in range(2):
        platform = build(settings, clock)
        await platform.start()
        sensing = platform.get(Sensing)
        sensing.recorder.judge = flag_all
        receipt = await sensing.record(batch((1, 2, np.nan, '{"result":[1,2]}'), (2, 2, 2.0, None)))
        assert receipt.repeated == 2 * round_
        latest = sensing.latest([1])
        assert (latest.detail(0), latest.flags.tolist()) == ('{"result":[1,2]}', [5])
        assert sensing.window([2], 0, NOW).flags.tolist() == [5]
        assert sensing.faults() == []
        await platform.stop()


async def test_a_judge_that_fails_loses_no_observation(sensing: Sensing, caplog: pytest.LogCaptureFixture) -> None:
    def fail(rows: Observations, live: bool = True) -> Observations:
        raise ZeroDivisionError

    sensing.recorder.judge = fail
    assert (await sensing.record(batch((1, 2, 1.0, None)))).accepted == 1
    assert "could not be judged" in caplog.text
    assert sensing.window([1], 0, NOW).flags.tolist() == [0]


async def test_a_changed_detail_or_flag_in_the_lake_is_found(sensing: Sensing, sensed: Platform) -> None:
    sensing.recorder.judge = flag_all
    await sensing.record(batch((1, 2, np.nan, '{"result":"a"}'), (1, 1, 1.0, None)))
    await sensed.settle()
    lake = sensed.get(Lake)  # type: ignore[type-abstract]
    for change, back in [("flags = 0", "flags = 5"), ("detail = 'x'", """detail = '{"result":"a"}'""")]:
        with lake.transaction() as work:
            work.execute(f"UPDATE observation SET {change} WHERE id = 1")
        assert "digest" in [fault.field for fault in sensing.faults()]
        with lake.transaction() as work:
            work.execute(f"UPDATE observation SET {back} WHERE id = 1")
        assert "digest" not in [fault.field for fault in sensing.faults()]


@given(st.lists(st.tuples(DETAILS, st.integers(0, 2**40)), min_size=1, max_size=6))
def test_the_journal_gives_back_what_it_was_given(tmp_path_factory: pytest.TempPathFactory, told: list[tuple[Any, int]]) -> None:
    folder, count = tmp_path_factory.mktemp("journal"), len(told)
    rows = batch(*((1, row, float(row), detail) for row, (detail, _) in enumerate(told)))
    rows = rows.flagged(np.array([flag for _, flag in told], np.int64)).numbered(np.arange(7, 7 + count))
    journal = Journal(folder, 1 << 20)
    journal.append(Record(1, 7, 0, rows))
    journal.close()
    again = Journal(folder, 1 << 20)
    found = next(again.recover()).rows
    again.close()
    assert rules.digest(found) == rules.digest(rows)
    assert [found.detail(row) for row in range(count)] == [detail for detail, _ in told]


def test_a_segment_from_before_there_were_details_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1 << 20)
    journal.append(Record(1, 1, 0, Observations(np.array([1]), np.array([2]), np.array([3.0]))))
    journal.close()
    file = next(tmp_path.glob("*.journal"))
    content = file.read_bytes()
    file.write_bytes(SEGMENT_HEADER.pack(b"MUMJRNL1", 1) + content[SEGMENT_HEADER.size :])
    again = Journal(tmp_path, 1 << 20)
    assert [record.rows.results.tolist() for record in again.recover()] == [[3.0]]
    again.close()


def test_a_digest_of_plain_rows_is_what_it_always_was() -> None:
    rows = Observations(np.array([1, 2]), np.array([5, 6]), np.array([0.5, np.nan]), np.array([1, 2]))
    assert rules.digest(rows) == "8360fb123ee048cb3e7415ae91bdf56e44758c9975b70d7e2ddfc431e89c4ad9"
