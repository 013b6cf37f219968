"""Contracts of video: cameras, their health, clips, detections and candidates, as other components get to see them."""

from typing import Any

import msgspec

Text = dict[str, str]
XY = tuple[float, float]


class Mask(msgspec.Struct, frozen=True):
    """A privacy area 隐私区域: a polygon in picture coordinates (x right, y down, both 0…1), made `black` or `blur`."""

    name: str
    polygon: list[XY]
    mode: str = "black"


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """A camera 摄像机, by its code of 20 digits after GB/T 28181 Annex D.

    `shown` is the address without credentials and query; the address itself is only kept sealed. Place: WGS 84 degrees,
    `height` metres above ground, `heading` degrees clockwise from north, `field_of_view` degrees across, `reach` metres.
    `uses` are the purposes for which pictures may be looked at, `groups` paths such as `district/street`. `recorded_from` is
    the time of the first frame of a file. `health` is unknown, online, offline, blind or tampered.
    """

    code: str
    title: Text
    source: str
    shown: str
    longitude: float | None
    latitude: float | None
    height: float | None
    heading: float | None
    field_of_view: float | None
    reach: float | None
    owner: str | None
    operator: str | None
    uses: list[str]
    groups: list[str]
    tags: list[str]
    masks: list[Mask]
    store_masked: bool
    recorded_from: str | None
    retention_days: int
    monitored: bool
    health: str
    retired: bool
    created: str
    changed: str
    version: int


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How a camera does: its `state` `since` when, the last look at it, and what was seen."""

    camera: str
    state: str
    reason: str
    since: str
    checked: str
    last_frame: str | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    failures: int = 0
    successes: int = 0


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """What a task found, once by task, camera, place and time. `box` is left, top, right, bottom from 0 to 1.

    `picture` is the key of the evidence picture (JPEG) in Objects until it expires, `sha256` its digest for ever.
    """

    id: str
    task: str
    camera: str
    version: int
    algorithm: str
    place: str
    detail: str
    time: str
    began: str
    value: float
    box: list[float] | None
    owner: str | None
    longitude: float | None
    latitude: float | None
    picture: str | None
    sha256: str
    bytes: int
    masked: bool
    expires: str


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """A recording: where it is in Objects until it expires, what it shows and why it was made."""

    id: str
    camera: str
    origin: str
    begins: str
    ends: str
    object: str | None
    sha256: str
    bytes: int
    codec: str
    width: int
    height: int
    masked: bool
    purpose: str
    made_by: str
    made: str
    expires: str


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at pictures of a camera: by whom, at what (snapshot, clip, detection), for which purpose."""

    id: str
    camera: str
    time: str
    actor: str
    what: str
    target: str
    purpose: str
    note: str
    unmasked: bool


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a camera's stream gave."""

    camera: str
    reachable: bool
    reason: str = ""
    fps: float | None = None
    blind: bool = False
    width: int | None = None
    height: int | None = None


class RowFault(msgspec.Struct, frozen=True):
    """A row of an imported file that was left out: its line (the header is 1), the field, and what is wrong in zh and en."""

    line: int
    field: str
    message: Text


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did: rows read, cameras added and changed, those that already stood so, and rows left out."""

    rows: int
    added: int
    changed: int
    same: int
    faults: list[RowFault]
    more_faults: int
    dry: bool

    def as_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain
