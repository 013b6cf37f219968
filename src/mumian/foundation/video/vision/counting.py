"""Counting: what crosses a line, and in which direction."""

from collections.abc import Mapping, Sequence

from mumian.foundation.video.vision.findings import Finding, Image
from mumian.foundation.video.vision.foreground import Foreground
from mumian.foundation.video.vision.geometry import XY, crosses
from mumian.foundation.video.vision.labelling import Labels
from mumian.foundation.video.vision.tracking import Tracker


class LineCounting:
    """Counts each object once at each line: `in` from the left to the right of one who looks from its first point to its second.

    `lines` are pairs of points by name; `labels` lets only objects count that a model calls so.
    """

    def __init__(
        self,
        lines: Mapping[str, Sequence[XY]],
        sensitivity: float = 0.5,
        fps: float = 12.5,
        smallest: float = 0.002,
        labels: Labels | None = None,
    ) -> None:
        self._lines = lines
        self._foreground = Foreground(sensitivity, fps, smallest)
        self._tracker = Tracker()
        self._labels = labels
        self._counted: dict[str, set[int]] = {name: set() for name in lines}

    def __call__(self, frame: Image, time: float) -> list[Finding]:
        """One `count` for each crossing, its place `<line>.in` or `<line>.out`."""
        found = []
        for track in self._tracker(self._foreground(frame), time):
            if len(track.path) < 2 or track.hits < self._tracker.confirm:
                continue
            if self._labels is not None and not self._labels(frame, track):
                continue
            for name, (a, b) in self._lines.items():
                direction = 0 if track.number in self._counted[name] else crosses(a, b, track.path[-2], track.path[-1])
                if direction:
                    self._counted[name].add(track.number)
                    found.append(Finding("count", f"{name}.{'in' if direction > 0 else 'out'}", 1.0, track.box, track.started))
        return found
