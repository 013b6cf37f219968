"""Reporting: what devices tell of themselves and of their commands, over whichever protocol."""

from typing import Any

from mumian.foundation.devices.contracts import Command
from mumian.foundation.devices.service.commands import Commands
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.devices.service.presence import Presence
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, encode

_RESULT_BYTES = 20_000


class Reporting:
    """Takes reports of a device that is known to be the one."""

    def __init__(self, platform: Platform, lives: Lives, commands: Commands, presence: Presence) -> None:
        self._platform = platform
        self._lives = lives
        self._commands = commands
        self._presence = presence

    async def beat(self, code: str, firmware: str | None, actor: Actor) -> None:
        """The device is there; nothing is written, unless its firmware changed. Raises Invalid."""
        self._presence.heartbeat(code)
        if firmware is None:
            return
        device = await self._platform.records.read(lambda session: self._lives.find(session, code))
        if firmware != device.firmware:
            changes = {"firmware": firmware}
            await self._platform.records.write(
                lambda tx: self._lives.change(tx, self._lives.find(tx.session, code), changes), actor
            )

    async def report(self, code: str, id_: str, state: str, result: dict[str, Any] | None, actor: Actor) -> Command:
        """The device tells how far a command is; raises Invalid, NotFound, NotPossible."""
        self._presence.heartbeat(code)
        if result is not None and len(encode(result)) > _RESULT_BYTES:
            raise Invalid.field("result", "field.length", expected=f"≤ {_RESULT_BYTES} bytes")
        return await self._platform.records.write(lambda tx: self._commands.report(tx, code, id_, state, result), actor)
