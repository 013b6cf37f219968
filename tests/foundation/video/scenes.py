"""Made scenes: drawn with numpy, so that what happens in them is known."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]
WIDTH, HEIGHT, FPS = 320, 180, 5.0
Draw = Callable[[Image, float], None]


def road(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """An empty street: coarse asphalt, two white lines, a kerb with a wall."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(105, 14, (height, width, 1)).repeat(3, axis=2)
    picture = cv2.GaussianBlur(picture, (3, 3), 0)
    picture[: height // 5] = rng.normal(150, 6, (height // 5, width, 1))
    picture[: height // 5 : 6] -= 40
    for x in range(0, width, 40):
        cv2.rectangle(picture, (x, height // 2), (x + 20, height // 2 + 3), (230, 230, 230), -1)
    cv2.line(picture, (0, height // 5), (width, height // 5), (60, 60, 60), 3)
    return np.clip(picture, 0, 255).astype(np.uint8)


def play(seconds: float, draw: Draw, seed: int = 0, fps: float = FPS, noise: float = 2.0) -> Iterator[tuple[Image, float]]:
    """Frames of the street with whatever `draw(picture, time)` puts in, and a camera's noise."""
    rng, empty = np.random.default_rng(seed + 1), road(seed)
    for index in range(round(seconds * fps)):
        picture, time = empty.copy(), index / fps
        draw(picture, time)
        grain = rng.normal(0, noise, (*picture.shape[:2], 1))
        yield np.clip(picture + grain, 0, 255).astype(np.uint8), time


def vehicle(
    picture: Image, x: float, y: float, colour: tuple[int, int, int] = (30, 30, 200), size: tuple[int, int] = (44, 24)
) -> None:
    """A car around a point in pixels: body, windows, wheels."""
    left, top, w, h = round(x - size[0] / 2), round(y - size[1] / 2), *size
    cv2.rectangle(picture, (left, top), (left + w, top + h), colour, -1)
    cv2.rectangle(picture, (left + w // 4, top + 3), (left + 3 * w // 4, top + h // 2), (220, 210, 180), -1)
    for wheel in (left + w // 5, left + 4 * w // 5):
        cv2.circle(picture, (wheel, top + h), 4, (15, 15, 15), -1)


def person(picture: Image, x: float, y: float, seed: int = 0) -> None:
    """A person standing at a point in pixels (the feet)."""
    rng = np.random.default_rng(seed)
    colour = tuple(int(c) for c in rng.choice([20, 60, 200, 240], 3))
    cv2.rectangle(picture, (round(x) - 5, round(y) - 26), (round(x) + 5, round(y)), colour, -1)
    cv2.circle(picture, (round(x), round(y) - 31), 5, (150, 170, 210), -1)


def flood(picture: Image, share: float, time: float) -> None:
    """Water over the lower part of the street: even, a little mirror of the sky, slow ripples."""
    height, width = picture.shape[:2]
    top = height - round(height * share)
    if top >= height:
        return
    rows = np.arange(top, height)[:, None]
    ripple = 2.0 * np.sin(rows / 5 + time * 2) * np.ones((1, width))
    picture[top:] = np.clip(np.dstack([165 + ripple, 158 + ripple, 150 + ripple]), 0, 255)


def veil(picture: Image, time: float, began: float, at: tuple[int, int] = (160, 90), seed: int = 3) -> None:
    """Grey smoke that grows and drifts from a point."""
    if time < began:
        return
    rng = np.random.default_rng(seed)
    thick = np.zeros(picture.shape[:2], np.float32)
    for puff in range(40):
        age = (time - began) * 1.0 - puff * 0.15
        if age > 0:
            drift = rng.normal(0, 10, 2) + np.array([np.sin(time * 2 + puff) * 6, -age * 9])
            centre = (int(at[0] + drift[0]), int(at[1] + drift[1]))
            cv2.circle(thick, centre, int(8 + age * 7), float(min(1.0, thick.max() + 0.55)), -1)
    thick = np.clip(cv2.GaussianBlur(thick, (31, 31), 0), 0, 0.92)[:, :, None]
    picture[:] = (picture * (1 - thick) + 190 * thick).astype(np.uint8)


def write(
    path: Path,
    frames: Iterable[tuple[Image, float]],
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    fps: float = FPS,
) -> Path:
    """The frames as a file whose stamps are their times, so that a variable rate stays one."""
    with av.open(str(path), "w") as out:
        stream: Any = None
        for picture, time in frames:
            if stream is None:
                stream = out.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
                stream.height, stream.width = picture.shape[:2]
                odd = stream.height % 2 or stream.width % 2
                stream.pix_fmt = "yuv444p" if odd else "yuv420p"
                stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)
                stream.options = {"preset": "ultrafast", "crf": "18", **(options or {})}
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = round(time * 90_000), Fraction(1, 90_000)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path
