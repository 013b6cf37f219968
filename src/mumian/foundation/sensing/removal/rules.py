"""Rules of removal: what of the told batches still has to be there after what was lawfully removed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WHOLE = 500_000


@dataclass(frozen=True)
class Unit:
    """Ids first…last of the lake, told to hold `count` rows with this digest."""

    first: int
    last: int
    count: int
    digest: str


def units(recorded: Iterable[Mapping[str, Any]], removals: Iterable[Mapping[str, Any]]) -> tuple[list[Unit], list[Unit]]:
    """What the lake must hold by the events: recorded batches, with what removals left in the place of those they took from.

    Also returns the spans of removals that do not take the place of whole units: events that contradict each other.
    """
    held = {told["first_id"]: Unit(told["first_id"], told["last_id"], told["count"], told["digest"]) for told in recorded}
    doubts = []
    for removal in removals:
        for span in removal["spans"]:
            first, last = span["first_id"], span["last_id"]
            inside = (
                [unit for start, unit in held.items() if first <= start <= last] if len(held) < WHOLE else _inside(held, span)
            )
            left = Unit(first, last, span["kept"], span["digest"])
            if not inside or max(unit.last for unit in inside) != last or min(unit.first for unit in inside) != first:
                doubts.append(left)
            if sum(unit.count for unit in inside) != span["kept"] + span["removed"]:
                doubts.append(left)
            for unit in inside:
                del held[unit.first]
            held[first] = left
    return sorted(held.values(), key=lambda unit: unit.first), doubts


def _inside(held: Mapping[int, Unit], span: Mapping[str, Any]) -> list[Unit]:
    """The same for very many units: walks from one to the next."""
    found, at = [], span["first_id"]
    while at in held and at <= span["last_id"]:
        found.append(held[at])
        at = held[at].last + 1
    return found


def spans(affected: Sequence[Unit], most: int = WHOLE) -> list[list[Unit]]:
    """Units, by id, in groups that follow each other without a gap and hold about `most` rows each."""
    groups: list[list[Unit]] = []
    rows = 0
    for unit in affected:
        if groups and groups[-1][-1].last + 1 == unit.first and rows + unit.count <= most:
            groups[-1].append(unit)
            rows += unit.count
        else:
            groups.append([unit])
            rows = unit.count
    return groups
