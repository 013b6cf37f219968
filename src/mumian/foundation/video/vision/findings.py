"""Findings: what an algorithm tells of a frame, and the patience that turns a state into one alarm."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from mumian.foundation.video.vision.geometry import Box

Image = NDArray[Any]  # height × width × BGR, or height × width, uint8


@dataclass(frozen=True)
class Finding:
    """What was found at `place` (a zone's or line's name).

    `count`: something passed, `value` times; `level`: a measure of the moment; `alarm`: a state that deserves a picture, since
    `began` (seconds of the stream's time), `box` around its cause, `detail` its kind where there are several.
    """

    kind: Literal["count", "level", "alarm"]
    place: str
    value: float
    box: Box | None = None
    began: float | None = None
    detail: str = ""


class Algorithm(Protocol):
    """One algorithm on one stream: called with every BGR frame and its time in seconds, in order."""

    def __call__(self, frame: Image, time: float) -> list[Finding]:
        """What this frame adds."""
        ...


class Patience:
    """A state must last `seconds` to be told, is told once, and must be gone for `rest` seconds before it is told again."""

    def __init__(self, seconds: float, rest: float = 2.0) -> None:
        self._seconds = seconds
        self._rest = rest
        self._began: float | None = None
        self._gone: float | None = None
        self._told = False

    def __call__(self, holds: bool, time: float) -> float | None:
        """Since when it holds, at the frame at which it is to be told; else None."""
        if holds:
            self._began = time if self._began is None else self._began
            self._gone = None
            if not self._told and time - self._began >= self._seconds:
                self._told = True
                return self._began
            return None
        self._gone = time if self._gone is None else self._gone
        if not self._told or time - self._gone >= self._rest:
            self._began, self._told = None, False
        return None
