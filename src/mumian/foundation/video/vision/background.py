"""Background: how a scene looks when it is empty, learnt slowly, so that what comes to stand in it stays visible."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mumian.foundation.video.vision.findings import Image
from mumian.foundation.video.vision.light import Blob, levelled, mended, patches, shrink

_WARM_SECONDS = 1.0
_GAP = 7
_LOST_SHARE = 0.85
_LOST_SECONDS = 20.0


class Background:
    """An even-weighted mean of the first second, then a slow mean that leaves out what differs from it.

    `difference` is the largest channel difference in grey levels, after the light as a whole was made equal. A scene that
    differs almost everywhere for 20 s is another scene: it is learnt anew.
    """

    def __init__(self, sensitivity: float = 0.5, minutes: float = 10.0) -> None:
        self.threshold = 45.0 - 35.0 * sensitivity
        self._minutes = minutes
        self._mean: NDArray[Any] | None = None
        self._first = self._last = 0.0
        self._samples = 0
        self._lost: float | None = None
        self.picture: Image = np.zeros((1, 1, 3), np.uint8)
        self.difference: NDArray[Any] = np.zeros((1, 1), np.float32)

    @property
    def mean(self) -> NDArray[Any]:
        """The empty scene."""
        return self.difference if self._mean is None else self._mean

    def __call__(self, frame: Image, time: float) -> bool:
        """Take in a frame; False while the scene is still being learnt."""
        small = cv2.GaussianBlur(shrink(frame), (3, 3), 0)
        if self._mean is None or self._mean.shape != small.shape:
            self._mean, self._first, self._samples = small.astype(np.float32), time, 1
        step, self._last = max(0.0, time - self._last), time
        if time - self._first < _WARM_SECONDS:
            self._samples += 1
            self._mean += (small - self._mean) / self._samples
            return False
        self.picture = levelled(small, self._mean)
        self.difference = np.abs(self.picture.astype(np.float32) - self._mean).max(axis=2)
        self._learn(step, time)
        return True

    def _learn(self, step: float, time: float) -> None:
        changed = self.difference > self.threshold
        rate = np.where(changed, 0.0, min(1.0, step / (60.0 * self._minutes / 10))).astype(np.float32)
        self._mean = self.mean + (self.picture - self.mean) * rate[:, :, None]
        if changed.mean() < _LOST_SHARE:
            self._lost = None
        elif self._lost is None:
            self._lost = time
        elif time - self._lost > _LOST_SECONDS:
            self._mean, self._lost = None, None

    def changed(self) -> Image:
        """255 where the scene differs, single pixels and small gaps mended."""
        return mended((self.difference > self.threshold).astype(np.uint8) * 255, _GAP)

    def blobs(self, smallest: float) -> list[Blob]:
        """What stands or moves before the empty scene and covers at least the share `smallest` of the picture."""
        return patches(self.changed(), smallest)
