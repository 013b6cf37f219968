"""Properties of the warning fold: one warning a key, no flapping inside the band, order and repeats do not matter."""

from hypothesis import given
from hypothesis import strategies as st

from mumian.brain.warnings.rules import LEVELS, MEMORY, Line, Rule, Sample, Standing, Track, step, take, threshold

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def rule(duration: int = 0, stale: int = 12 * HOUR, sign: int = 1) -> Rule:
    """Four lines, entered at 100, 150, 200, 250 and left at 90, 140, 190, 240."""
    lines = tuple(Line(i, (100 + 50 * i), (90 + 50 * i), duration) for i in range(4))
    if sign < 0:
        lines = tuple(Line(i, -(400 - (100 + 50 * i)), -(400 - (90 + 50 * i)), duration) for i in range(4))
    return Rule(lines, sign, stale)


values = st.one_of(st.none(), st.floats(0, 400, allow_nan=False), st.sampled_from([89.9, 90.0, 99.9, 100.0, 149.0, 150.0, 250.0]))
series = st.lists(values, max_size=MEMORY).map(lambda vs: [(i * HOUR, v) for i, v in enumerate(vs)])
durations = st.sampled_from([0, HOUR, 3 * HOUR])


def follow(judge: Rule, samples: list[Sample]) -> Track:
    track = Track()
    for sample in samples:
        track = take(judge, track, sample)
    return track


@given(series, durations)
def test_a_warning_is_only_raised_after_its_line_was_held_for_the_duration(samples: list[Sample], duration: int) -> None:
    judge, standing = rule(duration), Standing()
    for index, sample in enumerate(samples):
        after = step(judge, standing, sample)
        if after.severity is not None and (standing.severity is None or after.severity > standing.severity):
            line = judge.lines[after.severity]
            held = [v for t, v in samples[: index + 1] if t >= sample[0] - duration and v is not None]
            assert held
            assert all(v >= line.enter for v in held)
        standing = after


@given(series, durations)
def test_a_warning_is_only_lifted_below_leave_for_the_duration_or_after_the_stale_limit(
    samples: list[Sample], duration: int
) -> None:
    judge, standing = rule(duration), Standing()
    for index, sample in enumerate(samples):
        after = step(judge, standing, sample)
        if standing.severity is not None and after.severity is None:
            held = [v for t, v in samples[: index + 1] if t >= sample[0] - duration and v is not None]
            gone = sample[1] is None and sample[0] - (standing.valued_at or 0) >= judge.stale
            assert gone or all(v < judge.lines[0].leave for v in held)
        standing = after


@given(st.lists(st.floats(90, 149.99), min_size=1, max_size=60))
def test_values_inside_the_hysteresis_band_change_nothing(inside: list[float]) -> None:
    judge = rule()
    standing = step(judge, Standing(), (0, 120.0))
    assert standing.severity == 0
    for index, value in enumerate(inside, 1):
        standing = step(judge, standing, (index * HOUR, value))
        assert (standing.severity, standing.since) == (0, 0)


@given(st.lists(st.floats(0, 99.99), max_size=60))
def test_values_that_never_reach_the_first_line_never_raise(below: list[float]) -> None:
    assert follow(rule(), [(i * HOUR, v) for i, v in enumerate(below)]).now.severity is None


@given(series, durations, st.randoms(use_true_random=False))
def test_samples_in_any_order_and_repeated_end_in_the_same_standing(samples: list[Sample], duration: int, random: object) -> None:
    judge = rule(duration)
    mixed = samples + samples[::2]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    first = follow(judge, samples)
    second = follow(judge, mixed)
    assert second.now == first.now
    assert second.samples == first.samples


@given(series, durations, st.data())
def test_a_corrected_sample_counts_as_if_it_had_been_right_at_once(
    samples: list[Sample], duration: int, data: st.DataObject
) -> None:
    if not samples:
        return
    index = data.draw(st.integers(0, len(samples) - 1))
    wrong = [*samples[:index], (samples[index][0], data.draw(values)), *samples[index + 1 :]]
    judge = rule(duration)
    assert take(judge, follow(judge, wrong), samples[index]).now == follow(judge, samples).now


@given(st.lists(values, max_size=80).map(lambda vs: [(i * HOUR, v) for i, v in enumerate(vs)]))
def test_the_memory_is_bounded_and_forgets_only_the_oldest(samples: list[Sample]) -> None:
    judge, standing = rule(HOUR), Standing()
    for sample in samples:
        standing = step(judge, standing, sample)
    track = follow(judge, samples)
    assert track.now == standing
    assert len(track.samples) == min(len(samples), MEMORY)


@given(st.integers(1, 11))
def test_missing_values_neither_raise_nor_lift_before_the_stale_limit(hours: int) -> None:
    judge = rule()
    track = follow(judge, [(0, 260.0), *((i * HOUR, None) for i in range(1, hours + 1))])
    assert track.now.severity == 3
    assert follow(judge, [(i * HOUR, None) for i in range(hours)]).now.severity is None


def test_a_warning_without_a_value_is_lifted_at_the_stale_limit() -> None:
    track = follow(rule(), [(0, 260.0), *((i * HOUR, None) for i in range(1, 13))])
    assert track.now.severity is None
    assert track.now.stale


@given(st.lists(st.floats(0, 400), max_size=MEMORY))
def test_a_vital_where_low_is_bad_is_judged_as_the_mirror_of_one_where_high_is_bad(raw: list[float]) -> None:
    high = follow(rule(HOUR), [(i * HOUR, v) for i, v in enumerate(raw)])
    low = follow(rule(HOUR, sign=-1), [(i * HOUR, 400 - v) for i, v in enumerate(raw)])
    assert low.now.severity == high.now.severity


def test_a_threshold_is_told_as_it_was_declared() -> None:
    assert [threshold(rule(), LEVELS.index(level)) for level in ("blue", "red")] == [100, 250]
    assert threshold(rule(sign=-1), 0) == 300
