"""Addresses: what a topic means — a place to publish observations, something of SensorThings to hear of, or a free topic."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.mqtt.topics import has_wildcard
from mumian.foundation.sensing.sta.paths import Path, parse_path
from mumian.foundation.sensing.sta.tasking import READ, reaches, write_action
from mumian.foundation.sensing.sta.writing.model import TYPES
from mumian.kernel.errors import Invalid, NotFound

ROOT = "v1.1/"
WRITE, READ_OBSERVATIONS, READ_STREAMS = "sensing:write", "observation:read", "stream:read"
SEND, RECEIVE, REPORT = "message:send", "message:receive", "device:report"
_DEVICE = re.compile(r"devices/([^/]+)/(?:heartbeat|commands(?:/([^/]*))?)")
_MOST = 1000


@dataclass(frozen=True)
class Interest:
    """What a topic filter of SensorThings asks for: a resource path, and the properties that `$select` names."""

    topic: str
    path: Path
    select: tuple[str, ...] = ()

    @property
    def stream(self) -> int | None:
        """The stream whose observations it asks for, where the path names one."""
        path = self.path
        named = path.last == "Observations" and not path.one and path.names[-2:-1] in (("Datastreams",), ("MultiDatastreams",))
        return path.owner_id if named else None

    @property
    def all_observations(self) -> bool:
        """Whether it asks for every observation."""
        return self.path.names == ("Observations",) and not self.path.one


@lru_cache(maxsize=10_000)
def interest(topic: str) -> Interest:
    """What a filter without wildcards below `v1.1/` asks for; raises NotFound, Invalid."""
    resource, _, query = topic[len(ROOT) :].partition("?")
    path = parse_path(resource, topic)
    if not path.names or path.names == ("CreateObservations",) or path.reference or path.value:
        raise NotFound(kind="resource", name=topic)
    if not query:
        return Interest(topic, path)
    name, _, value = unquote(query).partition("=")
    names = tuple(part.strip() for part in value.split(","))
    if name not in ("$select", "select") or not all(n and n.replace("@iot.", "").isidentifier() for n in names):
        raise Invalid.field(query[:100], "sensing.option", expected="$select")
    return Interest(topic, path, names)


@lru_cache(maxsize=50_000)
def destination(topic: str) -> Path | None:
    """The resource that a topic publishes to; None for a free topic. Raises NotFound."""
    return parse_path(topic[len(ROOT) :], topic) if topic.startswith(ROOT) else None


def action_for(path: Path) -> str:
    """The action that a publish to a resource needs, the same as over HTTP; raises NotFound for what takes none."""
    if path.names == ("CreateObservations",):
        return WRITE
    if path.last == "Observations" and not path.one and not path.reference:
        if len(path.names) == 1 or path.names[-2] in ("Datastreams", "MultiDatastreams"):
            return WRITE
    elif path.last in TYPES and not path.one and not path.reference:
        return write_action(path.last)
    raise NotFound(kind="resource", name=path.text)


def is_free(topic: str) -> bool:
    """Whether a topic name has nothing to do with SensorThings."""
    return not topic.startswith(ROOT)


def device_topic(topic: str) -> tuple[str, str | None] | None:
    """What a topic of the devices' protocol means: the device's code, and the command that is reported on, None for a heartbeat.

    The command is empty for `devices/<code>/commands`, where commands are delivered and nobody publishes. None for other topics.
    """
    matched = _DEVICE.fullmatch(topic)
    if matched is None:
        return None
    return matched.group(1), None if topic.endswith("/heartbeat") and matched.group(2) is None else matched.group(2) or ""


def may_send(caller: Caller, topic: str, code: str | None) -> bool:
    """Whether a caller, as a device with a code, may publish to a free topic.

    A device below its own `devices/<code>/`, others with `message:send`; what devices report comes from the device alone.
    """
    reserved = device_topic(topic)
    if reserved is not None:
        return reserved[0] == code and reserved[1] != "" and caller.allowed(REPORT)
    return _own(code, topic) or caller.allowed(SEND)


def may_hear(caller: Caller, topic: str, code: str | None, bounded: bool) -> bool:
    """Whether a caller, as a device with a code, may subscribe to a filter; `bounded` callers see some tasks only."""
    if topic.startswith(ROOT) and not has_wildcard(topic):
        if reaches(interest(topic).path):
            return caller.allowed(READ) and not bounded
        return caller.allowed(READ_OBSERVATIONS if "Observations" in interest(topic).path.names else READ_STREAMS)
    first = topic.split("/", maxsplit=1)[0]
    known = caller.allowed(READ_OBSERVATIONS) and caller.allowed(READ_STREAMS)
    if first == "v1.1":
        return known
    return _own(code, topic) or (caller.allowed(RECEIVE) and (known or not has_wildcard(first)))


def _own(code: str | None, topic: str) -> bool:
    return code is not None and topic.startswith(f"devices/{code}/")
