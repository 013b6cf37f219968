"""Tracking: blobs of one frame joined to those of the frames before, by a Kalman filter and the Hungarian method."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.video.vision.assignment import FORBIDDEN, assign
from mumian.foundation.video.vision.geometry import XY, Box
from mumian.foundation.video.vision.light import Blob

_ACCELERATION = 0.8  # picture widths per s²: what a vehicle near the camera may do
_MEASUREMENT = 0.012


@dataclass
class Track:
    """An object over time: number, box, place and speed (picture widths per s), and since when (seconds) it is seen."""

    number: int
    box: Box
    started: float
    seen: float
    path: list[XY] = field(default_factory=list)
    hits: int = 1
    state: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))
    covariance: NDArray[np.float64] = field(default_factory=lambda: np.diag([2e-4, 2e-4, 1.0, 1.0]))
    label: str | None = None

    @property
    def centre(self) -> XY:
        """Where the filter places it."""
        return float(self.state[0]), float(self.state[1])

    @property
    def size(self) -> float:
        """The mean of the box's width and height."""
        return (self.box[2] - self.box[0] + self.box[3] - self.box[1]) / 2


class Tracker:
    """Tracks over frames; one that is not seen for `patience` seconds is gone, one seen `confirm` times is real."""

    def __init__(self, patience: float = 0.8, confirm: int = 3) -> None:
        self._patience = patience
        self.confirm = confirm
        self.tracks: list[Track] = []
        self._next = 1
        self._time: float | None = None

    def __call__(self, blobs: list[Blob], time: float) -> list[Track]:
        """Take in the blobs of a frame at `time` seconds; the tracks that were seen in it, by number."""
        step = 0.0 if self._time is None else max(0.0, time - self._time)
        self._time = time
        for track in self.tracks:
            _predict(track, step)
        pairs = assign(_costs(self.tracks, blobs))
        for row, column in pairs:
            _update(self.tracks[row], blobs[column], time)
        taken = {column for _, column in pairs}
        seen = [self.tracks[row] for row, _ in pairs]
        self.tracks = [track for track in self.tracks if time - track.seen <= self._patience]
        for column, blob in enumerate(blobs):
            if column not in taken:
                seen.append(self._begin(blob, time))
        return sorted(seen, key=lambda track: track.number)

    def _begin(self, blob: Blob, time: float) -> Track:
        track = Track(self._next, blob.box, time, time, [blob.centre])
        track.state[:2] = blob.centre
        self._next += 1
        self.tracks.append(track)
        return track


def _predict(track: Track, step: float) -> None:
    motion = np.eye(4)
    motion[0, 2] = motion[1, 3] = step
    noise = np.array([[step**4 / 4, step**3 / 2], [step**3 / 2, step**2]]) * _ACCELERATION**2
    grown = np.zeros((4, 4))
    grown[np.ix_([0, 2], [0, 2])] = grown[np.ix_([1, 3], [1, 3])] = noise
    track.state = motion @ track.state
    track.covariance = motion @ track.covariance @ motion.T + grown


def _update(track: Track, blob: Blob, time: float) -> None:
    gain = track.covariance[:, :2] @ np.linalg.inv(track.covariance[:2, :2] + np.eye(2) * _MEASUREMENT**2)
    track.state = track.state + gain @ (np.array(blob.centre) - track.state[:2])
    track.covariance = (np.eye(4) - gain @ np.eye(4)[:2]) @ track.covariance
    track.box, track.seen = blob.box, time
    track.hits += 1
    track.path = [*track.path[-31:], track.centre]


def _costs(tracks: list[Track], blobs: list[Blob]) -> NDArray[np.float64]:
    """The lower, the better they fit: overlap with the predicted box, distance by the filter's own measure, likeness of size."""
    costs = np.full((len(tracks), len(blobs)), FORBIDDEN)
    for row, track in enumerate(tracks):
        spread = np.sqrt(np.diag(track.covariance)[:2] + (track.size / 2) ** 2 + _MEASUREMENT**2)
        half = ((track.box[2] - track.box[0]) / 2, (track.box[3] - track.box[1]) / 2)
        x, y = track.centre
        predicted = (x - half[0], y - half[1], x + half[0], y + half[1])
        for column, blob in enumerate(blobs):
            distance = float(np.hypot(*((np.array(blob.centre) - track.state[:2]) / spread)))
            likeness = _likeness(track.box, blob.box)
            if distance <= 3.0 and likeness >= 0.2:
                costs[row, column] = distance + (1 - overlap(predicted, blob.box)) + 0.5 * (1 - likeness)
    return costs


def _likeness(a: Box, b: Box) -> float:
    first, second = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return min(first, second) / max(first, second, 1e-9)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
