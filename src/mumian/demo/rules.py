"""Rules of the simulated officer: what to do next and how long it takes, drawn from the incident's number alone."""

from dataclasses import dataclass
from hashlib import sha256

NEXT = {"dispatched": "take", "handling": "resolve", "handled": "verify", "verified": "close"}
LOGIN_PREFIX = "demo-"
_SLOW_SHARE = 0.12


@dataclass(frozen=True)
class Pace:
    """Minutes from one step to the next."""

    take: float
    resolve: float
    verify: float
    close: float


def pace(number: str) -> Pace:
    """How fast an incident of this number is handled: mostly within a day, one in eight late; the same number, the same pace."""
    draw = sha256(number.encode()).digest()
    first, second, third, fourth, slow = (int.from_bytes(draw[i : i + 4], "big") / 2**32 for i in range(0, 20, 4))
    late = slow < _SLOW_SHARE
    return Pace(
        take=(150 if late else 10) + 80 * first,
        resolve=(1500 if late else 180) + 840 * second,
        verify=60 + 240 * third,
        close=15 + 90 * fourth,
    )


def delay_minutes(number: str, state: str) -> float | None:
    """How long the simulated officer waits in a state before the next step; None where it has nothing to do."""
    action = NEXT.get(state)
    return None if action is None else float(getattr(pace(number), action))


def is_simulated(assignee: str | None) -> bool:
    """Whether an incident is still in the hands of the simulation: nobody has it, or one of its own officers."""
    return assignee is None or assignee.startswith(LOGIN_PREFIX)
