"""Guard: connections go to the hosts that the settings name and nowhere else, whatever a name resolves to meanwhile."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from mumian.elements.collection.errors import HostRefused, SourceFailed

_Number = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Target:
    """Where to connect: the address with the host replaced by its checked number, and the host's own name."""

    url: str
    host: str
    name: str


def target(url: str, allowed: Sequence[str]) -> Target:
    """Where to connect for an address; raises HostRefused, and SourceFailed where the name cannot be resolved."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise HostRefused.field("url", "collection.host", host=url[:200]) from error
    if parts.scheme not in ("http", "https") or not name or parts.username is not None:
        raise HostRefused.field("url", "collection.host", host=url[:200])
    number = check(name, port, allowed)
    where = f"[{number}]:{port}" if ":" in number else f"{number}:{port}"
    return Target(urlunsplit((parts.scheme, where, parts.path or "/", parts.query, "")), parts.netloc, name)


def check(name: str, port: int, allowed: Sequence[str]) -> str:
    """The number of a host that may be reached at a port; raises HostRefused, SourceFailed.

    Its name, or the network of its number, must be allowed. A number that is not public needs more than a name: the name with
    the port, or the network, so that a name which comes to lead inside the house opens no door.
    """
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        if not _by_name(name, port, allowed):
            raise HostRefused.field("url", "collection.host", host=name[:200]) from error
        raise SourceFailed(reason=f"{name[:200]}: unknown host") from error
    numbers = [ipaddress.ip_address(entry[4][0]) for entry in found]
    exact = f"{name}:{port}" in allowed
    for number in numbers:
        plain: _Number = getattr(number, "ipv4_mapped", None) or number
        within = _by_network(plain, allowed)
        public = plain.is_global and not plain.is_multicast
        if not (within or exact or (public and _by_name(name, port, allowed))):
            raise HostRefused.field("url", "collection.host", host=f"{name[:200]}:{port}")
    return str(numbers[0])


def _by_name(name: str, port: int, allowed: Sequence[str]) -> bool:
    low = name.lower().rstrip(".")
    for entry in allowed:
        host = entry.lower()
        if host in (low, f"{low}:{port}") or (host.startswith("*.") and low.endswith(host[1:])):
            return True
    return False


def _by_network(number: _Number, allowed: Sequence[str]) -> bool:
    for entry in allowed:
        try:
            if number in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False
