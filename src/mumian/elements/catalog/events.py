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
