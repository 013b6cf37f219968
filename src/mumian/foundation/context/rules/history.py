"""History: what a change tells of an entity's attributes, and how instances in time are shown and aggregated (4.5.6–4.5.19)."""

from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.context.rules.entity import Attributes, Entity, dataset


@dataclass(frozen=True, slots=True, eq=False)
class Delta:
    """What one change did: `kind` is create, change or delete; instances that are new, and names and datasets that went."""

    kind: str
    time: str
    types: tuple[str, ...]
    attributes: Attributes = field(default_factory=dict)
    gone: tuple[tuple[str, str | None], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the entity's stored form tells the same."""
        return self.kind == "create"

    def form(self) -> dict[str, Any]:
        """As it is kept until the lake has it."""
        return {"t": self.types, "m": self.time, "a": self.attributes, "g": self.gone}


def difference(old: Entity | None, new: Entity | None, now: str) -> Delta:
    """What changed between two states of an entity; instances are compared by identity, they are never altered."""
    if new is None:
        held = old.attributes if old else {}
        gone = tuple((name, dataset(i)) for name, instances in held.items() for i in instances)
        return Delta("delete", now, old.types if old else (), {}, gone)
    if old is None:
        return Delta("create", now, new.types, new.attributes)
    changed: Attributes = {}
    lost: list[tuple[str, str | None]] = []
    for name, instances in new.attributes.items():
        before = old.attributes.get(name, [])
        if before is instances:
            continue
        fresh = [i for i in instances if not any(i is b for b in before)]
        if fresh:
            changed[name] = fresh
        kept = {dataset(i) for i in instances}
        lost += [(name, dataset(b)) for b in before if dataset(b) not in kept]
    lost += [(name, dataset(b)) for name, before in old.attributes.items() if name not in new.attributes for b in before]
    return Delta("change", now, new.types, changed, tuple(lost))
