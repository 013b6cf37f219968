"""The rules of sensing against slow and simple ones."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.sensing import rules
from mumian.foundation.sensing.contracts import Observations
from mumian.foundation.sensing.service.tail import Tail
from mumian.foundation.sensing.sta.moments import written, written_many

FIRST = datetime(1900, 1, 2, tzinfo=UTC)
INSTANTS = st.integers(0, 109_000 * 86_400_000_000).map(lambda passed: FIRST + timedelta(microseconds=passed))
ROWS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5), st.sampled_from([1.0, 2.0, float("nan")])), max_size=30)


def observations(rows: list[tuple[int, int, float]]) -> Observations:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Observations(np.array(columns[0], np.int64), np.array(columns[1], np.int64), np.array(columns[2], np.float64))


@given(st.lists(INSTANTS, min_size=1, max_size=90), st.integers(0, 6))
def test_uniform_texts_are_read_as_python_reads_them(instants: list[datetime], decimals: int) -> None:
    texts = []
    for instant in instants:
        fraction = f"{instant.microsecond:06}"[:decimals]
        texts.append(instant.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + (f".{fraction}" if decimals else "") + "Z")
    expected = [rules.microseconds(datetime.fromisoformat(text)) for text in texts]
    assert rules.parse_times(texts)[0].tolist() == expected
    assert rules.parse_times(texts * 10)[0].tolist() == expected * 10


@given(INSTANTS, st.integers(-14 * 60, 14 * 60))
def test_an_offset_changes_nothing_but_the_writing(instant: datetime, minutes: int) -> None:
    text = instant.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    assert rules.parse_time(text) == rules.microseconds(instant)
    assert rules.instant(rules.microseconds(instant)) == instant


@given(st.lists(st.text("0123456789-:TZ.+ ", min_size=15, max_size=28), min_size=1, max_size=80))
def test_what_is_no_instant_is_found_and_named(texts: list[str]) -> None:
    _, bad = rules.parse_times(texts)
    for i, text in enumerate(texts):
        try:
            rules.parse_time(text)
        except ValueError:
            assert bad == i
            return
    assert bad == -1


@given(st.lists(ROWS, max_size=8))
def test_repeats_and_corrections_are_told_like_row_by_row(batches: list[list[tuple[int, int, float]]]) -> None:
    tail, known, next_id = Tail(), dict[tuple[int, int], tuple[int, float]](), 1
    tail.make_room(3)
    for rows in batches:
        batch = observations(rows)
        decision = rules.decide(batch, tail.known(batch), next_id)
        expected = []
        for stream, time, result in rows:
            current = known.get((stream, time))
            if current is None or not (current[1] == result or (np.isnan(current[1]) and np.isnan(result))):
                current = known[stream, time] = (next_id + sum(new for _, new in expected), result)
                expected.append((current[0], True))
            else:
                expected.append((current[0], False))
        assert list(zip(decision.ids.tolist(), decision.new.tolist(), strict=True)) == expected
        fresh = batch.take(np.flatnonzero(decision.new))
        ids = np.arange(next_id, next_id + len(fresh))
        next_id += len(fresh)
        tail.append(Observations(fresh.streams, fresh.times, fresh.results, ids, fresh.result_times))
    newest = rules.newest(tail.rows())
    found = dict(zip(zip(newest.streams.tolist(), newest.times.tolist(), strict=True), newest.ids.tolist(), strict=True))
    assert found == {place: number for place, (number, _) in known.items()}


@given(ROWS)
def test_rows_are_distinct_when_no_stream_and_time_stands_twice(rows: list[tuple[int, int, float]]) -> None:
    batch = observations(rows)
    places = [(stream, time) for stream, time, _ in rows]
    assert (not rows) or rules.distinct(batch.streams, batch.times) == (len(set(places)) == len(places))


@given(ROWS.filter(bool))
def test_a_digest_depends_on_every_value_and_on_no_order(rows: list[tuple[int, int, float]]) -> None:
    batch = observations(rows)
    batch = Observations(batch.streams, batch.times, batch.results, np.arange(1, len(rows) + 1))
    backwards = batch.take(np.arange(len(rows))[::-1])
    assert rules.digest(batch) == rules.digest(backwards)
    changed = Observations(batch.streams, batch.times + 1, batch.results, batch.ids)
    assert rules.digest(batch) != rules.digest(changed)


@given(ROWS)
def test_rows_lie_stream_by_stream_in_the_order_of_their_times(rows: list[tuple[int, int, float]]) -> None:
    order = rules.by_stream(observations(rows)).tolist()
    assert order == sorted(range(len(rows)), key=lambda place: rows[place][:2])


@given(st.lists(INSTANTS, max_size=30), st.booleans())
def test_many_moments_are_written_as_each_by_itself(instants: list[datetime], whole: bool) -> None:
    times = [rules.microseconds(instant) // 1000 * 1000 if whole else rules.microseconds(instant) for instant in instants]
    assert [text.decode() for text in written_many(np.array(times, np.int64))] == [written(time) for time in times]
