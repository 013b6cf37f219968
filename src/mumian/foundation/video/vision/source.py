"""Source: frames of a file or a live stream with their times, decoded by FFmpeg behind narrow doors."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import av
import av.logging
import numpy as np

from mumian.foundation.video.vision.findings import Image

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,h264,hevc,mjpeg,asf,ogg,ivf,rawvideo"
_OPEN_SECONDS = 8.0
_READ_SECONDS = 8.0
_WIDTH = 640
_MOST_BAD = 50
_MOST_PIXELS = 8192 * 8192

av.logging.set_level(None)


class SourceFailed(Exception):
    """The source cannot be opened or read on: `reason` is `unreachable`, `unreadable` or `no_video`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else reason)


@dataclass(frozen=True)
class Frame:
    """A frame: `time` in seconds since the source began; the picture is converted when it is asked for."""

    time: float
    raw: Any

    def small(self) -> Image:
        """The BGR picture, at most 640 wide: what algorithms see."""
        width, height = self.raw.width, self.raw.height
        if width > _WIDTH:
            width, height = _WIDTH, max(2, round(height * _WIDTH / width))
        return np.asarray(self.raw.to_ndarray(format="bgr24", width=width, height=height), np.uint8)

    def full(self) -> Image:
        """The whole BGR picture: what goes into evidence."""
        return np.asarray(self.raw.to_ndarray(format="bgr24"), np.uint8)


class Source:
    """An opened source; `live` ones are read over TCP (RFC 7826 interleaved), so that no packet is lost on the way."""

    def __init__(self, address: str, live: bool) -> None:
        options = {"rtsp_transport": "tcp", "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls,crypto"}
        if not live:
            options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
        try:
            self._container = av.open(address, options=options, timeout=(_OPEN_SECONDS, _READ_SECONDS))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            reason = "unreachable" if live or isinstance(error, FileNotFoundError) else "unreadable"
            raise SourceFailed(reason, type(error).__name__) from None
        streams = self._container.streams.video
        if not streams or not 0 < streams[0].width * streams[0].height <= _MOST_PIXELS:
            self.close()
            raise SourceFailed("no_video")
        self._stream = streams[0]
        self._stream.codec_context.thread_count = 1
        self._live = live
        self.width, self.height = int(self._stream.width), int(self._stream.height)
        self.rate = float(self._stream.average_rate or 0)
        self.codec = str(self._stream.codec_context.name)

    def frames(self, fps: float = 0.0) -> Iterator[Frame]:
        """Frames with times that grow, at most `fps` a second (0: all); raises SourceFailed where it breaks off.

        Times come from the stream's own stamps, so a variable frame rate stays what it is; frames without a stamp follow the
        last one by the nominal rate.
        """
        gap = 1.0 / (self.rate or 25.0)
        first: float | None = None
        last, due = -gap, 0.0
        for raw in self._decoded():
            stamp = float(raw.pts * raw.time_base) if raw.pts is not None and raw.time_base is not None else None
            if stamp is not None and first is None:
                first = stamp
            time = last + gap if stamp is None or first is None else stamp - first
            if time <= last:
                continue
            last = time
            if fps and time < due - 1e-6:
                continue
            due = max(due + 1.0 / fps, time + 0.5 / fps) if fps else 0.0
            yield Frame(time, raw)

    def _decoded(self) -> Iterator[Any]:
        bad, seen = 0, 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    break
                for raw in packet.decode():
                    seen += 1
                    yield raw
            except av.error.InvalidDataError:
                bad += 1
                if bad > _MOST_BAD:
                    raise SourceFailed("unreadable", "too many damaged frames") from None
            except (av.error.FFmpegError, OSError) as error:
                if isinstance(error, av.error.EOFError):
                    break
                raise SourceFailed("unreachable" if self._live else "unreadable", type(error).__name__) from None
        if self._live:
            raise SourceFailed("unreachable", "the stream ended")
        if not seen:
            raise SourceFailed("unreadable", "no frame can be decoded")

    def close(self) -> None:
        """Let go of it."""
        with suppress(Exception):
            self._container.close()
