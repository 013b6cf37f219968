"""Delivery over MQTT: commands go out on `devices/<code>/commands`, and what devices say there and on `heartbeat` comes in."""

import asyncio
import contextlib
import logging
from typing import Any, Literal, TypeVar

import msgspec

from mumian.foundation.devices.contracts import Command
from mumian.foundation.devices.errors import NoDevice, NotPossible
from mumian.foundation.devices.events import CommandChanged
from mumian.foundation.devices.rules.device import LENGTHS
from mumian.foundation.devices.service.commands import Commands
from mumian.foundation.devices.service.credentials import Credentials
from mumian.foundation.devices.service.guard import Guard
from mumian.foundation.devices.service.reporting import Reporting
from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.background import Loop
from mumian.kernel.clock import parse_iso
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import encode

_AT_ONCE = 20
_SECONDS = 30.0
_REPORT = "device:report"
T = TypeVar("T")
_log = logging.getLogger("mumian.devices")


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """How far a command is, and what came of it."""

    status: Literal["acknowledged", "done", "failed"]
    result: dict[str, Any] | None = None


class Beat(msgspec.Struct, forbid_unknown_fields=True):
    """What a device may tell with a heartbeat."""

    firmware: str | None = None


class Delivery:
    """Hands queued commands to devices that are connected; the ledger counts, repeats and expires them as it does over HTTP."""

    name = "devices delivery"

    def __init__(
        self, platform: Platform, commands: Commands, reporting: Reporting, credentials: Credentials, guard: Guard
    ) -> None:
        self._platform = platform
        self._commands = commands
        self._reporting = reporting
        self._credentials = credentials
        self._guard = guard
        self._loop = Loop(self.name, platform.clock, self.settle, _SECONDS)
        self._following: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Hand over what is queued from now on."""
        self._following = asyncio.create_task(self._follow(), name=self.name)
        self._loop.start()

    async def stop(self) -> None:
        """End after what is under way."""
        await self._loop.stop()
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
            self._following = None
        await asyncio.gather(*self._under_way)

    async def settle(self) -> bool:
        """Hand over what was missed, to all devices that are connected; True if there was any."""
        codes = await self._platform.records.read(self._commands.awaited)
        return any([await self.deliver(code) for code in codes])

    async def deliver(self, code: str) -> bool:
        """Hand the waiting commands over to a device, if it listens; True if there were any."""
        post, topic, any_ = self._platform.get(Sensing).post, f"devices/{code}/commands", False
        while post is not None and post.hears(code, topic):
            if not await self._platform.records.read(lambda session: self._commands.waiting(session, code)):
                return any_
            commands = await self._platform.records.write(lambda tx: self._commands.fetch(tx, code, _AT_ONCE))
            for command in commands:
                post.send(topic, _message(command), self._seconds(command))
            any_ = any_ or bool(commands)
        return any_

    def code_of(self, caller: Caller) -> str | None:
        """The code of the device that a caller is, by its own credential."""
        return self._guard.code_of(caller)

    async def heartbeat(self, caller: Caller, code: str, payload: bytes) -> None:
        """A device says that it is there, perhaps with its firmware."""
        await self._own(caller, code)
        beat = _decoded(payload, Beat) if payload.strip() else Beat()
        if beat.firmware is not None and len(beat.firmware) > LENGTHS["firmware"]:
            raise Invalid.field("firmware", "field.length", expected=f"≤ {LENGTHS['firmware']}")
        await self._reporting.beat(code, beat.firmware, caller.actor)

    async def report(self, caller: Caller, code: str, command: str, payload: bytes) -> None:
        """A device says how far a command is."""
        await self._own(caller, code)
        told = _decoded(payload, Report)
        try:
            await self._reporting.report(code, command, told.status, told.result, caller.actor)
        except NotPossible as error:  # it stays impossible, however often the device sends it again
            raise Invalid.field("status", error.key, **error.values) from None

    def ready(self, code: str) -> None:
        """A device is there: hand over what waited for it."""
        task = asyncio.get_running_loop().create_task(self._deliver(code))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _follow(self) -> None:
        async for event in self._platform.bus.tail(None):
            if event.type == CommandChanged.type and event.data["state"] == "queued":
                await self._deliver(event.subject)

    async def _deliver(self, code: str) -> None:
        try:
            await self.deliver(code)
        except Exception:
            _log.exception("commands to %s could not be delivered; they are tried again", code)

    async def _own(self, caller: Caller, code: str) -> None:
        if await self._platform.records.read(lambda session: self._credentials.device_of(session, caller)) != code:
            raise NoDevice(action=_REPORT)

    def _seconds(self, command: Command) -> float:
        """How long a message is good for: until the command is delivered again."""
        now = self._platform.clock.now()
        return _SECONDS if command.due is None else max(1.0, (parse_iso(command.due) - now).total_seconds())


def _message(command: Command) -> bytes:
    names = ("id", "command", "parameters", "attempts", "created")
    return encode({name: getattr(command, name) for name in names})


def _decoded(payload: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(payload, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid.field("payload", "field.value", reason=str(error)[:300]) from None
