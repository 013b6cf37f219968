"""Events of models: what was registered, what was decided about it; each names the version and its artefact."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ModelAdded(Event):
    """A model came into being."""

    type: ClassVar[str] = "foundation.models.added"
    kind: str
    title: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class VersionRegistered(Event):
    """A version of the model named by the subject was registered as a draft; `sha256` is of its artefact."""

    type: ClassVar[str] = "foundation.models.registered"
    number: int
    sha256: str
    bytes: int
    data: dict[str, Any]
    evaluation: dict[str, Any]
    compared: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class VersionDecided(Event):
    """A version was approved or retired; `by` is who decided."""

    type: ClassVar[str] = "foundation.models.decided"
    number: int
    state: str
    by: str
    note: str
