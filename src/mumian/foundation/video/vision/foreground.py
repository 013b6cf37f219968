"""Foreground: what moves before a learnt background, as patches; changes of the light as a whole are taken out first."""

import cv2
import numpy as np

from mumian.foundation.video.vision.findings import Image
from mumian.foundation.video.vision.light import Blob, levelled, mended, patches, shrink

_WARM_UP_SECONDS = 1.0
_GAP = 0.4
_SHADOW = 0.6  # what is darker than this share of the background is an object, not a shadow
_LEAST_VARIANCE = 16.0  # grey levels²: an even road hardly varies, but exposure control shifts it by a few levels


class Foreground:
    """A mixture-of-Gaussians background (MOG2, Zivkovic 2004) on a small picture; `sensitivity` 0…1 lowers its thresholds.

    `smallest` is the least share of the picture that a patch must cover.
    """

    def __init__(
        self, sensitivity: float = 0.5, fps: float = 5.0, smallest: float = 0.002, history_seconds: float = 30.0
    ) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2(
            history=max(20, int(history_seconds * fps)), varThreshold=50 - 50 * sensitivity, detectShadows=True
        )
        self._model.setVarMin(_LEAST_VARIANCE)
        self._model.setVarInit(2 * _LEAST_VARIANCE)
        self._model.setShadowThreshold(_SHADOW)
        self._smallest = smallest
        self._frames = 0
        self._warm = max(2, int(_WARM_UP_SECONDS * fps))
        self.mask: Image = np.zeros((1, 1), np.uint8)

    def __call__(self, frame: Image) -> list[Blob]:
        """The patches of one BGR frame, none while the background is still being learnt; `mask` is 255 where it moves."""
        picture = cv2.GaussianBlur(shrink(frame), (5, 5), 0)
        if self._frames >= 2:
            picture = levelled(picture, self._model.getBackgroundImage())
        self._frames += 1
        raw = self._model.apply(picture, learningRate=-1 if self._frames > self._warm else 0.3)
        self.mask = mended((raw > 200).astype(np.uint8) * 255, self._gap(raw.size))
        return [] if self._frames <= self._warm else patches(self.mask, self._smallest)

    def _gap(self, pixels: int) -> int:
        """Gaps inside one object are closed, sized after the smallest object, lest neighbours grow together."""
        return max(3, round(_GAP * float(np.sqrt(self._smallest * pixels))) | 1)
