"""Noticing: what happens to datasets becomes notices for those who follow them, their theme or their owner."""

import json
from collections.abc import Iterator
from typing import Any

from mumian.elements.catalog.entries import store as entries
from mumian.elements.catalog.events import Followed
from mumian.elements.catalog.following import store
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

CONSUMER = "elements.catalog.notices"
ABOUT = ("dataset", "theme", "owner")
_TOLD = (
    "elements.catalog.loaded",
    "elements.catalog.harvested",
    "elements.catalog.entered",
    "elements.catalog.withdrawn",
    "elements.catalog.harvest_withdrawn",
    "elements.quality.scored",
)


def subscribe(platform: Platform) -> None:
    """Listen to what followers want to know; registered after entries, so that those are up to date."""
    for each in _TOLD:
        platform.subscribe(each, CONSUMER, _tell)
    platform.subscribe("declarations.applied", CONSUMER, _changed)


def follow(tx: Transaction, person: str, about: str, value: str, on: bool) -> bool:
    """Follow, or no longer; False if it was so already. Raises NotFound for a dataset that is not there."""
    if about not in ABOUT:
        raise Invalid.field("about", "field.choice", expected=", ".join(ABOUT))
    if on and about == "dataset" and entries.entry(tx.session, value) is None:
        raise NotFound(kind="Dataset", name=value)
    if not store.follow(tx, person, about, value, on):
        return False
    tx.emit(Followed(subject=person, about=about, value=value, on=on))
    return True


def _tell(tx: Transaction, event: DeliveredEvent) -> None:
    keys = ("rows", "total", "score", "mode")
    store.notify(tx, event.id, event.type, event.subject, {key: event.data[key] for key in keys if key in event.data})


def _changed(tx: Transaction, event: DeliveredEvent) -> None:
    """One notice for each dataset whose declaration was changed; numbered so that each is told once."""
    names = [c["name"] for c in event.data["changes"] if c["kind"] == "Dataset" and c["action"] == "update"]
    for name in names:
        store.notify(tx, event.id, event.type, name, {"revision": event.data["revision"]})


def faults(session: Session) -> Iterator[Fault]:
    """Who follows what, held against the events."""
    told: dict[str, dict[str, Any]] = {}
    rows = session.rows("SELECT subject, payload, time FROM kernel_outbox WHERE type = :type ORDER BY id", type=Followed.type)
    for row in rows:
        data = json.loads(row["payload"])
        key = f"{row['subject']} {data['about']} {data['value']}"
        if data["on"]:
            told[key] = {"since": row["time"]}
        else:
            told.pop(key, None)
    found = session.rows("SELECT person, about, value, since FROM catalog_following ORDER BY person, about, value")
    yield from differences("catalog_following", told, ((f"{r['person']} {r['about']} {r['value']}", r) for r in found))
