"""Evidence that the lake's observations are as they were told: each batch of rows is held against its ledgered event."""

import json
from collections.abc import Iterator

from mumian.foundation.ledger.api import Fault, steady
from mumian.foundation.sensing import rules, store
from mumian.foundation.sensing.removal.rules import units
from mumian.foundation.sensing.removal.store import removals
from mumian.foundation.sensing.service.finder import TABLE, Finder
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_EVENTS = "SELECT id, payload FROM kernel_outbox WHERE type = 'sensing.observations.recorded' ORDER BY id"


def faults(session: Session, platform: Platform, finder: Finder) -> Iterator[Fault]:
    """Every batch whose rows are not as its event says, and rows that no event tells of."""
    yield from _batches(session, finder)
    try:
        told, found, pending = steady(platform, _told, _found)
    except Exception as error:
        yield Fault("lake observations", None, "rows", "readable", _reason(error))
        return
    if not pending and found != told:
        yield Fault("lake observations", None, "count", str(told), str(found))


def _batches(session: Session, finder: Finder) -> Iterator[Fault]:
    recorded = [json.loads(row["payload"]) for row in session.rows(_EVENTS)]
    expected, doubts = units(recorded, removals(session))
    for unit in doubts:
        yield Fault("lake observations", f"{unit.first}–{unit.last}", "removal", "whole batches", "others than were told")
    for unit in expected:
        place = f"{unit.first}–{unit.last}"
        try:
            kept = finder.numbered(unit.first, unit.last)
            found = rules.digest(kept) if len(kept) else ""
        except Exception as error:
            yield Fault("lake observations", place, "rows", "readable", _reason(error))
            continue
        if len(kept) != unit.count:
            yield Fault("lake observations", place, "count", str(unit.count), str(len(kept)))
        elif found != unit.digest:
            yield Fault("lake observations", place, "digest", unit.digest, found)


def _told(session: Session) -> int:
    """How many rows were told of; those of folds that are not told yet are taken as they were planned."""
    told = sum(int(json.loads(row["payload"])["count"]) for row in session.rows(_EVENTS))
    told -= sum(int(removal["removed"]) for removal in removals(session))
    return told + sum(int(row["observations"]) for row in store.planned_folds(session))


def _found(lake: Lake) -> int:
    if TABLE.name not in lake.tables():
        return 0
    return int(lake.rows(f"SELECT count(*) FROM {TABLE.name}")[0][0])


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
