"""Addresses of webhooks: where rows may be sent; private ones only where the settings say so, whatever a name resolves to."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from mumian.kernel.errors import Invalid


def parts(address: str) -> tuple[str, int]:
    """Host and port of an http(s) address without a name or password in it; raises Invalid."""
    try:
        split = urlsplit(address)
        host, port = split.hostname, split.port or (443 if split.scheme == "https" else 80)
    except ValueError as error:
        raise Invalid.field("address", "sharing.uri", given=address[:200]) from error
    if not host or split.username is not None or split.scheme not in ("http", "https"):
        raise Invalid.field("address", "sharing.uri", given=address[:200])
    return host, port


async def resolve(address: str, allowed: Sequence[str]) -> tuple[str, str]:
    """The address with the host's checked number, and the host's own name; raises Invalid if it is not allowed, OSError."""
    host, port = parts(address)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    numbers = [str(entry[4][0]) for entry in found]
    if not numbers or not all(permitted(number, host, port, allowed) for number in numbers):
        raise Invalid.field("address", "sharing.target", host=host[:200])
    split = urlsplit(address)
    where = f"[{numbers[0]}]:{port}" if ":" in numbers[0] else f"{numbers[0]}:{port}"
    return urlunsplit((split.scheme, where, split.path or "/", split.query, "")), split.netloc


def permitted(number: str, host: str, port: int, allowed: Sequence[str]) -> bool:
    """Whether a host with this number may be reached: it is public, or the settings name it."""
    given = ipaddress.ip_address(number)
    plain = getattr(given, "ipv4_mapped", None) or given
    if host in allowed or f"{host}:{port}" in allowed or any(_within(plain, entry) for entry in allowed):
        return True
    return bool(plain.is_global and not plain.is_multicast)


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
