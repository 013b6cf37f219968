"""Tasking: tasks of devices that come over SensorThings are commands, held to the same checks and kept in the same ledger."""

from collections.abc import Mapping, Sequence
from typing import Any

from mumian.foundation.devices.service.capabilities import Capabilities
from mumian.foundation.devices.service.commands import Commands
from mumian.foundation.devices.service.credentials import Credentials, is_device
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.identity.api import Caller, require
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.unit_of_work import Session, Transaction

_DEVICE_ROLES = {"device", "member"}
_COMMAND = "device:command"


class Tasking:
    """What sensing asks of whoever keeps tasks (`sensing.api.TaskKeeper`)."""

    def __init__(self, lives: Lives, commands: Commands, credentials: Credentials) -> None:
        self._lives = lives
        self._commands = commands
        self._credentials = credentials

    def keeps(self, session: Session, capability: int) -> bool:
        """Whether a capability stands for a command of a device."""
        return Capabilities.meant(session, capability) is not None

    def create(self, tx: Transaction, caller: Caller, capability: int, parameters: Any, properties: dict[str, Any]) -> int:
        """Send the command that a capability stands for; returns its task."""
        meant = Capabilities.meant(tx.session, capability)
        if meant is None:
            raise NotFound(kind="entity", name=f"TaskingCapabilities({capability})")
        code, name = meant
        require(caller, _COMMAND, self._lives.find(tx.session, code).owner)
        if not isinstance(parameters, Mapping):
            raise Invalid.field("taskingParameters", "field.type", expected="an object")
        command = self._commands.send(tx, code, name, parameters, properties, "taskingParameters")
        assert command.task is not None
        return command.task

    def cancel(self, tx: Transaction, caller: Caller, task: int) -> None:
        """Take the command back that a task shows."""
        command = self._commands.of_task(tx.session, task)
        require(caller, _COMMAND, self._lives.find(tx.session, command.device).owner)
        self._commands.cancel(tx, command.id)

    def bounded(self, caller: Caller) -> bool:
        """A device sees its own tasks only, and so does whoever is a device and nothing else."""
        roles = set(caller.actor.roles)
        return is_device(caller) or ("device" in roles and roles <= _DEVICE_ROLES)

    def visible(self, session: Session, caller: Caller) -> Sequence[int] | None:
        """The capabilities of the device that calls; raises NoDevice for a caller that is none in the ledger."""
        if not self.bounded(caller):
            return None
        return Capabilities.of(session, self._credentials.device_of(session, caller))
