"""Events of opening."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class Used(Event):
    """The dataset `subject` was downloaded or asked `count` times since this was last told; of whom nothing is kept."""

    type: ClassVar[str] = "elements.opening.used"
    count: int
    ways: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Checked(Event):
    """The rows of `subject` that load `load` left were checked for re-identification; `state` is passed, failed or exempt."""

    type: ClassVar[str] = "elements.opening.checked"
    load: int
    state: str
    digest: str
    result: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PackageKept(Event):
    """The package `subject` was written over CKAN's API; `digest` is the SHA-256 of its record as it is kept."""

    type: ClassVar[str] = "elements.opening.package_kept"
    digest: str


@dataclass(frozen=True, kw_only=True)
class PackageDropped(Event):
    """The package `subject` was deleted over CKAN's API."""

    type: ClassVar[str] = "elements.opening.package_dropped"


@dataclass(frozen=True, kw_only=True)
class FileKept(Event):
    """A file was uploaded as the resource `subject`; `sha256` is of its bytes."""

    type: ClassVar[str] = "elements.opening.file_kept"
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class VoiceHeard(Event):
    """Somebody of the public sent in `subject`: a request, a correction, a use case; what it says is in the digest."""

    type: ClassVar[str] = "elements.opening.heard"
    kind: str
    dataset: str | None
    owner: str | None
    due: str | None
    digest: str


@dataclass(frozen=True, kw_only=True)
class VoiceAnswered(Event):
    """What the public sent in as `subject` got an answer; `state` is where it now stands."""

    type: ClassVar[str] = "elements.opening.answered"
    state: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Rated(Event):
    """Somebody rated the dataset `subject`; `person` tells raters apart and nothing else."""

    type: ClassVar[str] = "elements.opening.rated"
    person: str
    stars: int
