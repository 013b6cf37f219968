"""Labelling: what a tracked object is, asked of a model a few times and decided by its mean."""

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.video.vision.findings import Image
from mumian.foundation.video.vision.inference import Model
from mumian.foundation.video.vision.tracking import Track

_VOTES = 5
_LONG_SEEN = 25
_EDGE = 0.01


class Labels:
    """Says whether a track is one of the `wanted` labels; the mean of up to five looks decides, at least `certainty` sure."""

    def __init__(self, model: Model, wanted: tuple[str, ...], certainty: float = 0.5) -> None:
        self._model = model
        self._wanted = wanted
        self._certainty = certainty
        self._votes: dict[int, list[NDArray[np.float32]]] = {}

    def __call__(self, frame: Image, track: Track) -> bool:
        """Whether the object is wanted, as far as is known by now."""
        votes = self._votes.setdefault(track.number, [])
        if len(votes) < _VOTES and (_whole(track) or track.hits > _LONG_SEEN):
            votes.append(self._model(cut(frame, track)))
        if not votes:
            return False
        shares = np.mean(votes, axis=0)
        best = int(shares.argmax())
        track.label = self._model.labels[best]
        return track.label in self._wanted and float(shares[best]) >= self._certainty


def _whole(track: Track) -> bool:
    """Whether the object is all in the picture: a half truck looks like a car."""
    left, top, right, bottom = track.box
    return min(left, top) > _EDGE and max(right, bottom) < 1 - _EDGE


def cut(frame: Image, track: Track) -> Image:
    """The part of the frame in the track's box, a tenth wider on each side."""
    height, width = frame.shape[:2]
    left, top, right, bottom = track.box
    across, down = (right - left) / 10, (bottom - top) / 10
    x1, x2 = max(0, int((left - across) * width)), min(width, int((right + across) * width) + 1)
    y1, y2 = max(0, int((top - down) * height)), min(height, int((bottom + down) * height) + 1)
    return frame[y1:y2, x1:x2]
