"""Masking: areas that nobody may see, made black or unrecognisable before a picture leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mumian.foundation.video.vision.findings import Image
from mumian.foundation.video.vision.geometry import Polygon, raster

_BLOCKS = 12


@dataclass(frozen=True)
class Area:
    """A privacy area: a polygon in picture coordinates, `black` or `blur`."""

    polygon: Polygon
    mode: str = "black"


def masked(frame: Image, areas: Sequence[Area]) -> Image:
    """A copy of the frame with every area hidden; `blur` leaves at most 12 × 12 flat blocks of the whole area."""
    if not areas:
        return frame
    made = frame.copy()
    height, width = made.shape[:2]
    for area in areas:
        mask = cv2.dilate(raster([area.polygon], width, height), np.ones((3, 3), np.uint8))
        if area.mode == "black":
            made[mask > 0] = 0
            continue
        x, y, w, h = cv2.boundingRect(mask)
        if w and h:
            part = made[y : y + h, x : x + w]
            coarse = cv2.resize(part, (min(_BLOCKS, w), min(_BLOCKS, h)), interpolation=cv2.INTER_AREA)
            blocks = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_NEAREST)
            inside = mask[y : y + h, x : x + w] > 0
            part[inside] = blocks[inside]
    return made


def jpeg(frame: Image, quality: int = 85) -> bytes:
    """The frame as a JPEG file."""
    done, content = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture cannot be written as JPEG")
    return content.tobytes()


def masked_jpeg(content: bytes, areas: Sequence[Area]) -> bytes:
    """A JPEG file with every area hidden."""
    frame = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if frame is None:
        raise ValueError("this is no picture")
    return jpeg(masked(np.asarray(frame, np.uint8), areas))
