"""Capabilities: each command of a device shows as a TaskingCapability of SensorThings, and each command sent as a Task."""

from collections.abc import Mapping
from typing import Any

from mumian.foundation.devices import store
from mumian.foundation.devices.contracts import Command, Device
from mumian.foundation.devices.models import CommandSpec, DeviceKindSpec
from mumian.foundation.devices.rules import swe
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_PAGE = 1000


class Capabilities:
    """Writes what SensorThings shows in the commit of what it shows; the command itself stays the one truth."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @property
    def _things(self) -> Any:
        return self._platform.get(Sensing).things

    def begin(self, tx: Transaction, device: Device, kind: DeviceKindSpec) -> None:
        """Let a device show the capabilities that its kind declares, as they are declared now."""
        for name, spec in kind.commands.items():
            self.ensure(tx, device, name, spec)

    def ensure(self, tx: Transaction, device: Device, name: str, spec: CommandSpec) -> int:
        """The capability of a device's command, made or brought up to date if need be."""
        parameters = swe.record(spec.parameters)
        sql = "SELECT id FROM devices_capability WHERE code = :code AND command = :command"
        found = tx.session.value(sql, code=device.code, command=name)
        if found is not None:
            self._things.change_capability(tx, int(found), parameters)
            return int(found)
        title = spec.title.get("en") or next(iter(spec.title.values()))
        number: int = self._things.add_capability(
            tx,
            self._thing(tx, device),
            self._things.actuator_named(tx, device.model or device.kind),
            f"{device.code} {name}",
            title,
            parameters,
            {"device": device.code, "command": name, "title": {str(key): text for key, text in spec.title.items()}},
        )
        sql = "INSERT INTO devices_capability (id, code, command) VALUES (:id, :code, :command)"
        tx.session.execute(sql, id=number, code=device.code, command=name)
        return number

    def _thing(self, tx: Transaction, device: Device) -> int:
        """The device's thing: its own, that of its declared streams or of its other commands, else a new one."""
        if device.thing is not None:
            return device.thing
        session = tx.session
        found = [self._things.thing_of(session, capability=number) for number in self.of(session, device.code)]
        found += [self._things.thing_of(session, stream=name) for name in device.streams.values()]
        known = [thing for thing in found if thing is not None]
        if known:
            return int(known[0])
        properties = {"device": device.code, "kind": device.kind, "owner": device.owner}
        row = {"name": device.name, "description": device.name, "properties": properties, "origin": "device"}
        return int(self._things.add_thing(tx, row))

    def show(self, tx: Transaction, device: Device, command: Command, spec: CommandSpec, more: Mapping[str, Any]) -> int:
        """Let a new command show as a task with properties of its own and `more`; returns the task's id."""
        capability = self.ensure(tx, device, command.command, spec)
        properties = {**more, "device": device.code, "command": command.id}
        return int(self._things.add_task(tx, capability, command.parameters, properties, swe.STATUS[command.state]))

    def follow(self, tx: Transaction, command: Command) -> None:
        """Let a command's task show how far the command is, and what came of it."""
        if command.task is not None:
            added = {} if command.result is None else {"result": command.result}
            self._things.change_task(tx, command.task, swe.STATUS[command.state], added)

    def refresh(self, tx: Transaction, kinds: Mapping[str, DeviceKindSpec]) -> None:
        """Let all devices in service of these kinds show the commands that are declared now."""
        for name, kind in kinds.items():
            after = ""
            while page := store.page(tx.session, {"kind": name, "state": "in_service"}, after, _PAGE):
                for device, _ in page:
                    self.begin(tx, device, kind)
                after = page[-1][0].code

    @staticmethod
    def meant(session: Session, capability: int) -> tuple[str, str] | None:
        """The device and the command that a capability stands for."""
        row = session.row("SELECT code, command FROM devices_capability WHERE id = :id", id=capability)
        return None if row is None else (row["code"], row["command"])

    @staticmethod
    def of(session: Session, code: str) -> list[int]:
        """The capabilities of a device."""
        return [int(row["id"]) for row in session.rows("SELECT id FROM devices_capability WHERE code = :code", code=code)]
