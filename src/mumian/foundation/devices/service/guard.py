"""The guard at the doors of sensing: a device writes its own streams and no others."""

import asyncio
from typing import Any

from mumian.foundation.devices.errors import ForeignStream, NoDevice
from mumian.foundation.devices.service.credentials import is_device
from mumian.foundation.devices.service.roster import Roster
from mumian.foundation.devices.service.streams import Streams
from mumian.foundation.identity.api import Caller
from mumian.kernel.platform import Platform

_TOKENS = "SELECT id, code FROM devices_credential WHERE type = 'token' AND revoked IS NULL"
_WRITING = ("in_service", "maintenance")


class Guard:
    """Knows the streams of each device's token in memory; what another process changed is known a moment later."""

    def __init__(self, platform: Platform, roster: Roster, streams: Streams) -> None:
        self._platform = platform
        self._roster = roster
        self._streams = streams
        self._tokens: dict[str, str] = {}
        self._own: dict[str, frozenset[int]] = {}
        self._version = (-1, -1)
        self._refreshing: asyncio.Future[None] | None = None

    def refresh(self) -> None:
        """Read tokens and streams anew if devices or declarations changed; not on the event loop."""
        version = (self._roster.refresh(), self._platform.declarations.revision)
        if version == self._version:
            return
        rows = self._platform.records.read_now(lambda session: session.rows(_TOKENS))
        tokens = {row["id"]: row["code"] for row in rows}
        entries = [entry for code in set(tokens.values()) if (entry := self._roster.get(code)) and entry.state in _WRITING]
        known = self._streams.named(name for entry in entries for name in entry.streams.values())
        numbers = {name: info.id for name, info in known.items()}
        own = {e.code: frozenset(numbers[name] for name in e.streams.values() if name in numbers) for e in entries}
        self._tokens, self._own, self._version = tokens, own, version

    def check(self, caller: Caller, streams: Any) -> None:
        """Raise ForeignStream where a device writes what is not its own, NoDevice where its token is not known (any more)."""
        if not is_device(caller):
            return
        code = self._tokens.get(caller.actor.id)
        if code is None:
            self._catch_up()
            raise NoDevice(action="sensing:write")
        own = self._own.get(code, frozenset())
        foreign = set(streams.tolist()) - own
        if foreign:
            self._catch_up()
            raise ForeignStream(device=code, stream=min(foreign), action="sensing:write")

    def code_of(self, caller: Caller) -> str | None:
        """The code of the device that a caller is, by its own token; None for everybody else."""
        if not is_device(caller):
            return None
        code = self._tokens.get(caller.actor.id)
        if code is None:
            self._catch_up()
        return code

    def _catch_up(self) -> None:
        """Look for what another process changed, soon: whoever is refused tries again."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.ensure_future(asyncio.to_thread(self.refresh))
