"""Ports of sensing: whoever keeps tasks, or has topics of its own below `devices/`, offers these to it."""

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from mumian.foundation.identity.contracts import Caller
from mumian.kernel.unit_of_work import Session, Transaction


class TaskKeeper(Protocol):
    """Keeps the tasks of some tasking capabilities; their rows in sensing show what it knows, written in the same commit."""

    def keeps(self, session: Session, capability: int) -> bool:
        """Whether the tasks of a capability are its own."""
        ...

    def create(self, tx: Transaction, caller: Caller, capability: int, parameters: Any, properties: dict[str, Any]) -> int:
        """Make a task of a capability that it keeps; returns the task's id. Raises Forbidden, Invalid, Conflict."""
        ...

    def cancel(self, tx: Transaction, caller: Caller, task: int) -> None:
        """Take a task back; raises Forbidden, Conflict."""
        ...

    def bounded(self, caller: Caller) -> bool:
        """Whether a caller may see some tasks only."""
        ...

    def visible(self, session: Session, caller: Caller) -> Sequence[int] | None:
        """The capabilities whose tasks a caller may see; None: all. Raises Forbidden."""
        ...


class DeviceTopics(Protocol):
    """Knows whose `devices/<code>/…` is, and takes what devices say on `heartbeat` and `commands/<id>` there."""

    def code_of(self, caller: Caller) -> str | None:
        """The code of the device that a caller is, by its own credential; None for everybody else."""
        ...

    def heartbeat(self, caller: Caller, code: str, payload: bytes) -> Awaitable[None]:
        """A device says that it is there; raises Forbidden, Invalid."""
        ...

    def report(self, caller: Caller, code: str, command: str, payload: bytes) -> Awaitable[None]:
        """A device says how far a command is; raises Forbidden, Invalid, NotFound."""
        ...

    def ready(self, code: str) -> None:
        """A device is connected and subscribed to something; called on the event loop."""
        ...


class Post(Protocol):
    """Brings messages to devices; used on the event loop."""

    def hears(self, code: str, topic: str) -> bool:
        """Whether the device is connected here and subscribed to a topic."""
        ...

    def send(self, topic: str, payload: bytes, seconds: float) -> None:
        """Send with quality of service 1; who does not get it within so many seconds does not get it at all."""
        ...
