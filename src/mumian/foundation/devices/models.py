"""Models of what may be declared about devices: kinds of device, single devices, and how dense a kind shall stand."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec

Title = dict[Literal["zh", "en"], Annotated[str, Field(min_length=1, max_length=200)]]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
CODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


class FieldSpec(Spec):
    """A typed field: a property of a kind of device, or a parameter of a command."""

    type: Literal["number", "integer", "boolean", "text", "choice"] = Field(description="What values it takes.")
    title: Title | None = Field(None, description="What people call it, {zh, en}; imports know it by these names, too.")
    unit: str = Field("", max_length=60, description="The unit of a number.")
    minimum: float | None = Field(None, description="The least value of a number.")
    maximum: float | None = Field(None, description="The greatest value of a number.")
    choices: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=200, description="The values of a choice."
    )
    length: int = Field(200, ge=1, le=4000, description="The most characters of a text.")
    required: bool = Field(False, description="Whether it must be given.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a choice needs choices, and nothing else has them; add or remove them")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is greater than maximum; exchange them")
        return self


class HeartbeatSpec(Spec):
    """How often a device is expected to be heard, and when silence is late or offline, counted in heartbeats."""

    seconds: int = Field(ge=1, le=31 * 86_400, description="It is heard at least every so many seconds.")
    late_after: float = Field(1.5, ge=1, le=100, description="Late after so many heartbeats of silence.")
    offline_after: float = Field(3.0, ge=1, le=1000, description="Offline after so many heartbeats of silence.")
    recover_beats: int = Field(2, ge=1, le=20, description="Online again once heard so many times without being late.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.offline_after < self.late_after:
            raise ValueError("offline_after is less than late_after; exchange them")
        return self


class StreamTemplate(Spec):
    """A stream that each device of the kind has once it is put into service."""

    observed_property: str = Field(min_length=1, max_length=200, description="What is observed, such as pm25.")
    unit: str = Field(min_length=1, max_length=60, description="The unit of the results, such as ug/m3.")
    title: Title | None = Field(None, description="What people call it; default: the observed property.")
    sensor: str = Field("", max_length=200, description="The instrument or method; default: the device's model.")
    frequency_seconds: int | None = Field(None, gt=0, description="How often an observation is expected, in seconds.")
    minimum: float | None = Field(None, description="The least valid result.")
    maximum: float | None = Field(None, description="The greatest valid result.")


class CommandSpec(Spec):
    """A command that devices of the kind understand."""

    title: Title = Field(description="What people call it, {zh, en}.")
    parameters: dict[Key, FieldSpec] = Field(default_factory=dict, max_length=50, description="What it needs to know.")
    timeout_seconds: int = Field(60, ge=1, le=7 * 86_400, description="Delivered again when not acknowledged within so long.")
    attempts: int = Field(3, ge=1, le=20, description="How often it is delivered before it fails.")
    expires_seconds: int = Field(86_400, ge=1, le=31 * 86_400, description="It expires when nobody fetched it for so long.")


class DeviceKindSpec(Spec):
    """A kind of device 设备类型: what its devices have in common."""

    category: str = Field(min_length=1, max_length=80, description="The group of kinds it belongs to, such as environment.")
    share: Literal["open", "conditional", "none"] = Field(
        "conditional", description="How data of its devices are shared 共享类型."
    )
    heartbeat: HeartbeatSpec | None = Field(None, description="How often it is heard; none: nobody watches whether it is online.")
    streams: dict[Key, StreamTemplate] = Field(default_factory=dict, max_length=50, description="Streams of each device, by key.")
    commands: dict[Key, CommandSpec] = Field(default_factory=dict, max_length=50, description="What it can be told to do.")
    properties: dict[Key, FieldSpec] = Field(default_factory=dict, max_length=100, description="What else is known of each.")
    calibration_days: int | None = Field(None, ge=1, le=36_500, description="It must be calibrated every so many days.")
    cost: float = Field(0, ge=0, description="What one costs to buy and set up, in the city's currency.")
    upkeep: float = Field(0, ge=0, description="What one costs each year to run, in the city's currency.")


class DeviceSpec(Spec):
    """A device that is declared in a file rather than entered or imported."""

    kind: str = Field(max_length=80, description="The DeviceKind.")
    owner: str = Field(max_length=80, description="The organisation that it belongs to.")
    state: Literal["planned", "installed", "in_service", "maintenance", "retired"] = Field(
        "in_service", description="How far it is in its life."
    )
    model: str = Field("", max_length=200, description="The maker's name for it.")
    maker: str = Field("", max_length=200, description="Who made it.")
    operator: str = Field("", max_length=200, description="Who looks after it.")
    address: str = Field("", max_length=400, description="Where it stands, in words.")
    grid: str = Field("", max_length=80, description="The code of its grid cell.")
    longitude: float | None = Field(None, ge=-180, le=180, description="Degrees, WGS 84.")
    latitude: float | None = Field(None, ge=-90, le=90, description="Degrees, WGS 84.")
    installed: str | None = Field(None, pattern=DAY_PATTERN, description="The day on which it was installed.")
    note: str = Field("", max_length=2000, description="What else should be known.")
    properties: dict[str, Any] = Field(default_factory=dict, description="Properties that its kind describes.")
    streams: dict[Key, str] = Field(default_factory=dict, description="Declared streams that are its own, by key of its kind.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("longitude and latitude go together; give both or neither")
        return self


class CoverageTargetSpec(Spec):
    """How dense a kind of device shall stand in the areas of a layer 布设目标."""

    kind: str | None = Field(None, max_length=80, description="The DeviceKind; or give a category.")
    category: str | None = Field(None, max_length=80, description="All kinds of a category.")
    layer: str | None = Field(None, max_length=80, description="The layer of areas; default: the city's districts.")
    density: float | None = Field(None, gt=0, description="At least so many devices per km² in each area.")
    radius: float | None = Field(None, ge=1, le=100_000, description="Each device serves what lies within so many metres.")
    share: float = Field(0.9, gt=0, le=1, description="At least this share of each area shall be served.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.kind is None) == (self.category is None):
            raise ValueError("give either kind or category")
        if self.density is None and self.radius is None:
            raise ValueError("give density, radius or both")
        return self
