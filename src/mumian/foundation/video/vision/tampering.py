"""Tampering: a camera that is covered, out of focus, turned away, or whose picture stands still."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mumian.foundation.video.vision.findings import Finding, Image, Patience

PLACE = "picture"
_LEARN_SECONDS = 2.0
_WIDTH = 160
_BLIND_SPREAD = 10.0
_SHARPNESS_LOST = 0.25
_LIKENESS_LOST = 0.35
_FROZEN_SECONDS = 10.0


class Tampering:
    """Compares the edges of the picture with those learnt in the first two seconds; `sensitivity` moves all thresholds."""

    def __init__(self, seconds: float = 5.0, sensitivity: float = 0.5) -> None:
        self._scale = 0.6 + 0.8 * sensitivity
        self._reference: NDArray[Any] | None = None
        self._started: float | None = None
        self._samples = 0
        self._sharpness = 0.0
        self._before: Image | None = None
        self._patience = {name: Patience(seconds) for name in ("blind", "defocused", "moved")}
        self._patience["frozen"] = Patience(max(seconds, _FROZEN_SECONDS))

    def __call__(self, frame: Image, time: float) -> list[Finding]:
        """An alarm with detail `blind`, `defocused`, `moved` or `frozen`; the level is the likeness to the learnt picture."""
        height = max(8, round(frame.shape[0] * _WIDTH / frame.shape[1]))
        grey = cv2.cvtColor(cv2.resize(frame, (_WIDTH, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        same = self._before is not None and self._before.shape == grey.shape and not cv2.absdiff(grey, self._before).any()
        self._before = grey
        edges = _edges(grey)
        if self._learning(edges, time) or self._reference is None:
            return []
        likeness = _likeness(edges, self._reference)
        state = self._state(grey, edges, likeness)
        found = [Finding("level", PLACE, likeness)]
        for name, patience in self._patience.items():
            began = patience(same if name == "frozen" else name == state, time)
            if began is not None:
                found.append(Finding("alarm", PLACE, likeness, None, began, name))
        return found

    def _learning(self, edges: NDArray[Any], time: float) -> bool:
        if self._started is None or self._reference is None or self._reference.shape != edges.shape:
            self._started, self._reference, self._samples = time, edges.copy(), 1
            return True
        if time - self._started >= _LEARN_SECONDS:
            return False
        self._samples += 1
        self._reference += (edges - self._reference) / self._samples
        self._sharpness = float(np.percentile(self._reference, 95))
        return True

    def _state(self, grey: Image, edges: NDArray[Any], likeness: float) -> str:
        """The gravest that holds: a blind picture has no edges either, and no likeness."""
        if float(grey.std()) < _BLIND_SPREAD * self._scale:
            return "blind"
        if float(np.percentile(edges, 95)) < _SHARPNESS_LOST * self._scale * self._sharpness:
            return "defocused"
        return "moved" if likeness < _LIKENESS_LOST * self._scale else ""


def _edges(grey: Image) -> NDArray[Any]:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    found: NDArray[Any] = cv2.magnitude(across, down)
    return found


def _likeness(edges: NDArray[Any], reference: NDArray[Any]) -> float:
    """The correlation of both pictures of edges, slightly blurred: 1 for the same view, near 0 for another."""
    a, b = cv2.GaussianBlur(edges, (5, 5), 0).ravel(), cv2.GaussianBlur(reference, (5, 5), 0).ravel()
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 0.0 if norm == 0 else float(a @ b) / norm
