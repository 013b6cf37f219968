"""Keeping: one step of a thing with a life is its next version, its history and its event, in one commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from mumian.elements.sharing import store
from mumian.elements.sharing.errors import Moved, NotPossible
from mumian.elements.sharing.events import ApplicationMoved, DeliveryMoved, DemandMoved, GrantMoved, ObjectionMoved
from mumian.kernel.errors import NotFound
from mumian.kernel.unit_of_work import Session, Transaction

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True)
class Keeping(Generic[T]):
    """Keeps things of one type: `kind` is what people call it, `told` makes what its event says beside the step."""

    shelf: store.Shelf[T]
    kind: str
    event: type[Any]
    told: Callable[[Any], dict[str, Any]]

    def get(self, session: Session, name: str) -> T:
        """The thing of that name; raises NotFound."""
        found = self.shelf.find(session, name)
        if found is None:
            raise NotFound(kind=self.kind, name=name[:80])
        return found

    def begin(self, tx: Transaction, thing: T, action: str, note: str = "") -> T:
        """Keep a new thing."""
        self.shelf.insert(tx.session, thing)
        self._tell(tx, thing, action, "", note)
        return thing

    def move(self, tx: Transaction, before: T, now: T, action: str, note: str = "") -> T:
        """Keep a thing's next version; raises Moved if somebody else was quicker."""
        if not self.shelf.update(tx.session, now, _value(before, "version")):
            raise Moved(seen=_value(before, "version"), found=_value(before, "version") + 1)
        self._tell(tx, now, action, _value(before, "state"), note)
        return now

    def seen(self, thing: T, seen: int) -> None:
        """Nobody took a step since version `seen`; raises Moved."""
        if _value(thing, "version") != seen:
            raise Moved(seen=seen, found=_value(thing, "version"))

    def refuse(self, thing: T, action: str, possible: Sequence[str]) -> NotPossible:
        """The error that the state does not allow an action."""
        return NotPossible(action=action[:40], state=_value(thing, "state"), possible=", ".join(possible) or "–")

    def _tell(self, tx: Transaction, thing: T, action: str, source: str, note: str) -> None:
        name, version, target = _value(thing, self.shelf.key), _value(thing, "version"), _value(thing, "state")
        store.remember(tx, name, version, (action, source, target, note))
        tx.emit(
            self.event(
                subject=name,
                version=version,
                action=action,
                source=source,
                target=target,
                note=note,
                digest=store.digest(thing),
                **self.told(thing),
            )
        )


def _value(thing: msgspec.Struct, name: str) -> Any:
    return getattr(thing, name)


APPLICATIONS = Keeping(
    store.APPLICATIONS,
    "application",
    ApplicationMoved,
    lambda a: {
        "owner": a.owner,
        "organisation": a.organisation,
        "datasets": [item.dataset for item in a.items],
        "grants": list(a.grants),
    },
)
GRANTS = Keeping(
    store.GRANTS, "grant", GrantMoved, lambda g: {"owner": g.owner, "organisation": g.holder, "datasets": [g.dataset]}
)
OBJECTIONS = Keeping(
    store.OBJECTIONS,
    "objection",
    ObjectionMoved,
    lambda o: {"owner": o.owner, "organisation": o.organisation, "datasets": [o.dataset], "fields": list(o.fields)},
)
DEMANDS = Keeping(
    store.DEMANDS,
    "demand",
    DemandMoved,
    lambda d: {"owner": d.provider, "organisation": d.organisation, "datasets": [] if d.dataset is None else [d.dataset]},
)
DELIVERIES = Keeping(
    store.DELIVERIES,
    "delivery",
    DeliveryMoved,
    lambda d: {
        "owner": d.owner,
        "organisation": d.holder,
        "datasets": [d.dataset],
        "grant": d.grant,
        "rows": d.rows_sent,
        "position": d.position,
    },
)
