"""Evidence of quality: runs, results, tickets and what was declined are held against the events that told of them."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from mumian.elements.quality.events import DatasetScored, RunFailed, SuggestionDeclined, TicketMoved
from mumian.elements.quality.store import profiles, runs, tickets
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.bus import delivered
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.unit_of_work import Session

_TICKET = ("dataset", "rule", "owner", "severity", "state", "opened_at", "due_at", "closed_at", "reopened", "assignee")


def faults(session: Session) -> Iterator[Fault]:
    """Everything that is not as the events say."""
    yield from _runs(session)
    yield from _states(session)
    told = {event.subject: {name: event.data[name] for name in _TICKET} for event in _events(session, TicketMoved.type)}
    yield from differences("quality_ticket", told, ((str(row["number"]), row) for row in tickets.everything(session)))
    yield from _steps(session)
    declined = {
        f"{event.subject} {event.data['suggestion']}": {"reason": event.data["reason"], "declined_by": event.actor}
        for event in _events(session, SuggestionDeclined.type)
    }
    kept = ((f"{row['dataset']} {row['suggestion']}", row) for row in profiles.all_declined(session))
    yield from differences("quality_declined", declined, kept)


def _runs(session: Session) -> Iterator[Fault]:
    """Old runs are dropped; those from the oldest kept one of a dataset on must all be there, as they were told."""
    rows = session.rows(
        "SELECT number, dataset, trigger_name, load, held_rows, score, dimensions, readable, digest FROM quality_run "
        "ORDER BY number"
    )
    oldest: dict[str, int] = {}
    for row in rows:
        oldest.setdefault(row["dataset"], row["number"])
    told: dict[str, dict[str, Any]] = {}
    for event in _events(session, DatasetScored.type, RunFailed.type):
        number = event.data["run"]
        if event.subject not in oldest:
            yield Fault("quality_run", event.subject, "row", "a run", "none")
        elif number >= oldest[event.subject]:
            told[str(number)] = _told(event)
    found = ({**row, "dimensions": json.loads(row["dimensions"])} for row in rows)
    yield from differences("quality_run", told, ((str(row["number"]), row) for row in found))
    for row in rows:
        if runs.kept_digest(session, row["number"]) != row["digest"]:
            yield Fault("quality_result", str(row["number"]), "digest", row["digest"], "another")


def _told(event: DeliveredEvent) -> dict[str, Any]:
    if event.type == RunFailed.type:
        return {"dataset": event.subject, "readable": 0}
    data = event.data
    return {
        "dataset": event.subject,
        "readable": 1,
        "trigger_name": data["trigger"],
        "load": data["load"],
        "held_rows": data["rows"],
        "score": data["score"],
        "dimensions": data["dimensions"],
        "digest": data["digest"],
    }


def _states(session: Session) -> Iterator[Fault]:
    """How a dataset stands is what its last run found."""
    last = {event.subject: event.data for event in _events(session, DatasetScored.type)}
    told = {
        dataset: {"run": data["run"], "score": data["score"]}
        for dataset, data in last.items()
        if data["score"] is not None or data["dimensions"]
    }
    rows = session.rows("SELECT dataset, run, score FROM quality_state WHERE score IS NOT NULL ORDER BY dataset")
    yield from differences("quality_state", told, ((row["dataset"], row) for row in rows))


def _steps(session: Session) -> Iterator[Fault]:
    told: dict[str, dict[str, Any]] = {}
    counts: defaultdict[str, int] = defaultdict(int)
    for event in _events(session, TicketMoved.type):
        counts[event.subject] += 1
        told[f"{event.subject} {counts[event.subject]}"] = {
            "action": event.data["action"],
            "note": event.data["note"],
            "actor": event.actor,
        }
    rows = session.rows("SELECT ticket, number, actor, action, note FROM quality_step ORDER BY ticket, number")
    yield from differences("quality_step", told, ((f"{row['ticket']} {row['number']}", row) for row in rows))


def _events(session: Session, *types: str) -> Iterator[DeliveredEvent]:
    params = {f"t{i}": type_ for i, type_ in enumerate(types)}
    rows = session.rows(
        "SELECT id, type, subject, time, actor, payload FROM kernel_outbox "
        f"WHERE type IN ({', '.join(':' + name for name in params)}) ORDER BY id",
        **params,
    )
    return map(delivered, rows)
