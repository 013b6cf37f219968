"""Specs of the kinds of video: what a declaration of an analytic task or of a model says."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec

Share = Annotated[float, Field(ge=-0.0, le=1)]
Point = tuple[float, float]
Algorithm = Literal["line_count", "stay", "linger", "intrusion", "crowd", "water", "smoke", "colour", "tamper", "model"]
Hour = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
BY_LINE = frozenset({"line_count"})
BY_PICTURE = frozenset({"tamper"})
BY_MODEL = frozenset({"model"})
# threshold from which a level is an alarm, and for how many seconds it must hold, where a task does not say
USUAL: dict[str, tuple[float, float]] = {
    "stay": (0, 180),
    "linger": (0, 30),
    "intrusion": (0, 0.5),
    "crowd": (20, 10),
    "water": (0.2, 30),
    "smoke": (0.08, 5),
    "colour": (20, 30),
    "tamper": (0, 10),
    "model": (0.5, 3),
    "line_count": (0, 0),
}


class Zone(Spec):
    """A zone of the picture."""

    name: Name
    polygon: tuple[Point, ...] = Field(
        min_length=3, max_length=64, description="Corners [x, y], x to the right, y down, both from 0 to 1."
    )


class Line(Spec):
    """A line to be crossed: `in` is from the left to the right of one who looks from its first point to its second."""

    name: Name
    points: tuple[Point, ...] = Field(min_length=2, max_length=2, description="Two points [x, y], both from 0 to 1.")


class Hours(Spec):
    """When a task looks; `until` before `since` runs over midnight."""

    days: tuple[Day, ...] = Field(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), min_length=1)
    since: Hour = "00:00"
    until: Hour = "24:00"


class Candidate(Spec):
    """The rule by which a detection is a candidate for an incident."""

    incident_type: str = Field(min_length=1, max_length=80, description="The IncidentType that it may become.")
    severity: Literal["minor", "moderate", "severe", "extreme"] = "minor"
    at_least: float = Field(0, description="Only detections with at least this value.")


class Observe(Spec):
    """The streams that a task feeds, one for each camera and place, named video.<task>.<camera>.<place>."""

    interval_seconds: int = Field(60, ge=1, le=86400, description="The interval that one observation stands for.")
    observed_property: str | None = Field(None, min_length=1, max_length=200)
    unit: str | None = Field(None, min_length=1, max_length=60)


class AnalyticTaskSpec(Spec):
    """What cameras are watched for: algorithm, cameras, zones or lines, hours, and what becomes of a detection."""

    algorithm: Algorithm = Field(description="How the picture is looked at.")
    cameras: tuple[Annotated[str, Field(pattern=r"^[0-9]{20}$")], ...] = Field((), max_length=10_000)
    groups: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field((), max_length=100)
    zones: tuple[Zone, ...] = Field((), max_length=32)
    lines: tuple[Line, ...] = Field((), max_length=32)
    schedule: tuple[Hours, ...] = Field((), max_length=32, description="When it looks, on the city's clock; empty: always.")
    sensitivity: Share = Field(0.5, description="0: only what is plain; 1: everything that might be.")
    fps: float | None = Field(
        None, ge=0.2, le=30, description="Frames per second; usual: 12.5 for line_count, 1 for water, else 5."
    )
    smallest: float = Field(0.002, gt=0, le=0.5, description="The least object, as a share of the picture's area.")
    seconds: float | None = Field(None, ge=0, le=86400, description="How long a state must hold to be detected.")
    threshold: float | None = Field(
        None, ge=0, description="crowd: people; water, smoke: share of the zone; colour: ΔE; model: share of certainty."
    )
    person: float = Field(0.005, gt=0, le=0.5, description="crowd: the share of the picture that one person covers.")
    model: str | None = Field(None, max_length=80, description="The VisionModel that names objects, or judges zones.")
    labels: tuple[str, ...] = Field((), max_length=50, description="Only objects that the model calls one of these.")
    observe: Observe = Observe()
    candidate: Candidate | None = None
    retention_days: int = Field(90, ge=1, le=3650, description="How long evidence pictures are kept.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.cameras and not self.groups:
            raise ValueError("a task watches something: name cameras or groups")
        if self.algorithm in BY_LINE and (not self.lines or self.zones):
            raise ValueError(f"{self.algorithm} needs lines and takes no zones")
        if self.algorithm not in BY_LINE | BY_PICTURE and (not self.zones or self.lines):
            raise ValueError(f"{self.algorithm} needs zones and takes no lines")
        if self.algorithm in BY_PICTURE and (self.zones or self.lines):
            raise ValueError(f"{self.algorithm} looks at the whole picture; leave zones and lines out")
        if bool(self.labels) != bool(self.model) or (self.algorithm in BY_MODEL and not self.model):
            raise ValueError("model and labels go together: give both or neither; the algorithm `model` needs both")
        if self.model and self.algorithm not in {"line_count", "stay", "linger", "intrusion", "model"}:
            raise ValueError(f"{self.algorithm} takes no model")
        return self

    @property
    def rate(self) -> float:
        """Frames per second."""
        return self.fps or {"line_count": 12.5, "water": 1.0}.get(self.algorithm, 5.0)


class VisionModelSpec(Spec):
    """A classifier of pictures as an ONNX file: RGB in [0, 1] as 1×3×H×W float32 in, one score for each label out."""

    source: str = Field(min_length=1, max_length=400, description="The file, relative to the folder of the declaration's file.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="The file's SHA-256.")
    labels: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] = Field(min_length=2, max_length=2000)
    licence: str = Field(
        min_length=1, max_length=200, description="Under which licence the model may be used (SPDX where it has one)."
    )
    origin: str = Field(min_length=1, max_length=400, description="Who trained it, on what.")
