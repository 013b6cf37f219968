"""What may be asked for 最小必要: fields that the purpose needs, each labelled one with a reason; deciders give no more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import fields as names_of

from mumian.elements.sharing.contracts import Item, Quota
from mumian.kernel.errors import Fault

PURPOSE = r"^[a-z][a-z-]{0,79}$"


@dataclass(frozen=True)
class Offered:
    """A dataset as sharing sees it: the owner's access, its fields, which of them are labelled, and what purposes may have.

    `purposes`: of each purpose the fields that it needs; empty where nothing is said. `tokens`: fields given only as tokens.
    `core`: fields that never leave their owner.
    """

    dataset: str
    access: str
    fields: tuple[str, ...]
    labelled: frozenset[str] = frozenset()
    core: frozenset[str] = frozenset()
    purposes: Mapping[str, Sequence[str]] | None = None
    tokens: tuple[str, ...] = ()


def faults(item: Item, place: str, offered: Offered, purpose: str) -> Iterable[Fault]:
    """What is wrong with one dataset of an application."""
    if offered.access == "conditional" and not item.fields:
        yield Fault(f"{place}.fields", "sharing.fields_missing", {"dataset": item.dataset})
    for part in ("fields", "plain", "lookup", "tokens"):
        asked = getattr(item, part)
        known = offered.fields if part == "fields" else item.fields or offered.fields
        for name in asked:
            if name not in known:
                yield Fault(f"{place}.{part}", "sharing.no_such_field", {"name": name[:80], "dataset": item.dataset})
        if len(set(asked)) < len(asked):
            yield Fault(f"{place}.{part}", "sharing.given_twice", {})
    yield from _unneeded(item, place, offered, purpose)


def _unneeded(item: Item, place: str, offered: Offered, purpose: str) -> Iterable[Fault]:
    """Fields that the purpose does not need, or of which nobody says why it does."""
    if offered.purposes:
        needed = offered.purposes.get(purpose)
        if needed is None:
            yield Fault("purpose", "sharing.purpose_unknown", {"dataset": item.dataset, "purposes": ", ".join(offered.purposes)})
        for name in item.fields:
            if needed is not None and name not in needed:
                yield Fault(f"{place}.fields", "sharing.not_needed", {"name": name, "purpose": purpose})
    for name in item.fields:
        if name in offered.core:
            yield Fault(f"{place}.fields", "sharing.core", {"name": name})
        elif name in offered.labelled and not item.reasons.get(name, "").strip():
            yield Fault(f"{place}.reasons.{name}", "sharing.reason_missing", {"name": name})
    for name in item.plain:
        if name in offered.tokens or name in item.tokens:
            yield Fault(f"{place}.plain", "sharing.only_token", {"name": name})


def narrowed(asked: Sequence[Item], given: Sequence[Item]) -> Iterable[Fault]:
    """What of `given` was not asked for: who decides may give less, tokens instead of values, and fewer rows, never more."""
    known = {item.dataset: item for item in asked}
    if not given:
        yield Fault("items", "field.missing", {})
    for index, item in enumerate(given):
        place, before = f"items[{index}]", known.pop(item.dataset, None)
        if before is None:
            yield Fault(f"{place}.dataset", "sharing.not_asked", {"name": item.dataset})
            continue
        for part in ("fields", "plain", "lookup"):
            beyond = set(getattr(item, part)) - set(getattr(before, part))
            if beyond or (part == "fields" and before.fields and not item.fields):
                yield Fault(f"{place}.{part}", "sharing.not_asked", {"name": ", ".join(sorted(beyond)) or "*"})
        if item.rows is None and before.rows is not None:
            yield Fault(f"{place}.rows", "sharing.rows_wider", {"rows": before.rows})


def together(first: str | None, second: str | None) -> str | None:
    """Two conditions that must both hold."""
    if first is None or second is None or first == second:
        return first or second
    return f"({first}) AND ({second})"


def bounded(asked: Quota, ceiling: Quota) -> Quota:
    """What is asked for, where there is a ceiling at most that."""
    found: dict[str, int | None] = {}
    for one in names_of(Quota):
        wanted, most = getattr(asked, one.name), getattr(ceiling, one.name)
        found[one.name] = most if wanted is None else wanted if most is None else min(wanted, most)
    return Quota(**found)
