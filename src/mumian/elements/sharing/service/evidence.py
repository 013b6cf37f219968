"""Evidence of sharing: what is kept is what the events told, receipts hash to the roots in the ledger, meters are their sums."""

import json
from collections.abc import Iterator
from typing import Any

from mumian.elements.sharing import store
from mumian.elements.sharing.rules import receipts
from mumian.elements.sharing.service.keeping import APPLICATIONS, DELIVERIES, DEMANDS, GRANTS, OBJECTIONS
from mumian.elements.sharing.service.metering import store as meters
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Row, Session

_KEPT = (APPLICATIONS, GRANTS, OBJECTIONS, DEMANDS, DELIVERIES)
_HISTORY = "sharing_history"


def faults(session: Session) -> Iterator[Fault]:
    """What differs between what is kept and the events."""
    steps: dict[tuple[str, int], tuple[str, ...]] = {}
    for keeping in _KEPT:
        told: dict[str, dict[str, Any]] = {}
        for event in _events(session, keeping.event.type):
            data = json.loads(event["payload"])
            told[event["subject"]] = data
            steps[event["subject"], data["version"]] = (
                event["time"],
                event["actor"],
                *(data[name] for name in ("action", "source", "target", "note")),
            )
        yield from _things(session, keeping.shelf, told)
    yield from _histories(session, steps)
    yield from _answers(session)


def _events(session: Session, type_: str) -> list[Row]:
    return session.rows("SELECT subject, time, actor, payload FROM kernel_outbox WHERE type = :type ORDER BY id", type=type_)


def _things(session: Session, shelf: store.Shelf[Any], told: dict[str, dict[str, Any]]) -> Iterator[Fault]:
    for name, version, state, found in shelf.digests(session):
        last = told.pop(name, None)
        if last is None:
            yield Fault(shelf.table, name, "row", "nothing", "a row that no event told of")
        elif (version, state) != (last["version"], last["target"]):
            yield Fault(shelf.table, name, "version, state", f"{last['version']}, {last['target']}", f"{version}, {state}")
        elif found != last["digest"]:
            yield Fault(shelf.table, name, "digest", last["digest"], found)
    for name in told:
        yield Fault(shelf.table, name, "row", "a row", "nothing")


def _histories(session: Session, steps: dict[tuple[str, int], tuple[str, ...]]) -> Iterator[Fault]:
    names = ("time", "actor", "action", "from_state", "to_state", "note")
    for row in session.rows(f"SELECT thing, version, {', '.join(names)} FROM sharing_history ORDER BY thing, version"):
        place = f"{row['thing']} version {row['version']}"
        told = steps.pop((row["thing"], row["version"]), None)
        found = tuple(str(row[name]) for name in names)
        if told != found:
            yield Fault(_HISTORY, place, "step", str(told), str(found))
    for thing, version in steps:
        yield Fault(_HISTORY, f"{thing} version {version}", "row", "a step", "nothing")


def _answers(session: Session) -> Iterator[Fault]:
    """Receipts against the roots in the ledger, and meters against what was told to have gone out."""
    sums: dict[str, list[int]] = {}
    for event in _events(session, "elements.sharing.answered"):
        data = json.loads(event["payload"])
        for name in data["calls"]:
            total = sums.setdefault(name, [0, 0, 0])
            for place, part in enumerate(("calls", "rows", "bytes")):
                total[place] += data[part][name]
        rows = meters.batch(session, int(event["subject"]))
        leaves = [receipts.leaf(row["body"].encode()) for row in rows]
        root = receipts.root(leaves).hex() if leaves else ""
        if (len(leaves), root) != (data["size"], data["root"]):
            expected = f"{data['size']} receipts with root {data['root']}"
            yield Fault("sharing_receipt", f"batch {event['subject']}", "root", expected, f"{len(leaves)} with {root}")
    for period in ("day", "month"):
        sql = (
            "SELECT grant_id, SUM(calls) AS calls, SUM(rows_had) AS rows_had, SUM(bytes_had) AS bytes_had FROM sharing_meter "
            "WHERE period = :period GROUP BY grant_id"
        )
        for row in session.rows(sql, period=period):
            found = [int(row["calls"]), int(row["rows_had"]), int(row["bytes_had"])]
            expected_sum = sums.get(row["grant_id"], [0, 0, 0])
            if found != expected_sum:
                yield Fault("sharing_meter", f"{row['grant_id']} by {period}", "sum", str(expected_sum), str(found))
