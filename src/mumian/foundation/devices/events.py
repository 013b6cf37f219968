"""Events of the device ledger; subjects are device codes."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class DeviceEvent(Event):
    """A step in the life of a device, making `version`, whose whole state has the SHA-256 `digest`.

    `changes` holds the new values of the fields that changed; `device` kind, owner, state and district after it.
    """

    action: str
    version: int
    digest: str
    note: str
    changes: dict[str, Any]
    device: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeviceRegistered(DeviceEvent):
    """A device came into the ledger."""

    type: ClassVar[str] = "devices.device.registered"


@dataclass(frozen=True, kw_only=True)
class DeviceChanged(DeviceEvent):
    """What is known about a device changed, or work on it was recorded."""

    type: ClassVar[str] = "devices.device.changed"


@dataclass(frozen=True, kw_only=True)
class DeviceMoved(DeviceEvent):
    """A device went on in its life: installed, put into service, taken into maintenance, retired."""

    type: ClassVar[str] = "devices.device.moved"


@dataclass(frozen=True, kw_only=True)
class PresenceChanged(Event):
    """A device is `online`, `late` or `offline` now and was `before`; `seen` is the instant it was last heard, if ever."""

    type: ClassVar[str] = "devices.presence.changed"
    state: str
    before: str
    seen: str | None
    kind: str
    owner: str


@dataclass(frozen=True, kw_only=True)
class CredentialChanged(Event):
    """A device's credential was `offered` (an enrolment secret), `issued`, `revoked`, or its key was `bound`; none is told."""

    type: ClassVar[str] = "devices.credential.changed"
    action: str
    credential: str
    expires: str | None


@dataclass(frozen=True, kw_only=True)
class CommandChanged(Event):
    """A command to a device (the subject) reached `state`; `command` its name, `result` what the device reported.

    Whoever delivers commands (MQTT) waits for `queued` and tells `Devices.commands.delivered`.
    """

    type: ClassVar[str] = "devices.command.changed"
    id: str
    command: str
    state: str
    attempts: int
    version: int
    parameters: dict[str, Any]
    result: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class DevicesImported(Event):
    """A file of devices was brought in; the subject is the number of the import."""

    type: ClassVar[str] = "devices.import.finished"
    file: str
    sha256: str
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
