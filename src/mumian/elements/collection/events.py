"""Events of collection."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """A run of the connector `subject` began."""

    type: ClassVar[str] = "elements.collection.started"
    run: str
    dataset: str


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    """A run of the connector `subject` ended as `state` says (or waits, quarantined); `error` is a translation key."""

    type: ClassVar[str] = "elements.collection.ended"
    run: str
    dataset: str
    state: str
    read: int
    good: int
    bad: int
    load: int | None
    watermark: str | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class SchemaDrifted(Event):
    """The columns of the connector `subject` are not as they were; `changed` has name, type before and type now."""

    type: ClassVar[str] = "elements.collection.drifted"
    run: str
    dataset: str
    policy: str
    new: list[str]
    lost: list[str]
    changed: list[list[str]]


@dataclass(frozen=True, kw_only=True)
class SchemaAccepted(Event):
    """From now on these are the columns of the connector `subject`, by name with their types."""

    type: ClassVar[str] = "elements.collection.accepted"
    run: str
    columns: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class BadRowsRead(Event):
    """Somebody looked at rows of a run that were set aside."""

    type: ClassVar[str] = "elements.collection.bad-rows-read"
    run: str


@dataclass(frozen=True, kw_only=True)
class Submitted(Event):
    """Somebody filled the form `subject` for one thing, whose key is given as a digest."""

    type: ClassVar[str] = "elements.collection.submitted"
    submission: str
    key: str
    version: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Harvested(Event):
    """The catalogue `subject` was harvested, or could not be; `entered` are new or changed, `left` are gone."""

    type: ClassVar[str] = "elements.collection.harvested"
    harvest: str
    state: str
    found: int
    entered: int
    left: int
    error: dict[str, Any] | None
