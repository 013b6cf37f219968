"""A small RTSP camera (RFC 2326 over TCP, H.264 after RFC 6184), to break off and return as tests want it."""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av

from tests.foundation.video.scenes import Image

_CLOCK = 90_000


def encoded(frames: Iterable[tuple[Image, float]]) -> list[tuple[float, list[bytes]]]:
    """Each frame as its NAL units; every fifth is a key frame, so that one can begin to look anywhere."""
    codec: Any = av.CodecContext.create("libx264", "w")
    made: list[tuple[float, list[bytes]]] = []
    for picture, time in frames:
        if not codec.is_open:
            codec.height, codec.width = picture.shape[:2]
            codec.pix_fmt, codec.time_base = "yuv420p", Fraction(1, _CLOCK)
            codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "5", "slices": "1", "bframes": "0"}
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = round(time * _CLOCK), Fraction(1, _CLOCK)
        made += [(time, _units(bytes(packet))) for packet in codec.encode(frame)]
    return made


def _units(stream: bytes) -> list[bytes]:
    starts = [i for i in range(len(stream) - 2) if stream[i : i + 3] == b"\0\0\1"]
    return [
        stream[a + 3 : b].rstrip(b"\0") if b < len(stream) else stream[a + 3 : b] for a, b in pairwise([*starts, len(stream)])
    ]


class RtspCamera:
    """Serves encoded frames over and over, `speed` times as fast as their times; `user` and `password` are asked for if given."""

    def __init__(self, frames: list[tuple[float, list[bytes]]], credentials: str = "", speed: float = 1.0) -> None:
        self._frames = frames
        self._speed = speed
        self._expected = "Basic " + base64.b64encode(credentials.encode()).decode() if credentials else ""
        self._writers: set[asyncio.StreamWriter] = set()
        self.refused = 0
        self.served = 0
        self.silent = False

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self._writers.add(writer)
        player: asyncio.Task[None] | None = None
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                while request[:1] == b"$":  # RTCP of the client
                    request = request[4 + int.from_bytes(request[2:4], "big") :]
                lines = request.decode().split("\r\n")
                method = lines[0].split()[0]
                headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
                if self._expected and headers.get("Authorization") != self._expected and method != "OPTIONS":
                    self.refused += 1
                    self._answer(writer, headers, "401 Unauthorized", {"WWW-Authenticate": 'Basic realm="camera"'})
                    continue
                self._answer(writer, headers, "200 OK", self._extra(method, headers), self._body(method))
                if method == "PLAY" and not self.silent:
                    self.served += 1
                    player = asyncio.create_task(self._play(writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if player is not None:
                player.cancel()
            self._writers.discard(writer)
            writer.close()

    def break_off(self) -> None:
        """Cut every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    def _extra(self, method: str, headers: dict[str, str]) -> dict[str, str]:
        if method == "OPTIONS":
            return {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"}
        if method == "SETUP":
            return {"Transport": headers["Transport"], "Session": "1"}
        return {"Content-Type": "application/sdp"} if method == "DESCRIBE" else {"Session": "1"}

    def _body(self, method: str) -> bytes:
        if method != "DESCRIBE":
            return b""
        units = self._frames[0][1]
        sets = ",".join(base64.b64encode(unit).decode() for unit in units if unit[0] & 31 in (7, 8))
        media = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nc=IN IP4 0.0.0.0\r\n"
            f"{media}a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:track1\r\n"
        ).encode()

    def _answer(
        self, writer: asyncio.StreamWriter, headers: dict[str, str], status: str, extra: dict[str, str], body: bytes = b""
    ) -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('CSeq', '0')}", *(f"{k}: {v}" for k, v in extra.items())]
        writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        sequence, offset = 0, 0.0
        length = self._frames[-1][0] + (self._frames[1][0] - self._frames[0][0] if len(self._frames) > 1 else 1)
        clock, started = asyncio.get_running_loop().time, asyncio.get_running_loop().time()
        while True:
            for time, units in self._frames:
                await asyncio.sleep(max(0.0, started + (offset + time) / self._speed - clock()))
                for index, unit in enumerate(units):
                    last = index == len(units) - 1
                    head = struct.pack(
                        ">BBHII",
                        0x80,
                        96 | (128 if last else 0),
                        sequence & 0xFFFF,
                        round((offset + time) * _CLOCK) & 0xFFFFFFFF,
                        7,
                    )
                    writer.write(b"$\0" + struct.pack(">H", len(head) + len(unit)) + head + unit)
                    sequence += 1
                await writer.drain()
            offset += length


@asynccontextmanager
async def rtsp(camera: RtspCamera, port: int = 0) -> AsyncIterator[int]:
    """Serve a camera; yields its port."""
    server = await asyncio.start_server(camera.handle, "127.0.0.1", port, limit=1 << 20)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        camera.break_off()
        server.close()
