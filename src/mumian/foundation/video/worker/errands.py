"""Errands: one picture, one clip, one look at a file, or a round of probes, each in a process that ends with it."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from mumian.foundation.video.vision.findings import Image
from mumian.foundation.video.vision.masking import Area, jpeg, masked
from mumian.foundation.video.vision.source import Frame, Source, SourceFailed

_PROBE_FRAMES = 8
_BLIND_SPREAD = 10.0
Answer = tuple[dict[str, Any], bytes]


def run(name: str, order: dict[str, Any]) -> Answer:
    """Do it: the answer's header has `error` where the source failed."""
    try:
        return {"snapshot": snapshot, "clip": clip, "probe": probe, "inspect": inspect}[name](order)
    except SourceFailed as error:
        return {"error": error.reason, "detail": str(error)}, b""


def snapshot(order: dict[str, Any]) -> Answer:
    """The frame at `at` seconds of a file, or the next one of a live stream, masked, as JPEG."""
    source = Source(order["address"], order["live"])
    try:
        last: Frame | None = None
        for frame in source.frames():
            last = frame
            if order["live"] or frame.time >= order["at"]:
                break
        if last is None:
            raise SourceFailed("unreadable", "no frame")
        picture = jpeg(masked(last.full(), _areas(order)))
    finally:
        source.close()
    return {"time": last.time, "width": source.width, "height": source.height}, picture


def clip(order: dict[str, Any]) -> Answer:
    """`seconds` from `at` on, masked, as H.264 in an MP4 file whose index comes first, so that it plays while it loads."""
    source, areas = Source(order["address"], order["live"]), _areas(order)
    taken, times = 0, [0.0, 0.0]
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file, closing(source):
        with av.open(file.name, "w", format="mp4", options={"movflags": "faststart"}) as out:
            stream: Any = None
            for frame in source.frames(order["fps"]):
                if not order["live"] and frame.time < order["at"]:
                    continue
                if taken and frame.time - times[0] >= order["seconds"]:
                    break
                picture = _even(masked(frame.full(), areas))
                if stream is None:
                    times[0] = frame.time
                    stream = _encoder(out, picture, order["fps"])
                _write(out, stream, picture, frame.time - times[0])
                times[1] = frame.time
                taken += 1
            if stream is None:
                raise SourceFailed("unreadable", "no frame in that time")
            for packet in stream.encode():
                out.mux(packet)
        content = Path(file.name).read_bytes()
    header = {"begin": times[0], "seconds": times[1] - times[0], "frames": taken, "sha256": sha256(content).hexdigest()}
    return {**header, "width": source.width, "height": source.height, "codec": "h264"}, content


def inspect(order: dict[str, Any]) -> Answer:
    """What a file is: size of the picture, codec, seconds, frames."""
    source = Source(order["address"], False)
    try:
        count, last = 0, 0.0
        for frame in source.frames():
            count, last = count + 1, frame.time
    finally:
        source.close()
    gap = 1 / source.rate if source.rate else 0.0
    header = {"width": source.width, "height": source.height, "codec": source.codec, "seconds": last + gap, "frames": count}
    return header, b""


def probe(order: dict[str, Any]) -> Answer:
    """Whether each camera of `cameras` delivers: a list of {camera, reachable, fps, blind, width, height, reason}."""
    with ThreadPoolExecutor(8) as pool:
        return {"cameras": list(pool.map(_probe, order["cameras"]))}, b""


def _probe(camera: dict[str, Any]) -> dict[str, Any]:
    answer = {"camera": camera["camera"], "reachable": False, "fps": None, "blind": False, "width": None, "height": None}
    try:
        source = Source(camera["address"], camera["live"])
    except SourceFailed as error:
        return {**answer, "reason": error.reason}
    try:
        started, seen, spread = time.monotonic(), 0, 0.0
        for frame in source.frames():
            seen += 1
            spread = max(spread, float(cv2.cvtColor(frame.small(), cv2.COLOR_BGR2GRAY).std()))
            if seen >= _PROBE_FRAMES:
                break
        elapsed = time.monotonic() - started
    except SourceFailed as error:
        return {**answer, "reason": error.reason}
    finally:
        source.close()
    fps = seen / elapsed if camera["live"] and elapsed > 0 else source.rate
    size = {"width": source.width, "height": source.height}
    return {**answer, **size, "reachable": True, "fps": round(fps, 2), "blind": spread < _BLIND_SPREAD, "reason": ""}


def _areas(order: dict[str, Any]) -> list[Area]:
    return [Area(area["polygon"], area["mode"]) for area in order.get("areas", ())]


def _even(picture: Image) -> Image:
    """H.264 in 4:2:0 wants even sides: an odd last row or column is dropped."""
    height, width = picture.shape[:2]
    return np.ascontiguousarray(picture[: max(2, height - height % 2), : max(2, width - width % 2)])


def _encoder(out: Any, picture: Image, fps: float) -> Any:
    stream = out.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, 90_000)
    stream.codec_context.time_base = Fraction(1, 90_000)
    stream.options = {"preset": "veryfast", "crf": "23"}
    return stream


def _write(out: Any, stream: Any, picture: Image, seconds: float) -> None:
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
    frame.pts, frame.time_base = round(seconds * 90_000), Fraction(1, 90_000)
    for packet in stream.encode(frame):
        out.mux(packet)
