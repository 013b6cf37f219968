"""Evidence of registers: models, runs and decisions are those that the ledger tells of."""

import json
from collections.abc import Iterator
from typing import Any

from mumian.elements.registers import store
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.unit_of_work import Session

_COUNTS = ("records", "entities", "taken", "created", "changed", "merged", "split", "ended")


def faults(session: Session) -> Iterator[Fault]:
    """Every decision, run or model that is not as it was told."""
    yield from differences("registers_decision", _decided(session), _decisions(session))
    yield from differences("registers_run", _matched(session), _runs(session))
    learned = {row["subject"]: {"model": json.loads(row["payload"])["model"]} for row in _told(session, "learned")}
    kept = session.rows("SELECT name, model FROM registers_register WHERE model IS NOT NULL ORDER BY name")
    found = ((row["name"], {"model": json.loads(row["model"])["model"]}) for row in kept)
    yield from differences("registers_register", learned, found)


def _decided(session: Session) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for row in _told(session, "decided"):
        data = json.loads(row["payload"])
        key = f"{row['subject']} {data['a']} {data['b']}"
        told.pop(key, None)
        if data["verdict"] is not None:
            kept = {"verdict": data["verdict"], "reason": data["reason"]}
            told[key] = {**kept, "decided_at": row["time"], "decided_by": row["actor"]}
    return told


def _decisions(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in store.every_decision(session):
        yield f"{row['register']} {row['a']} {row['b']}", row


def _matched(session: Session) -> dict[str, dict[str, Any]]:
    told = {}
    for row in _told(session, "matched"):
        data = json.loads(row["payload"])
        told[f"{row['subject']} {data['run']}"] = {key: data[key] for key in _COUNTS}
    return told


def _runs(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in store.every_run(session):
        counts = json.loads(row["counts"])
        yield f"{row['register']} {row['number']}", {key: counts.get(key, 0) for key in _COUNTS}


def _told(session: Session, happened: str) -> list[dict[str, Any]]:
    return session.rows(
        "SELECT subject, payload, time, actor FROM kernel_outbox WHERE type = :type ORDER BY id",
        type=f"elements.registers.{happened}",
    )
