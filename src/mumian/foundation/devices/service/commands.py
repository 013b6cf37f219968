"""Commands to devices: sent, fetched or delivered, acknowledged, delivered again, expired; every step told."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from mumian.foundation.devices.contracts import Command
from mumian.foundation.devices.errors import NotPossible
from mumian.foundation.devices.events import CommandChanged
from mumian.foundation.devices.models import CommandSpec
from mumian.foundation.devices.rules import tasking
from mumian.foundation.devices.service.capabilities import Capabilities
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.devices.settings import DeviceSettings
from mumian.foundation.tables.contracts import checked
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.errors import Fault, Invalid, NotFound, Stale
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode

_COLUMNS = "id, device, command, parameters, state, attempts, created, actor, due, changed, result, version, task"
_SELECT = f"SELECT {_COLUMNS} FROM devices_command"
_DUE = 200
_SECONDS = 5.0


class Commands:
    """Moves commands inside the caller's transaction; as background work it looks after those whose time is over."""

    name = "devices commands"

    def __init__(self, platform: Platform, lives: Lives, settings: DeviceSettings) -> None:
        self._platform = platform
        self._lives = lives
        self._settings = settings
        self._capabilities = Capabilities(platform)
        self._loop = Loop("devices commands", platform.clock, self.settle, _SECONDS)

    async def start(self) -> None:
        """Begin to look after commands whose time is over."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the run under way."""
        await self._loop.stop()

    def send(
        self,
        tx: Transaction,
        code: str,
        name: str,
        parameters: Mapping[str, Any],
        shown: Mapping[str, Any] | None = None,
        at: str = "parameters",
    ) -> Command:
        """Queue a command for a device in service or maintenance; raises NotFound, NotPossible, Invalid.

        Its task in SensorThings has the properties `shown`; `at` is where the parameters stood, for what is said of faults.
        """
        device = self._lives.find(tx.session, code)
        if device.state not in ("in_service", "maintenance"):
            raise NotPossible(step="command", state=device.state)
        spec = self._spec(device.kind, name)
        values, faults = checked(spec.parameters, parameters, at)
        if faults:
            raise Invalid(*faults)
        if self._count(tx.session, code, tasking.OPEN) >= self._settings.waiting_commands:
            raise Invalid(Fault("command", "devices.too_many_waiting", {"most": self._settings.waiting_commands}))
        command = Command(
            id=new_id(),
            device=code,
            command=name,
            parameters=values,
            state="queued",
            attempts=0,
            created=tx.now_text,
            by=tx.actor.id,
            due=_later(tx.now, spec.expires_seconds),
            changed=tx.now_text,
        )
        command = replace(command, task=self._capabilities.show(tx, device, command, spec, shown or {}))
        row = {**_row(command), "actor": command.by}
        tx.session.execute(
            f"INSERT INTO devices_command ({_COLUMNS}) VALUES ({', '.join(':' + n for n in _COLUMNS.split(', '))})", **row
        )
        _tell(tx, command)
        return command

    def fetch(self, tx: Transaction, code: str, limit: int = 20) -> list[Command]:
        """The commands that wait for a device, oldest first, delivered with this."""
        rows = tx.session.rows(
            f"{_SELECT} WHERE device = :code AND state = 'queued' ORDER BY id LIMIT :limit", code=code, limit=limit
        )
        return [self._reach(tx, _load(row), "delivered") for row in rows]

    def delivered(self, tx: Transaction, id_: str) -> Command:
        """Somebody (MQTT) handed the command over to the device; raises NotFound, NotPossible."""
        return self._reach(tx, self.find(tx.session, id_), "delivered")

    def report(self, tx: Transaction, code: str, id_: str, state: str, result: dict[str, Any] | None = None) -> Command:
        """The device tells how far it is: acknowledged, done or failed; told twice counts once. Raises NotFound, NotPossible."""
        command = self.find(tx.session, id_)
        if command.device != code:
            raise NotFound(kind="command", name=id_)
        if tasking.repeated(command, state):
            return command
        return self._reach(tx, command, state, result)

    def cancel(self, tx: Transaction, id_: str) -> Command:
        """Take back a command that was not acknowledged; raises NotFound, NotPossible."""
        return self._reach(tx, self.find(tx.session, id_), "cancelled")

    @staticmethod
    def find(session: Session, id_: str) -> Command:
        """A command; raises NotFound."""
        row = session.row(f"{_SELECT} WHERE id = :id", id=id_)
        if row is None:
            raise NotFound(kind="command", name=id_[:40])
        return _load(row)

    @staticmethod
    def of_task(session: Session, task: int) -> Command:
        """The command that shows as a task; raises NotFound."""
        row = session.row(f"{_SELECT} WHERE task = :task", task=task)
        if row is None:
            raise NotFound(kind="entity", name=f"Tasks({task})")
        return _load(row)

    @staticmethod
    def awaited(session: Session) -> list[str]:
        """The devices for which commands wait."""
        return [row["device"] for row in session.rows("SELECT DISTINCT device FROM devices_command WHERE state = 'queued'")]

    @staticmethod
    def page(session: Session, code: str, before: str | None, limit: int) -> list[Command]:
        """The commands to a device, newest first."""
        rows = session.rows(
            f"{_SELECT} WHERE device = :code AND id < :before ORDER BY id DESC LIMIT :limit",
            code=code,
            before="~" if before is None else before,
            limit=limit,
        )
        return [_load(row) for row in rows]

    def waiting(self, session: Session, code: str) -> int:
        """How many commands wait to be fetched by a device."""
        return self._count(session, code, ("queued",))

    @staticmethod
    def _count(session: Session, code: str, states: Sequence[str]) -> int:
        named = ", ".join(f"'{state}'" for state in states)
        sql = f"SELECT COUNT(*) FROM devices_command WHERE device = :code AND state IN ({named})"
        return int(session.value(sql, code=code))

    async def settle(self) -> bool:
        """Queue again, fail or expire commands whose time is over; True if there were any."""
        now = iso(self._platform.clock.now())
        due = await self._platform.records.read(lambda session: _overdue(session, now))
        if due:
            await self._platform.records.write(lambda tx: self._give_up(tx, due))
        return bool(due)

    def _give_up(self, tx: Transaction, due: Sequence[str]) -> None:
        for id_ in due:
            command = self.find(tx.session, id_)
            if command.due is None or command.due > tx.now_text or command.state not in tasking.OPEN:
                continue
            spec = self._known(tx.session, command)
            state = tasking.overdue(command, spec.attempts if spec else 0)
            silent = {"reason": "silent"} if state == "failed" else None
            self._keep(tx, command, tasking.reached(command, state, self._due(tx.now, state, spec), silent))

    def _reach(self, tx: Transaction, command: Command, state: str, result: dict[str, Any] | None = None) -> Command:
        if not tasking.possible(command, state):
            raise NotPossible(step=state, state=command.state)
        due = self._due(tx.now, state, self._known(tx.session, command))
        return self._keep(tx, command, tasking.reached(command, state, due, result))

    def _due(self, now: datetime, state: str, spec: CommandSpec | None) -> str:
        if spec is None:
            return _later(now, 60)
        return _later(now, spec.timeout_seconds if state == "delivered" else spec.expires_seconds)

    def _known(self, session: Session, command: Command) -> CommandSpec | None:
        """What is declared of a command that was sent; None where it is no longer."""
        kind = self._lives.kinds().get(self._lives.find(session, command.device).kind)
        return None if kind is None else kind.commands.get(command.command)

    def _spec(self, kind: str, name: str) -> CommandSpec:
        commands = self._lives.kind(kind).commands
        if name not in commands:
            raise Invalid.field("command", "field.choice", expected=", ".join(commands) or "–")
        return commands[name]

    def _keep(self, tx: Transaction, command: Command, changes: dict[str, Any]) -> Command:
        after = replace(command, **changes, changed=tx.now_text, version=command.version + 1)
        names = ("state", "attempts", "due", "changed", "result", "version")
        row = {name: value for name, value in _row(after).items() if name in names}
        columns = ", ".join(f"{name} = :{name}" for name in row)
        sql = f"UPDATE devices_command SET {columns} WHERE id = :id AND version = :seen"
        if tx.session.execute(sql, **row, id=command.id, seen=command.version) != 1:
            raise Stale(expected=command.version, found=self.find(tx.session, command.id).version)
        self._capabilities.follow(tx, after)
        _tell(tx, after)
        return after


def _tell(tx: Transaction, command: Command) -> None:
    names = ("id", "command", "state", "attempts", "version", "parameters", "result")
    tx.emit(CommandChanged(subject=command.device, **{name: getattr(command, name) for name in names}))


def _overdue(session: Session, now: str) -> list[str]:
    rows = session.rows("SELECT id FROM devices_command WHERE due <= :now ORDER BY due LIMIT :limit", now=now, limit=_DUE)
    return [row["id"] for row in rows]


def _later(now: datetime, seconds: int) -> str:
    return iso(now + timedelta(seconds=seconds))


def _row(command: Command) -> Row:
    row = {name: getattr(command, name) for name in Command.__struct_fields__ if name != "by"}
    row["parameters"] = encode(command.parameters).decode()
    row["result"] = None if command.result is None else encode(command.result).decode()
    return row


def _load(row: Row) -> Command:
    values = {name: value for name, value in row.items() if name != "actor"}
    values["parameters"] = json.loads(row["parameters"])
    values["result"] = None if row["result"] is None else json.loads(row["result"])
    return Command(**values, by=row["actor"])
