"""Messages between the server and a worker: MessagePack behind a length of four bytes, the largest 32 MiB."""

import struct
from typing import Any, BinaryIO

import msgspec

MOST_BYTES = 32 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class AreaPart(msgspec.Struct, frozen=True, array_like=True):
    """A privacy area."""

    polygon: list[tuple[float, float]]
    mode: str = "black"


class TaskPart(msgspec.Struct, frozen=True):
    """A task on a camera: its name, version, and all that `vision.building.Plan` needs."""

    name: str
    version: int
    algorithm: str
    zones: dict[str, list[tuple[float, float]]]
    lines: dict[str, list[tuple[float, float]]]
    fps: float
    sensitivity: float
    smallest: float
    seconds: float
    threshold: float
    person: float
    interval: int
    wanted: list[str] = []
    content: bytes = b""
    labels: list[str] = []


class Job(msgspec.Struct, frozen=True, tag="job"):
    """Watch a camera. `begins` (µs since 1970) is the time of a file's first frame; live ones have the clock plus `ahead` µs."""

    camera: str
    address: str
    live: bool
    begins: int
    ahead: int
    store_masked: bool
    areas: list[AreaPart]
    tasks: list[TaskPart]
    digest: str


class Drop(msgspec.Struct, frozen=True, tag="drop"):
    """Stop watching a camera."""

    camera: str


class Ack(msgspec.Struct, frozen=True, tag="ack"):
    """The server has kept the message of that number for good."""

    number: int


class Seen(msgspec.Struct, frozen=True, tag="seen"):
    """The camera delivers: frames per second lately, the last frame's time and size."""

    number: int
    camera: str
    time: int
    fps: float
    width: int
    height: int


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The camera's source failed: `reason` is unreachable, unreadable or no_video; of a task whose algorithm failed, its name."""

    number: int
    camera: str
    reason: str
    detail: str
    final: bool
    task: str = ""
    version: int = 0


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A file was watched to its end by these tasks (name, version)."""

    number: int
    camera: str
    frames: int
    tasks: list[tuple[str, int]]


class Window(msgspec.Struct, frozen=True, tag="window"):
    """What a task measured in `start` … `start + interval`: a value for each place, and the share of the time it could see."""

    number: int
    camera: str
    task: str
    version: int
    start: int
    coverage: float
    values: dict[str, float]


class Alarm(msgspec.Struct, frozen=True, tag="alarm"):
    """A state that deserves attention, with its picture (JPEG)."""

    number: int
    camera: str
    task: str
    version: int
    time: int
    began: int
    place: str
    detail: str
    value: float
    box: tuple[float, float, float, float] | None
    picture: bytes
    masked: bool


ToWorker = Job | Drop | Ack
FromWorker = Seen | Broken | Ended | Window | Alarm
_to: msgspec.msgpack.Decoder[Job | Drop | Ack] = msgspec.msgpack.Decoder(ToWorker)
_from: msgspec.msgpack.Decoder[Seen | Broken | Ended | Window | Alarm] = msgspec.msgpack.Decoder(FromWorker)
_encoder = msgspec.msgpack.Encoder()


def pack(message: Any) -> bytes:
    """A message with its length."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def read(stream: BinaryIO) -> ToWorker | None:
    """The next message from the server; None at the end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return _to.decode(stream.read(_LENGTH.unpack(head)[0]))


def length(head: bytes) -> int:
    """The length that a message's first four bytes say; raises ValueError beyond the largest."""
    size = int(_LENGTH.unpack(head)[0])
    if size > MOST_BYTES:
        raise ValueError(f"a message of {size} bytes")
    return size


def understood(body: bytes) -> FromWorker:
    """A worker's message; raises msgspec.DecodeError."""
    return _from.decode(body)
