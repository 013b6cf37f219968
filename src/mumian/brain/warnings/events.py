"""Events of warnings."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class WarningEvent(Event):
    """A warning, named by `subject`, as it stands after the change; `time` is that of the vital's value.

    `reason` says why: entered, escalated, eased, below (its leave), stale (no value any more), corrected, withdrawn (the rule
    or the stream is gone, or the rule does not speak of the stream any more). `threshold` is the line of the present level,
    or of the last one if it was lifted.
    """

    rule: str
    key: str
    dimension: str
    level: str
    previous: str | None
    reason: str
    vital: str
    time: str
    value: float | None
    threshold: float | None
    title: dict[str, str]
    label: dict[str, str]
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True, kw_only=True)
class WarningRaised(WarningEvent):
    """A warning began."""

    type: ClassVar[str] = "brain.warnings.raised"


@dataclass(frozen=True, kw_only=True)
class WarningChanged(WarningEvent):
    """A warning went up or down a level."""

    type: ClassVar[str] = "brain.warnings.changed"


@dataclass(frozen=True, kw_only=True)
class WarningLifted(WarningEvent):
    """A warning ended."""

    type: ClassVar[str] = "brain.warnings.lifted"
