"""Evidence: runs, watermarks, accepted columns and submissions are as the events in the ledger tell them."""

import json
from collections.abc import Iterator
from typing import Any

from mumian.elements.collection.events import RunEnded, SchemaAccepted, Submitted
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.unit_of_work import Row, Session

_ENDED = {"done", "stopped", "cancelled", "discarded", "quarantined"}


def faults(session: Session) -> Iterator[Fault]:
    """Every difference between what is kept and what was told."""
    runs: dict[str, dict[str, Any]] = {}
    marks: dict[str, dict[str, Any]] = {}
    for subject, told in _events(session, RunEnded.type):
        runs[told["run"]] = {
            "state": told["state"],
            "rows_good": told["good"],
            "rows_bad": told["bad"],
            "load_number": told["load"],
        }
        if told["state"] == "done" and told["watermark"] is not None:
            marks[subject] = {"watermark": told["watermark"], "run": told["run"]}
    yield from differences("collection_run", _over(session, runs), _runs(session, runs))
    kept = session.rows("SELECT connector, watermark, run FROM collection_watermark ORDER BY connector")
    found = [(row["connector"], row) for row in kept]
    there = {name for name, _ in found}
    yield from differences("collection_watermark", {k: v for k, v in marks.items() if k in there}, found)
    accepted = {
        subject: {"columns": told["columns"], "run": told["run"]} for subject, told in _events(session, SchemaAccepted.type)
    }
    rows = session.rows("SELECT connector, columns, run FROM collection_schema ORDER BY connector")
    yield from differences(
        "collection_schema", accepted, [(r["connector"], {**r, "columns": json.loads(r["columns"])}) for r in rows]
    )
    submitted = {
        told["submission"]: {"form": s, "version": told["version"], "digest": told["digest"]}
        for s, told in _events(session, Submitted.type)
    }
    kept = session.rows("SELECT id, form, version, digest FROM collection_submission ORDER BY id")
    yield from differences("collection_submission", submitted, [(row["id"], row) for row in kept])


def _over(session: Session, runs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of the runs that ended those that nobody took up again."""
    again = session.rows("SELECT id FROM collection_run WHERE state IN ('queued', 'reading', 'loading')")
    taken = {row["id"] for row in again}
    return {key: told for key, told in runs.items() if key not in taken}


def _runs(session: Session, runs: dict[str, dict[str, Any]]) -> list[tuple[str, Row]]:
    rows = session.rows("SELECT id, state, rows_good, rows_bad, load_number FROM collection_run ORDER BY id")
    return [(row["id"], row) for row in rows if row["state"] in _ENDED or (row["id"] in runs and row["state"] == "failed")]


def _events(session: Session, type_: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in session.rows("SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id", type=type_):
        yield row["subject"], json.loads(row["payload"])
