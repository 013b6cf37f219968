"""The journal: what was appended is recovered; a torn end is cut off, damage is named."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.sensing.contracts import Observations
from mumian.foundation.sensing.errors import JournalDamaged
from mumian.foundation.sensing.journal.format import Answer, Record
from mumian.foundation.sensing.journal.segments import Journal
from mumian.kernel.errors import Unavailable


def record(sequence: int, rows: int = 3) -> Record:
    values = np.arange(sequence * 10, sequence * 10 + rows, dtype=np.int64)
    return Record(
        sequence, sequence * 10, 7, Observations(values, values, values / 4), [Answer(f"k{sequence}", "d", [1], 3, 0, 5)]
    )


def written(folder: Path, count: int, segment_bytes: int = 1 << 20) -> None:
    journal = Journal(folder, segment_bytes)
    for sequence in range(1, count + 1):
        journal.append(record(sequence))
    journal.close()


def recovered(folder: Path) -> list[int]:
    journal = Journal(folder, 1 << 20)
    try:
        found = list(journal.recover())
    finally:
        journal.close()
    for one in found:
        wanted = record(one.sequence)
        assert one.rows.results.tolist() == wanted.rows.results.tolist()
        assert one.rows.ids.tolist() == list(range(one.first_id, one.first_id + 3))
        assert one.answers == wanted.answers
    return [one.sequence for one in found]


def test_records_come_back_in_order_from_all_segments(tmp_path: Path) -> None:
    written(tmp_path, 30, segment_bytes=500)
    assert len(list(tmp_path.glob("*.journal"))) > 5
    assert recovered(tmp_path) == list(range(1, 31))


def test_segments_go_when_all_their_records_may(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 500)
    for sequence in range(1, 11):
        journal.append(record(sequence))
    journal.release(5)
    journal.append(record(11))
    journal.close()
    left = recovered(tmp_path)
    assert left[-6:] == list(range(6, 12))
    assert left[0] > 1
    again = Journal(tmp_path, 500)
    assert len(list(again.recover())) == len(left)
    again.release(11)
    again.close()
    assert list(tmp_path.glob("*.journal")) == []


@given(cut=st.integers(0, 600))
def test_a_torn_end_is_cut_off_wherever_it_tore(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("journal")
    written(folder, 4)
    file = next(folder.glob("*.journal"))
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.truncate(max(size - cut, 0))
    survived = recovered(folder)
    assert survived == list(range(1, len(survived) + 1))
    assert cut or len(survived) == 4
    assert recovered(folder) == survived


@given(at=st.integers(16, 500), value=st.integers(1, 255))
def test_a_changed_byte_is_never_taken_for_an_observation(tmp_path_factory: pytest.TempPathFactory, at: int, value: int) -> None:
    folder = tmp_path_factory.mktemp("journal")
    written(folder, 4)
    file = next(folder.glob("*.journal"))
    content = bytearray(file.read_bytes())
    content[at % len(content)] ^= value
    file.write_bytes(content)
    try:
        survived = recovered(folder)
    except JournalDamaged:
        return
    assert survived == list(range(1, len(survived) + 1))
    assert len(survived) < 4


def test_a_damaged_record_before_others_is_named_and_nothing_is_cut(tmp_path: Path) -> None:
    written(tmp_path, 4)
    file = next(tmp_path.glob("*.journal"))
    content = bytearray(file.read_bytes())
    content[80] ^= 1
    file.write_bytes(content)
    with pytest.raises(JournalDamaged):
        recovered(tmp_path)
    assert file.read_bytes() == content


def test_two_processes_cannot_write_one_journal(tmp_path: Path) -> None:
    first = Journal(tmp_path, 1 << 20)
    with pytest.raises(Unavailable):
        Journal(tmp_path, 1 << 20)
    first.close()
    Journal(tmp_path, 1 << 20).close()
