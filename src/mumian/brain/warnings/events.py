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


@dataclass(frozen=True, kw_only=True)
class WarningNoticed(Event):
    """People were told of a group of warnings: `kind` is first, change, repeat, resolved or escalation, `messages` how many."""

    type: ClassVar[str] = "brain.warnings.noticed"
    group: str
    route: str
    kind: str
    level: str
    warnings: int
    messages: int


@dataclass(frozen=True, kw_only=True)
class GroupAcknowledged(Event):
    """Somebody answers for a group of warnings: it is neither repeated nor escalated until something worse comes."""

    type: ClassVar[str] = "brain.warnings.acknowledged"
    by: str
    comment: str


@dataclass(frozen=True, kw_only=True)
class WarningsSilenced(Event):
    """Nobody is told of warnings with these labels from `starts` to `ends`; one that ends when it starts was taken back."""

    type: ClassVar[str] = "brain.warnings.silenced"
    wanted: dict[str, list[str]]
    starts: str
    ends: str
    author: str
    comment: str


@dataclass(frozen=True, kw_only=True)
class AlertReceived(Event):
    """A CAP message of another authority came in; `digest` is the SHA-256 of its bytes."""

    type: ClassVar[str] = "brain.warnings.received"
    sender: str
    status: str
    message_type: str
    event: str
    severity: str
    headline: str
    area: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class WarningPublished(Event):
    """A CAP message about a warning went out under the identifier `subject`; `digest` is the SHA-256 of its bytes."""

    type: ClassVar[str] = "brain.warnings.published"
    warning: str
    message_type: str
    digest: str
