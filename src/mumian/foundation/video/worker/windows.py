"""Windows: what a task found, added up over the intervals that its streams observe."""

from dataclasses import dataclass, field

from mumian.foundation.video.vision.findings import Finding
from mumian.foundation.video.worker.messages import TaskPart

_LONGEST_GAP = 2_000_000
_MICROSECONDS = 1_000_000


@dataclass
class _Open:
    start: int
    covered: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)


class Windows:
    """Counts are summed, levels averaged, alarms counted; windows begin at whole multiples of the interval since 1970."""

    def __init__(self, task: TaskPart) -> None:
        self._interval = task.interval * _MICROSECONDS
        self._zero = [f"{name}.{way}" for name in task.lines for way in ("in", "out")] if task.algorithm == "line_count" else []
        self._alarms = task.algorithm != "line_count"
        self._open: _Open | None = None
        self._last: int | None = None

    def add(self, time: int, findings: list[Finding]) -> "tuple[int, float, dict[str, float]] | None":
        """Take in a frame's findings; the window before, where this frame begins another: start, coverage, values."""
        start = time - time % self._interval
        done = self.close() if self._open is not None and self._open.start != start else None
        if self._open is None:
            self._open = _Open(start)
        if self._last is not None:
            step = time - max(self._last, start)
            self._open.covered += step if time - self._last <= _LONGEST_GAP else 0
        self._last = time
        for found in findings:
            if found.kind == "alarm":
                continue
            self._open.sums[found.place] = self._open.sums.get(found.place, 0.0) + found.value
            self._open.samples[found.place] = self._open.samples.get(found.place, 0) + (found.kind == "level")
        if self._alarms:
            told = sum(1 for found in findings if found.kind == "alarm")
            self._open.sums["alarms"] = self._open.sums.get("alarms", 0.0) + told
        return done

    def close(self) -> "tuple[int, float, dict[str, float]] | None":
        """The window under way, ended here."""
        if self._open is None:
            return None
        done, self._open = self._open, None
        if self._last is not None and self._last >= done.start:
            missing = done.start + self._interval - self._last
            done.covered += missing if 0 < missing <= _LONGEST_GAP else 0
        values = dict.fromkeys(self._zero, 0.0)
        for place, total in done.sums.items():
            values[place] = total / done.samples[place] if done.samples.get(place) else total
        return done.start, min(1.0, done.covered / self._interval), values
