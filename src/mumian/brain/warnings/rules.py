"""Rules of warnings: a pure fold over a vital's samples, with hysteresis, duration and a limit for missing data.

There is at most one warning per rule and key. A level is entered when the value has been at or over `enter` for its duration
and given up when it has been under `leave` for as long. Missing samples neither raise nor lift; after the stale limit without a
value the warning is lifted. Samples may come again, late or out of order: the fold keeps the newest few and goes over
them again, so that the outcome depends on the samples alone. Times are microseconds since 1970 on the vital's own axis.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace

LEVELS = ("blue", "yellow", "orange", "red")
MEMORY = 24


@dataclass(frozen=True)
class Line:
    """One level of a rule: its place in LEVELS, `duration` in microseconds, values already signed so that higher is worse."""

    severity: int
    enter: float
    leave: float
    duration: int


@dataclass(frozen=True)
class Rule:
    """Lines from mild to severe, the sign that makes higher worse (-1 for vitals where low is bad), the stale limit in µs."""

    lines: tuple[Line, ...]
    sign: int
    stale: int


@dataclass(frozen=True)
class Standing:
    """Where a warning stands after the samples so far; `over`/`under`: since when each line is entered/left."""

    severity: int | None = None
    since: int = 0
    value: float | None = None
    valued_at: int | None = None
    over: tuple[int | None, ...] = ()
    under: tuple[int | None, ...] = ()
    stale: bool = False


Sample = tuple[int, float | None]


@dataclass(frozen=True)
class Track:
    """The memory of one rule and key: the standing before the remembered samples, the samples in order, the standing after."""

    base: Standing = Standing()
    samples: tuple[Sample, ...] = ()
    now: Standing = Standing()
    forgotten: int | None = None


def step(rule: Rule, standing: Standing, sample: Sample) -> Standing:
    """The standing after one more sample, which is later than those before it."""
    time, value = sample
    if value is None:
        return _without_value(rule, standing, time)
    signed = value * rule.sign
    fresh = standing.valued_at is None or time - standing.valued_at < rule.stale
    count = len(rule.lines)
    over_before = standing.over if fresh and len(standing.over) == count else (None,) * count
    under_before = standing.under if fresh and len(standing.under) == count else (None,) * count
    over = tuple(_since(before, signed >= line.enter, time) for line, before in zip(rule.lines, over_before, strict=True))
    under = tuple(_since(before, signed < line.leave, time) for line, before in zip(rule.lines, under_before, strict=True))
    severity = _severity(rule, standing.severity, over, under, time)
    since = standing.since if severity is not None and standing.severity is not None else time
    return Standing(severity, since, value, time, over, under)


def take(rule: Rule, track: Track, sample: Sample) -> Track:
    """The track after one more sample; one at a known time replaces it, one older than the memory is ignored."""
    time = sample[0]
    if track.forgotten is not None and time <= track.forgotten:
        return track
    samples = track.samples
    if not samples or time > samples[-1][0]:
        samples, now = (*samples, sample), step(rule, track.now, sample)
    else:
        place = bisect_left(samples, time, key=lambda s: s[0])
        known = samples[place][0] == time
        if known and samples[place][1] == sample[1]:
            return track
        samples = (*samples[:place], sample, *samples[place + known :])
        now = _fold(rule, track.base, samples)
    if len(samples) <= MEMORY:
        return Track(track.base, samples, now, track.forgotten)
    return Track(step(rule, track.base, samples[0]), samples[1:], now, samples[0][0])


def refold(rule: Rule, track: Track) -> Track:
    """The track judged anew by a changed rule, as far as the memory goes."""
    base = replace(track.base, over=(), under=(), severity=_known(rule, track.base.severity))
    return Track(base, track.samples, _fold(rule, base, track.samples), track.forgotten)


def threshold(rule: Rule, severity: int) -> float | None:
    """The value that enters a severity, as declared."""
    return next((line.enter * rule.sign for line in rule.lines if line.severity == severity), None)


def _fold(rule: Rule, standing: Standing, samples: Iterable[Sample]) -> Standing:
    for sample in samples:
        standing = step(rule, standing, sample)
    return standing


def _without_value(rule: Rule, standing: Standing, time: int) -> Standing:
    if standing.valued_at is None or time - standing.valued_at < rule.stale:
        return standing
    stale = standing.severity is not None or standing.stale
    return Standing(valued_at=standing.valued_at, value=standing.value, since=time, stale=stale)


def _since(before: int | None, holds: bool, time: int) -> int | None:
    if not holds:
        return None
    return time if before is None else before


def _severity(
    rule: Rule, present: int | None, over: tuple[int | None, ...], under: tuple[int | None, ...], time: int
) -> int | None:
    entered = [
        line.severity for line, since in zip(rule.lines, over, strict=True) if since is not None and time - since >= line.duration
    ]
    kept = [
        line.severity
        for line, since in zip(rule.lines, under, strict=True)
        if present is not None and line.severity <= present and not (since is not None and time - since >= line.duration)
    ]
    return max((*entered, *kept), default=None)


def _known(rule: Rule, severity: int | None) -> int | None:
    return severity if any(line.severity == severity for line in rule.lines) else None
