"""Evidence of the infrastructure ledger: facilities, live states and plans must be what the events told."""

from collections.abc import Iterator
from typing import Any

import msgspec

from mumian.foundation.infrastructure import store
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.unit_of_work import Session

_EVENTS = "SELECT subject, time, actor, payload FROM kernel_outbox WHERE type LIKE :type ORDER BY id"


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the ledger kept and the events."""
    last: dict[str, dict[str, Any]] = {}
    steps: dict[str, dict[str, Any]] = {}
    for event in session.rows(_EVENTS, type="infrastructure.facility.%"):
        told = msgspec.json.decode(event["payload"])
        last[event["subject"]] = {"version": told["version"], "digest": told["digest"], "computed": told["digest"]}
        place = f"{event['subject']} version {told['version']}"
        steps[place] = {"time": event["time"], "actor": event["actor"], "action": told["action"], "note": told["note"]}
    yield from differences("infrastructure_facility", last, _facilities(session))
    names = "code, version, time, actor, action, note"
    rows = session.rows(f"SELECT {names} FROM infrastructure_history ORDER BY code, version")
    yield from differences("infrastructure_history", steps, ((f"{row['code']} version {row['version']}", row) for row in rows))
    yield from _statuses(session)
    plans = {
        e["subject"]: {"digest": msgspec.json.decode(e["payload"])["digest"]}
        for e in session.rows(_EVENTS, type="infrastructure.plan.made")
    }
    rows = session.rows("SELECT id, result, digest FROM infrastructure_plan ORDER BY id")
    kept = ((row["id"], {"digest": _sum(row["result"])}) for row in rows)
    yield from differences("infrastructure_plan", plans, kept)


def _sum(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def _facilities(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    after = ""
    while rows := store.everything(session, after, 5000):
        for row in rows:
            try:
                computed = store.digest(store.load(row))
            except (msgspec.DecodeError, TypeError) as error:
                computed = f"unreadable: {error}"
            yield row["code"], {**row, "computed": computed}
        after = rows[-1]["code"]


def _statuses(session: Session) -> Iterator[Fault]:
    told: dict[str, dict[str, Any]] = {}
    for event in session.rows(_EVENTS, type="infrastructure.status.reported"):
        told[event["subject"]] = {"status": msgspec.json.decode(event["payload"])["status"], "since": event["time"]}
    rows = session.rows("SELECT code, status, since FROM infrastructure_status ORDER BY code")
    yield from differences("infrastructure_status", told, ((row["code"], row) for row in rows))
