"""Events of sensing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class StreamRegistered(Event):
    """A stream was registered or changed; the subject is its name."""

    type: ClassVar[str] = "sensing.stream.registered"
    stream: int
    origin: str
    observed_property: str
    unit: str
    owner: str | None
    frequency_seconds: int | None


@dataclass(frozen=True, kw_only=True)
class StreamRetired(Event):
    """A stream takes no more observations; what it has is kept. The subject is its name."""

    type: ClassVar[str] = "sensing.stream.retired"
    stream: int


@dataclass(frozen=True, kw_only=True)
class ObservationsRecorded(Event):
    """Observations came to rest in the lake; the subject is their source, `journal` or the name of an imported file.

    `digest` is the SHA-256 of the rows `first_id … last_id` (see `rules.digest`), which anybody can compute again from the lake.
    """

    type: ClassVar[str] = "sensing.observations.recorded"
    count: int
    streams: int
    first_id: int
    last_id: int
    start: datetime
    end: datetime
    digest: str


@dataclass(frozen=True, kw_only=True)
class EntityCreated(Event):
    """An entity of SensorThings was created; the subject is its address such as `Things(12)`, `properties` what it has.

    `links` are the ids that it is linked to, by link.
    """

    type: ClassVar[str] = "sensing.entity.created"
    entity: str
    number: int
    properties: dict[str, Any]
    links: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class EntityChanged(Event):
    """An entity was changed; `properties` and `links` are those that are other than before, with what they are now."""

    type: ClassVar[str] = "sensing.entity.changed"
    entity: str
    number: int
    properties: dict[str, Any]
    links: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class EntityDeleted(Event):
    """An entity was deleted, by itself or with what it belonged to; `properties` and `links` are what it had last."""

    type: ClassVar[str] = "sensing.entity.deleted"
    entity: str
    number: int
    properties: dict[str, Any]
    links: dict[str, Any]
