"""Clocks: the one source of "now", so that a city can run live, replayed or stepped by hand."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Clock(Protocol):
    """Anything that tells the time as an aware UTC `datetime`.

    `mode` is `live` or `replay`, `speed` how many of its seconds pass in a real one; `stepped` says that it is moved by hand.
    """

    mode: str
    speed: float
    stepped: bool

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def real_seconds(self, seconds: float) -> float:
        """How many real seconds pass while `seconds` pass on this clock."""
        ...


class SystemClock:
    """The machine's own clock."""

    mode = "live"
    speed = 1.0
    stepped = False

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)

    def real_seconds(self, seconds: float) -> float:
        """One second is one second."""
        return seconds


class ManualClock:
    """A clock that stands still until it is moved: for tests and stepped replays."""

    mode = "replay"
    speed = 0.0
    stepped = True

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The instant last set."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Jump to `instant`, forwards or backwards."""
        self._now = instant.astimezone(UTC)

    def advance(self, **delta: float) -> None:
        """Move by `timedelta(**delta)`."""
        self._now += timedelta(**delta)

    def real_seconds(self, seconds: float) -> float:
        """A stepped clock never makes anyone wait."""
        return 0.0


class ReplayClock:
    """A clock that starts at `start` and runs `speed` times as fast as real time."""

    mode = "replay"
    stepped = False

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = start.astimezone(UTC)
        self._real = time.monotonic()
        self.speed = speed

    def now(self) -> datetime:
        """The replayed instant, aware, in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._real) * self.speed)

    def real_seconds(self, seconds: float) -> float:
        """Replayed seconds divided by the speed."""
        return seconds / self.speed


def iso(instant: datetime) -> str:
    """Write an aware instant as the one text form that the records keep: UTC, microseconds, `Z`."""
    return instant.astimezone(UTC).strftime(_FORMAT)


def parse_iso(text: str) -> datetime:
    """Read an ISO 8601 instant; one without an offset is refused with `ValueError`."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; write it like 2014-01-02T03:04:05Z")
    return instant.astimezone(UTC)
