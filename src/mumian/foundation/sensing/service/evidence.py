"""Evidence that the lake's observations are as they were told: each batch of rows is held against its ledgered event."""

import json
from collections.abc import Iterator

from mumian.foundation.ledger.api import Fault, steady
from mumian.foundation.sensing import rules, store
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
    for row in session.rows(_EVENTS):
        told = json.loads(row["payload"])
        place = f"{told['first_id']}–{told['last_id']}"
        try:
            kept = finder.numbered(told["first_id"], told["last_id"])
            found = rules.digest(kept)
        except Exception as error:
            yield Fault("lake observations", place, "rows", "readable", _reason(error))
            continue
        if len(kept) != told["count"]:
            yield Fault("lake observations", place, "count", str(told["count"]), str(len(kept)))
        elif found != told["digest"]:
            yield Fault("lake observations", place, "digest", told["digest"], found)


def _told(session: Session) -> int:
    """How many rows were told of; those of folds that are not told yet are taken as they were planned."""
    told = sum(int(json.loads(row["payload"])["count"]) for row in session.rows(_EVENTS))
    return told + sum(int(row["observations"]) for row in store.planned_folds(session))


def _found(lake: Lake) -> int:
    if TABLE.name not in lake.tables():
        return 0
    return int(lake.rows(f"SELECT count(*) FROM {TABLE.name}")[0][0])


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
