"""Events of video. No event carries an address or a credential."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class CameraChanged(Event):
    """A camera was registered, changed or retired (`action`); the subject is its code.

    `digest` is the SHA-256 of the ledger's row without health; `fields` names what changed.
    """

    type: ClassVar[str] = "video.camera.changed"
    action: str
    version: int
    fields: list[str]
    owner: str | None
    digest: str


@dataclass(frozen=True, kw_only=True)
class CamerasImported(Event):
    """Rows of a file came into the ledger; the subject names the first and last code, `digest` covers their digests."""

    type: ClassVar[str] = "video.cameras.imported"
    added: int
    changed: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class CameraHealth(Event):
    """A camera's health changed for good (see `rules.health`); the subject is its code."""

    type: ClassVar[str] = "video.camera.health"
    before: str
    state: str
    reason: str
    owner: str | None


@dataclass(frozen=True, kw_only=True)
class PictureLooked(Event):
    """Somebody looked at pictures of the camera named by the subject: `what` is snapshot, clip or detection.

    `target` is the clip or detection and, of a clip, the bytes read; `sha256` what was handed out, where it is whole.
    """

    type: ClassVar[str] = "video.picture.looked"
    what: str
    target: str
    purpose: str
    note: str
    unmasked: bool
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ClipMade(Event):
    """A clip was recorded or handed in; the subject is its id."""

    type: ClassVar[str] = "video.clip.made"
    camera: str
    origin: str
    begins: str
    ends: str
    sha256: str
    bytes: int
    masked: bool
    purpose: str


@dataclass(frozen=True, kw_only=True)
class PicturesExpired(Event):
    """Clips and evidence pictures were deleted because their time was over; `items` lists {kind, id, sha256}."""

    type: ClassVar[str] = "video.pictures.expired"
    items: list[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class DetectionMade(Event):
    """A task found something; the subject is the detection's id. Times are ISO 8601 UTC text."""

    type: ClassVar[str] = "video.detection.made"
    task: str
    camera: str
    algorithm: str
    place: str
    detail: str
    time: str
    began: str
    value: float
    owner: str | None
    longitude: float | None
    latitude: float | None
    picture: str
    sha256: str
    masked: bool


@dataclass(frozen=True, kw_only=True)
class CandidateRaised(Event):
    """By its task's rule a detection is a candidate for an incident 事件线索; the subject is the detection's id.

    `incident_type` names an IncidentType, `severity` is minor, moderate, severe or extreme, `title` and `label` are {zh, en};
    `matter` (task/camera/place) stays the same while the same thing goes on, so that candidates can join one incident.
    `evidence` holds detection, task, camera, place, time, began, value, picture and sha256.
    """

    type: ClassVar[str] = "video.candidate.raised"
    incident_type: str
    severity: str
    title: dict[str, str]
    label: dict[str, str]
    owner: str | None
    longitude: float | None
    latitude: float | None
    time: str
    matter: str
    evidence: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RunChanged(Event):
    """A task began, ended or failed on a camera; the subject is task/camera."""

    type: ClassVar[str] = "video.run.changed"
    task: str
    camera: str
    version: int
    state: str
    detail: str
