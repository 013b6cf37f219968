"""Tasking: the actions that its entities need, and what of them callers see who may see some only."""

import re
from collections.abc import Sequence

from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.sta.paths import Path
from mumian.kernel.errors import Forbidden

READ = "task:read"
WRITES = {"Tasks": "task:create", "TaskingCapabilities": "task:register", "Actuators": "task:register"}
_OWN = {"Tasks", "TaskingCapabilities"}
_SINGLE = re.compile(r"\bTaskingCapability\b")
_NAMED = re.compile("Task|Actuator")


def write_action(entities: str) -> str:
    """The action that creating or changing an entity of a set needs."""
    return WRITES.get(entities, "sensing:register")


def reaches(path: Path, query: str = "") -> bool:
    """Whether a path, or the options of a query such as `$expand` and `$filter`, lead to entities of tasking."""
    return not WRITES.keys().isdisjoint(path.names) or _NAMED.search(query) is not None


async def bound(sensing: Sensing, caller: Caller, path: Path, query: str) -> Sequence[int] | None:
    """The capabilities that a caller is bound to, None for all; raises Forbidden where a query could lead beyond them."""
    keeper = sensing.tasks
    if keeper is None or not keeper.bounded(caller):
        return None
    if not set(path.names) <= _OWN or _NAMED.search(_SINGLE.sub("", query)) is not None:
        raise Forbidden(action=READ)
    return await sensing.platform.records.read(lambda session: keeper.visible(session, caller))
