"""The life of a command 指令: queued → delivered → acknowledged → done or failed, delivered again when nothing is heard."""

from typing import Any

from mumian.foundation.devices.contracts import Command

OPEN = ("queued", "delivered", "acknowledged")
SOURCES: dict[str, tuple[str, ...]] = {
    "delivered": ("queued",),
    "acknowledged": ("queued", "delivered"),
    "done": ("queued", "delivered", "acknowledged"),
    "failed": ("queued", "delivered", "acknowledged"),
    "cancelled": ("queued", "delivered"),
}
REPORTS = ("acknowledged", "done", "failed")


def repeated(command: Command, state: str) -> bool:
    """Whether a report tells what is known already: a device that heard no answer reports again."""
    return command.state == state or (state == "acknowledged" and command.state in ("done", "failed") and command.attempts > 0)


def possible(command: Command, state: str) -> bool:
    """Whether the command may reach a state."""
    return command.state in SOURCES.get(state, ())


def reached(command: Command, state: str, due: str | None, result: dict[str, Any] | None) -> dict[str, Any]:
    """The fields that change when a command reaches a state; `due` is when somebody looks at it again."""
    changes: dict[str, Any] = {"state": state, "due": due if state in OPEN else None}
    if state == "delivered":
        changes["attempts"] = command.attempts + 1
    if result is not None:
        changes["result"] = result
    return changes


def overdue(command: Command, attempts: int) -> str:
    """What becomes of a command whose time is over: queued again while it may be delivered again, else failed or expired."""
    if command.state == "queued":
        return "expired"
    if command.state == "delivered":
        return "queued" if command.attempts < attempts else "failed"
    return "failed"
