"""Targets: where notifications may go; private addresses only where the settings say so, whatever a name resolves to."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from mumian.foundation.context.errors import BadRequestData

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
FIELD = "notification.endpoint.uri"


@dataclass(frozen=True)
class Target:
    """A receiver as it is to be reached: the address with the host replaced by its checked number, and the host's own name."""

    url: str
    host: str
    secure: bool


def check_literal(uri: str, allowed: Sequence[str]) -> None:
    """Raise BadRequestData for an address that is plainly not allowed; names are looked at when they are used."""
    parts = _parts(uri)
    try:
        address = ipaddress.ip_address(parts[0])
    except ValueError:
        inner = parts[0] == "localhost" or parts[0].endswith((".localhost", ".internal", ".local"))
        if inner and not _named(parts[0], parts[1], allowed):
            raise BadRequestData.field(FIELD, "context.target", host=parts[0]) from None
        return
    if not _permitted(address, parts[0], parts[1], allowed):
        raise BadRequestData.field(FIELD, "context.target", host=parts[0])


async def resolve(uri: str, allowed: Sequence[str]) -> Target:
    """Where to connect; raises BadRequestData when any address of the host is not allowed, OSError when it has none."""
    host, port = _parts(uri)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    if not addresses or not all(_permitted(address, host, port, allowed) for address in addresses):
        raise BadRequestData.field(FIELD, "context.target", host=host)
    parts = urlsplit(uri)
    number = str(addresses[0])
    where = f"[{number}]:{port}" if ":" in number else f"{number}:{port}"
    return Target(urlunsplit((parts.scheme, where, parts.path or "/", parts.query, "")), parts.netloc, parts.scheme == "https")


def _parts(uri: str) -> tuple[str, int]:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise BadRequestData.field(FIELD, "context.uri", given=uri[:200]) from error
    if not host or parts.username is not None or parts.scheme not in ("http", "https"):
        raise BadRequestData.field(FIELD, "context.uri", given=uri[:200])
    return host, port


def _permitted(address: Address, host: str, port: int, allowed: Sequence[str]) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    public = address.is_global and not address.is_multicast
    return public or _named(host, port, allowed) or any(_within(address, entry) for entry in allowed)


def _named(host: str, port: int, allowed: Sequence[str]) -> bool:
    return host in allowed or f"{host}:{port}" in allowed


def _within(address: Address, entry: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
