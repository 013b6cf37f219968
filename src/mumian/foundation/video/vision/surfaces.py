"""Surfaces: how much of a zone is covered by people, water or smoke, or has changed its colour."""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mumian.foundation.video.vision.background import Background
from mumian.foundation.video.vision.findings import Finding, Image, Patience
from mumian.foundation.video.vision.geometry import Polygon, raster

Mask = NDArray[np.bool_]
_STILL_SECONDS = 3.0


class ZoneLevel:
    """Measures each zone in each frame; alarms where the measure stays at or above `threshold` for `seconds`."""

    def __init__(
        self, zones: Mapping[str, Polygon], measure: "Measure", threshold: float, seconds: float, sensitivity: float = 0.5
    ) -> None:
        self._zones = zones
        self._measure = measure
        self._threshold = threshold
        self._patience = {name: Patience(seconds) for name in zones}
        self._background = Background(sensitivity)
        self._masks: dict[str, Mask] = {}

    def __call__(self, frame: Image, time: float) -> list[Finding]:
        """A level for each zone, and the alarms."""
        if not self._background(frame, time):
            return []
        shape = self._background.difference.shape
        if not self._masks or next(iter(self._masks.values())).shape != shape:
            self._masks = {name: raster([zone], shape[1], shape[0]) > 0 for name, zone in self._zones.items()}
        levels = self._measure(self._background, self._masks, time)
        found = [Finding("level", name, level) for name, level in levels.items()]
        for name, level in levels.items():
            began = self._patience[name](level >= self._threshold, time)
            if began is not None:
                found.append(Finding("alarm", name, level, _box(self._masks[name]), began))
        return found


Measure = Callable[[Background, Mapping[str, Mask], float], dict[str, float]]


def people(person: float) -> Measure:
    """How many people there are, each covering the share `person` of the picture: the covered area over that of one."""

    def measure(background: Background, masks: Mapping[str, Mask], time: float) -> dict[str, float]:
        changed = background.changed() > 0
        return {name: float((changed & mask).sum()) / changed.size / person for name, mask in masks.items()}

    return measure


def water() -> Measure:
    """The share of a zone that looks otherwise than when dry, for seconds, and smoother: water hides the road's texture."""
    still = _Still()

    def measure(background: Background, masks: Mapping[str, Mask], time: float) -> dict[str, float]:
        changed = still(background.changed() > 0, time)
        now, dry = texture(background.picture.astype(np.float32)), texture(background.mean)
        smooth = now < np.maximum(0.75 * dry, 2.0)
        wet = cv2.morphologyEx((changed & smooth).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)) > 0
        return _shares(wet & changed, masks)

    return measure


def smoke() -> Measure:
    """The share of a zone where a grey veil moves: contrast and colour fade, and it looks otherwise from moment to moment."""
    past: list[tuple[float, NDArray[Any]]] = []

    def measure(background: Background, masks: Mapping[str, Mask], time: float) -> dict[str, float]:
        picture = background.picture.astype(np.float32)
        grey = picture.mean(axis=2)
        past.append((time, grey))
        while len(past) > 2 and time - past[0][0] > 1.0:
            past.pop(0)
        drifting = cv2.blur(np.abs(grey - past[0][1]), (9, 9)) > 1.5
        faded = texture(picture) < 0.8 * texture(background.mean) + 0.5
        pale = _colour(picture) < _colour(background.mean) + 4
        veil = (background.difference > background.threshold * 0.6) & faded & pale
        near = cv2.dilate(drifting.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        return _shares(veil & near, masks)

    return measure


def colour() -> Measure:
    """How far the mean colour of a zone is from its usual one: ΔE after CIE 1976, on the lightness and both colour axes."""

    def measure(background: Background, masks: Mapping[str, Mask], time: float) -> dict[str, float]:
        now, usual = _lab(background.picture.astype(np.float32)), _lab(background.mean)
        return {
            name: float(np.linalg.norm(now[mask].mean(axis=0) - usual[mask].mean(axis=0))) if mask.any() else 0.0
            for name, mask in masks.items()
        }

    return measure


class _Still:
    """What has been changed without a break for three seconds."""

    def __init__(self) -> None:
        self._since: NDArray[np.float64] | None = None

    def __call__(self, changed: Mask, time: float) -> Mask:
        if self._since is None or self._since.shape != changed.shape:
            self._since = np.full(changed.shape, np.inf)
        self._since = np.where(changed, np.minimum(self._since, time), np.inf)
        still: Mask = time - self._since >= _STILL_SECONDS
        return still


def texture(picture: NDArray[Any]) -> NDArray[Any]:
    """The standard deviation of brightness in a window of 9 × 9."""
    grey = picture.mean(axis=2)
    mean = cv2.blur(grey, (9, 9))
    spread: NDArray[Any] = np.sqrt(np.maximum(cv2.blur(grey * grey, (9, 9)) - mean * mean, 0))
    return spread


def _colour(picture: NDArray[Any]) -> NDArray[Any]:
    found: NDArray[Any] = picture.max(axis=2) - picture.min(axis=2)
    return found


def _lab(picture: NDArray[Any]) -> NDArray[Any]:
    found: NDArray[Any] = cv2.cvtColor(np.ascontiguousarray(picture, np.float32) / 255, cv2.COLOR_BGR2LAB)
    return found


def _shares(covered: Mask, masks: Mapping[str, Mask]) -> dict[str, float]:
    return {name: float((covered & mask).sum()) / max(1, int(mask.sum())) for name, mask in masks.items()}


def _box(mask: Mask) -> tuple[float, float, float, float]:
    height, width = mask.shape
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    return x / width, y / height, (x + w) / width, (y + h) / height
