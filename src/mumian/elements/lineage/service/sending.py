"""Sending: OpenLineage events go to the configured address in order, and never to a private one that the settings do not name."""

import asyncio
import ipaddress
import json
import logging
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from mumian.elements.lineage import store
from mumian.elements.lineage.settings import LineageSettings
from mumian.kernel.background import Loop
from mumian.kernel.platform import Platform

_log = logging.getLogger("mumian.lineage")
_PAUSE = 2.0
_BATCH = 100
_Number = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(OSError):
    """The address leads to where the settings do not allow."""


class Sending:
    """Events that could not be sent wait; they are tried again with the next round."""

    name = "elements.lineage.sending"

    def __init__(self, platform: Platform, settings: LineageSettings) -> None:
        self._platform = platform
        self._settings = settings
        self._loop = Loop(self.name, platform.clock, self.settle, _PAUSE)

    async def start(self) -> None:
        """Begin, where an address is configured."""
        if self._settings.url:
            self._loop.start()

    async def stop(self) -> None:
        """Finish what is under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Send what is waiting, as long as it is taken."""
        if not self._settings.url:
            return False
        waiting = await self._platform.records.read(lambda session: store.unsent(session, _BATCH))
        sent = 0
        for row in waiting:
            if not await self._send(row["event"]):
                break
            await self._platform.records.write(lambda tx, n=row["number"]: store.note_sent(tx, n))  # type: ignore[misc]
            sent += 1
        return sent > 0

    async def _send(self, event: str) -> bool:
        import httpx

        token = self._settings.token.get_secret_value()
        try:
            url, host = await target(self._settings.url, self._settings.targets)
            headers = {"content-type": "application/json", "host": host}
            if token:
                headers["authorization"] = f"Bearer {token}"
            extensions = {"sni_hostname": urlsplit(self._settings.url).hostname}
            async with httpx.AsyncClient(timeout=self._settings.timeout_seconds, trust_env=False) as client:
                content = json.dumps(json.loads(event), ensure_ascii=False).encode()
                answer = await client.post(url, content=content, headers=headers, extensions=extensions)
        except (OSError, httpx.HTTPError, ValueError) as error:
            _log.warning("a lineage event waits, its receiver cannot be reached: %s", type(error).__name__)
            return False
        if answer.status_code >= 300:
            _log.warning("a lineage event waits, its receiver answered %s", answer.status_code)
        return answer.status_code < 300


async def target(url: str, allowed: Sequence[str]) -> tuple[str, str]:
    """The address with its host replaced by a checked number, and the host to be named; raises OSError, ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise NotAllowed("not an http(s) address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    numbers = [ipaddress.ip_address(entry[4][0]) for entry in found]
    for number in numbers:
        plain: _Number = getattr(number, "ipv4_mapped", None) or number
        if not (plain.is_global and not plain.is_multicast) and not _named(plain, parts.hostname, port, allowed):
            raise NotAllowed("a private address that the settings do not name")
    first = str(numbers[0])
    where = f"[{first}]:{port}" if ":" in first else f"{first}:{port}"
    return urlunsplit((parts.scheme, where, parts.path or "/", parts.query, "")), parts.netloc


def _named(number: _Number, host: str, port: int, allowed: Sequence[str]) -> bool:
    if host in allowed or f"{host}:{port}" in allowed:
        return True
    for entry in allowed:
        try:
            if number in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False
