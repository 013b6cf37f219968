"""Staying: what comes into a zone (intrusion), and what stays there (illegal parking, a truck in a forbidden street)."""

from collections.abc import Mapping

from mumian.foundation.video.vision.background import Background
from mumian.foundation.video.vision.findings import Finding, Image
from mumian.foundation.video.vision.geometry import XY, Polygon, inside
from mumian.foundation.video.vision.labelling import Labels
from mumian.foundation.video.vision.tracking import Track, Tracker

_MOVED = 0.5  # an object that went farther than this share of its own size in the time did not stand


class ZoneWatch:
    """Alarms once for each object that is `seconds` in a zone, with its foot (the middle of its lower edge) inside.

    With `standing`, only objects that did not move off meanwhile count. Levels tell how many are in each zone.
    """

    def __init__(
        self,
        zones: Mapping[str, Polygon],
        seconds: float,
        standing: bool,
        sensitivity: float = 0.5,
        smallest: float = 0.002,
        labels: Labels | None = None,
    ) -> None:
        self._zones = zones
        self._seconds = seconds
        self._standing = standing
        self._smallest = smallest
        self._labels = labels
        self._background = Background(sensitivity, minutes=max(10.0, seconds / 3))
        self._tracker = Tracker(patience=2.0)
        self._stays: dict[tuple[str, int], tuple[float, XY]] = {}
        self._told: set[tuple[str, int]] = set()

    def __call__(self, frame: Image, time: float) -> list[Finding]:
        """A level for each zone and an alarm for each object that was there long enough."""
        if not self._background(frame, time):
            return []
        found: list[Finding] = []
        present = dict.fromkeys(self._zones, 0)
        for track in self._tracker(self._background.blobs(self._smallest), time):
            if track.hits < self._tracker.confirm or (self._labels is not None and not self._labels(frame, track)):
                continue
            for name, polygon in self._zones.items():
                if inside(polygon, foot(track)):
                    present[name] += 1
                    found += self._stay(name, track, time)
                else:
                    self._stays.pop((name, track.number), None)
        self._forget()
        return [*found, *(Finding("level", name, float(count)) for name, count in present.items())]

    def _stay(self, name: str, track: Track, time: float) -> list[Finding]:
        key = name, track.number
        since, where = self._stays.setdefault(key, (time, foot(track)))
        moved = abs(foot(track)[0] - where[0]) + abs(foot(track)[1] - where[1])
        if self._standing and moved > _MOVED * track.size:
            self._stays[key] = (time, foot(track))
            return []
        if key in self._told or time - since < self._seconds:
            return []
        self._told.add(key)
        return [Finding("alarm", name, time - since, track.box, since, track.label or "")]

    def _forget(self) -> None:
        alive = {track.number for track in self._tracker.tracks}
        self._stays = {key: stay for key, stay in self._stays.items() if key[1] in alive}
        self._told = {key for key in self._told if key[1] in alive}


def foot(track: Track) -> XY:
    """Where an object meets the ground: the middle of its lower edge."""
    left, _, right, bottom = track.box
    return (left + right) / 2, bottom
