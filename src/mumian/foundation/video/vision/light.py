"""Light: pictures made small, brought to the light of a known scene, and their patches found."""

from dataclasses import dataclass

import cv2
import numpy as np

from mumian.foundation.video.vision.findings import Image
from mumian.foundation.video.vision.geometry import Box

WIDTH = 400
_LARGEST = 0.6


@dataclass(frozen=True)
class Blob:
    """A patch: its box, and the share of the picture that it covers."""

    box: Box
    share: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


def shrink(frame: Image, width: int = WIDTH) -> Image:
    """The frame at most `width` wide."""
    if frame.shape[1] <= width:
        return frame
    height = max(2, round(frame.shape[0] * width / frame.shape[1]))
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)


def levelled(picture: Image, known: Image) -> Image:
    """The picture with its light brought to that of a known scene: the median gain of each channel, between ½ and 2.

    Exposure control changes all pixels at once, and would let everything seem to move.
    """
    gains = np.median((known[::4, ::4].astype(np.float32) + 1) / (picture[::4, ::4].astype(np.float32) + 1), axis=(0, 1))
    if np.all(np.abs(gains - 1) < 0.01):
        return picture
    even: Image = np.clip(picture * np.clip(gains, 0.5, 2.0).astype(np.float32), 0, 255).astype(np.uint8)
    return even


def patches(mask: Image, smallest: float) -> list[Blob]:
    """The connected patches of a mask that cover at least `smallest` and at most 0.6 of the picture."""
    height, width = mask.shape
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        share = cv2.contourArea(contour) / (width * height)
        if smallest <= share <= _LARGEST:
            x, y, w, h = cv2.boundingRect(contour)
            found.append(Blob((x / width, y / height, (x + w) / width, (y + h) / height), share))
    return found


def mended(mask: Image, gap: int) -> Image:
    """The mask without single pixels, gaps of up to `gap` pixels closed."""
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed: Image = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    return closed
