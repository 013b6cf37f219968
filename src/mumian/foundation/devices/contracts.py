"""Contracts of the device ledger: the state of a device, its commands, and what analysis finds."""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

State = Literal["planned", "installed", "in_service", "maintenance", "retired"]
Presence = Literal["online", "late", "offline", "unknown"]
Share = Literal["open", "conditional", "none"]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device 设备 at one version.

    `code` never changes. `kind` names a DeviceKind, `owner` an Organisation, `operator` whoever looks after it. Positions are
    WGS 84 degrees; `district` is found from the position, `grid` is the code of the grid cell 网格. Dates are ISO 8601 days,
    `changed` is an instant. `share` is how its data are shared 共享类型; empty means as its kind says. `thing` is the id of its
    SensorThings Thing, `streams` maps the kind's stream keys to names of streams. `due` is the day of its next calibration.
    """

    code: str
    kind: str
    name: str
    model: str = ""
    maker: str = ""
    serial: str = ""
    owner: str
    operator: str = ""
    address: str = ""
    grid: str = ""
    district: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    state: str = "planned"
    installed: str | None = None
    maintained: str | None = None
    retired: str | None = None
    firmware: str = ""
    share: str = ""
    note: str = ""
    properties: dict[str, Any] = {}
    streams: dict[str, str] = {}
    thing: int | None = None
    due: str | None = None
    origin: str = "ledger"
    changed: str = ""
    version: int = 1


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command 指令 to a device: what shall be done, and how far it came.

    `state` is queued, delivered, acknowledged, done, failed, expired or cancelled. `attempts` counts deliveries; `due` is the
    instant at which it is delivered again or expires. `result` is what the device reported. `task` is the id of the Task of
    SensorThings in which it shows.
    """

    id: str
    device: str
    command: str
    parameters: dict[str, Any]
    state: str
    attempts: int
    created: str
    by: str
    due: str | None
    changed: str
    result: dict[str, Any] | None = None
    version: int = 1
    task: int | None = None


@dataclass(frozen=True)
class Seen:
    """Whether a device is heard: its state since when, and the instant it was last heard; ISO 8601 UTC."""

    state: Presence
    since: str | None
    last: str | None


@dataclass(frozen=True)
class Cluster:
    """Devices of one kind (or category) that different owners put within a distance of each other 疑似重复建设.

    `members` are device codes, `spared` those that could be spared because another owner's device stands within the distance.
    `reach` is the greatest distance of a member from the centre, `nearest` the least between two owners' devices, in metres;
    `saving` is in the currency of the kinds' costs.
    """

    members: tuple[str, ...]
    owners: tuple[str, ...]
    kinds: tuple[str, ...]
    spared: tuple[str, ...]
    longitude: float
    latitude: float
    reach: float
    saving: float
    nearest: float


@dataclass(frozen=True)
class AreaCoverage:
    """How well an area is covered with a kind of device.

    `area` in km², `density` in devices per km², `covered` the share (0…1) of the area within the service radius, None where no
    radius is asked for. `missing` is how many devices lack to the target density, rounded up; `gap` says that a target is missed.
    """

    code: str
    title: dict[str, str]
    area: float
    devices: int
    density: float
    covered: float | None
    missing: int
    gap: bool


@dataclass(frozen=True)
class Product:
    """One line of the list of sensing-data products 物联感知数据产品清单: what the devices of a kind and owner offer.

    `age_seconds` is the median age of the newest observations, `fresh` the share of streams not older than twice their interval.
    """

    kind: str
    title: dict[str, str]
    category: str
    owner: str
    observed_property: str
    unit: str
    frequency_seconds: int | None
    share: str
    devices: int
    streams: int
    online: int
    latest: str | None
    age_seconds: float | None
    fresh: float | None
