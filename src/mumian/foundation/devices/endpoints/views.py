"""Bodies of the device ledger's endpoints: what comes in, bounded, and what goes out."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mumian.foundation.devices.contracts import Command, Device, Seen
from mumian.foundation.devices.models import CODE_PATTERN, DAY_PATTERN
from mumian.foundation.devices.rules import life
from mumian.foundation.devices.rules.device import LENGTHS
from mumian.foundation.identity.api import Caller
from mumian.kernel.errors import Invalid

Text = dict[str, str]
Day = Annotated[str, Field(pattern=DAY_PATTERN)]
State = Literal["planned", "installed", "in_service", "maintenance", "retired"]
Share = Literal["", "open", "conditional", "none"]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Body(BaseModel):
    """The base of what comes in: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class DevicePatch(Body):
    """What shall change about a device; what is left out stays. `properties` replaces all of them."""

    name: str | None = Field(None, min_length=1, max_length=LENGTHS["name"])
    model: str | None = Field(None, max_length=LENGTHS["model"])
    maker: str | None = Field(None, max_length=LENGTHS["maker"])
    serial: str | None = Field(None, max_length=LENGTHS["serial"])
    owner: str | None = Field(None, max_length=80)
    operator: str | None = Field(None, max_length=LENGTHS["operator"])
    address: str | None = Field(None, max_length=LENGTHS["address"])
    grid: str | None = Field(None, max_length=LENGTHS["grid"])
    longitude: Degrees | None = None
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    installed: Day | None = None
    maintained: Day | None = None
    retired: Day | None = None
    firmware: str | None = Field(None, max_length=LENGTHS["firmware"])
    share: Share | None = None
    note: str | None = Field(None, max_length=LENGTHS["note"])
    properties: dict[str, Any] | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent; null clears a day or a position, and nothing else."""
        sent = self.model_dump(exclude_unset=True)
        clearable = ("longitude", "latitude", "installed", "maintained", "retired")
        for name, value in sent.items():
            if value is None and name not in clearable:
                raise Invalid.field(name, "field.type", expected="text")
        return sent


class DeviceBody(DevicePatch):
    """A device to be entered: code, kind, name and owner at least; without a state it is planned."""

    code: str = Field(pattern=CODE_PATTERN)
    kind: str = Field(max_length=80)
    name: str = Field(min_length=1, max_length=LENGTHS["name"])
    owner: str = Field(max_length=80)
    state: State = "planned"


class StepBody(Body):
    """A step of the life cycle, on a day (default: today)."""

    step: Literal["install", "commission", "suspend", "resume", "retire"]
    day: Day | None = None
    note: str = Field("", max_length=2000)


class WorkBody(Body):
    """A calibration or maintenance that was done."""

    type: Literal["calibration", "maintenance", "inspection", "repair"]
    day: Day
    due: Day | None = None
    result: Literal["passed", "adjusted", "failed", ""] = ""
    certificate: str = Field("", max_length=200)
    party: str = Field("", max_length=200)
    cost: float | None = Field(None, ge=0, le=1e12, allow_inf_nan=False)
    note: str = Field("", max_length=2000)


class SeenOut(BaseModel):
    """Whether a device is heard, since when, and when it was last heard."""

    state: str
    since: str | None
    last: str | None


class DeviceOut(BaseModel):
    """A device; `presence` says whether it is heard, `steps` what may be done with it next."""

    code: str
    kind: str
    name: str
    model: str
    maker: str
    serial: str
    owner: str
    operator: str
    address: str
    grid: str
    district: str | None
    longitude: float | None
    latitude: float | None
    state: str
    installed: str | None
    maintained: str | None
    retired: str | None
    firmware: str
    share: str
    note: str
    properties: dict[str, Any]
    streams: dict[str, str]
    thing: int | None
    due: str | None
    origin: str
    changed: str
    version: int
    presence: SeenOut
    steps: list[str]


class StepOut(BaseModel):
    """A step in the history of a device."""

    version: int
    time: str
    actor: str
    action: str
    changes: dict[str, Any]
    note: str


class WorkOut(BaseModel):
    """A calibration or maintenance that was done."""

    id: str
    code: str
    type: str
    day: str
    due: str | None
    result: str
    certificate: str
    party: str
    cost: float | None
    note: str
    recorded: str
    actor: str


class CommandBody(Body):
    """A command to be sent, with the parameters that its kind describes."""

    command: str = Field(max_length=60)
    parameters: dict[str, Any] = Field(default_factory=dict)


class CommandOut(BaseModel):
    """A command and how far it came."""

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
    result: dict[str, Any] | None
    version: int
    task: int | None


def device_out(device: Device, seen: Seen, caller: Caller) -> DeviceOut:
    """A device as it is shown to a caller."""
    fields = {name: getattr(device, name) for name in Device.__struct_fields__}
    steps = life.possible(device.state) if caller.allowed("device:write", device.owner) else []
    presence = SeenOut(state=seen.state, since=seen.since, last=seen.last)
    return DeviceOut(**fields, presence=presence, steps=steps)


def command_out(command: Command) -> CommandOut:
    """A command as it is shown."""
    return CommandOut(**{name: getattr(command, name) for name in CommandOut.model_fields})


def version(if_match: str | None) -> int:
    """The version in an If-Match header; raises Invalid."""
    if if_match is None:
        raise Invalid.field("If-Match", "devices.version_missing")
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid.field("If-Match", "field.pattern", expected='"3"')
    return int(text)
