"""Events of the catalogue."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class DatasetEntered(Event):
    """A dataset, named by `subject`, stands in the catalogue for the first time, or again."""

    type: ClassVar[str] = "elements.catalog.entered"
    origin: str
    owner: str | None


@dataclass(frozen=True, kw_only=True)
class DatasetWithdrawn(Event):
    """A dataset left the catalogue."""

    type: ClassVar[str] = "elements.catalog.withdrawn"


@dataclass(frozen=True, kw_only=True)
class DatasetLoaded(Event):
    """Rows came into the dataset `subject`: `rows` in load `load`, after which it has `total`."""

    type: ClassVar[str] = "elements.catalog.loaded"
    load: int
    mode: str
    source: str
    rows: int
    total: int
    watermark: str | None


@dataclass(frozen=True, kw_only=True)
class HarvestEntered(Event):
    """A dataset of the catalogue `origin` was entered or changed; `digest` is the SHA-256 of its record and its original."""

    type: ClassVar[str] = "elements.catalog.harvested"
    origin: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class HarvestWithdrawn(Event):
    """A harvested dataset left the catalogue."""

    type: ClassVar[str] = "elements.catalog.harvest_withdrawn"


@dataclass(frozen=True, kw_only=True)
class SourceDecided(Event):
    """It was decided what a field is for the data element `subject`: `authoritative`, `copy` or `different`, with a reason."""

    type: ClassVar[str] = "elements.catalog.source_decided"
    dataset: str
    field: str
    role: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Followed(Event):
    """The person or token `subject` follows (or, if not `on`, no longer) a `dataset`, `theme` or `owner` named `value`."""

    type: ClassVar[str] = "elements.catalog.followed"
    about: str
    value: str
    on: bool
