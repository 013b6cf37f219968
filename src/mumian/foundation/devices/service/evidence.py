"""Evidence of devices: what is kept of each, its history and its credentials must be what the events told."""

from collections.abc import Iterator
from typing import Any

import msgspec

from mumian.foundation.devices import store
from mumian.foundation.ledger.api import Fault
from mumian.kernel.unit_of_work import Row, Session

_TABLE, _HISTORY, _CREDENTIAL = "devices_device", "devices_history", "devices_credential"
_PAGE = 5000


def faults(session: Session) -> Iterator[Fault]:
    """What differs between the devices kept and the events."""
    last: dict[str, dict[str, Any]] = {}
    steps: dict[tuple[str, int], tuple[str, ...]] = {}
    sql = "SELECT subject, time, actor, payload FROM kernel_outbox WHERE type LIKE 'devices.device.%' ORDER BY id"
    for event in session.rows(sql):
        data = msgspec.json.decode(event["payload"])
        last[event["subject"]] = {"version": data["version"], "digest": data["digest"]}
        steps[event["subject"], data["version"]] = (event["time"], event["actor"], data["action"], data["note"])
    after = ""
    while rows := store.everything(session, after, _PAGE):
        for row in rows:
            yield from _state(row, last.pop(row["code"], None))
        after = rows[-1]["code"]
    for code in last:
        yield Fault(_TABLE, code, "row", "a device", "nothing")
    yield from _histories(session, steps)
    yield from _credentials(session)


def _state(row: Row, told: dict[str, Any] | None) -> Iterator[Fault]:
    code, kept = row["code"], row.pop("digest")
    if told is None:
        yield Fault(_TABLE, code, "row", "no device", "a device that no event told of")
        return
    try:
        digest = store.digest(store.load(row))
    except (msgspec.DecodeError, TypeError) as error:
        yield Fault(_TABLE, code, "row", "readable", str(error))
        return
    if digest != told["digest"]:
        yield Fault(_TABLE, code, "row", told["digest"], digest)
    if kept != told["digest"]:
        yield Fault(_TABLE, code, "digest", told["digest"], str(kept))


def _histories(session: Session, steps: dict[tuple[str, int], tuple[str, ...]]) -> Iterator[Fault]:
    names = ("time", "actor", "action", "note")
    for row in session.rows(f"SELECT code, version, {', '.join(names)} FROM devices_history ORDER BY code, version"):
        place = f"{row['code']} version {row['version']}"
        told = steps.pop((row["code"], row["version"]), None)
        if told is None:
            yield Fault(_HISTORY, place, "row", "no step", "a step that no event told of")
            continue
        for name, expected in zip(names, told, strict=True):
            if row[name] != expected:
                yield Fault(_HISTORY, place, name, expected, str(row[name]))
    for code, version in steps:
        yield Fault(_HISTORY, f"{code} version {version}", "row", "a step", "nothing")


def _credentials(session: Session) -> Iterator[Fault]:
    told: dict[str, tuple[str, bool]] = {}
    sql = "SELECT subject, payload FROM kernel_outbox WHERE type = 'devices.credential.changed' ORDER BY id"
    for event in session.rows(sql):
        data = msgspec.json.decode(event["payload"])
        if data["credential"]:
            told[data["credential"]] = (event["subject"], data["action"] == "revoked")
    for row in session.rows("SELECT id, code, revoked FROM devices_credential ORDER BY id"):
        expected = told.pop(row["id"], None)
        if expected != (row["code"], row["revoked"] is not None):
            yield Fault(_CREDENTIAL, row["id"], "row", str(expected), str((row["code"], row["revoked"])))
    for id_ in told:
        yield Fault(_CREDENTIAL, id_, "row", "a credential", "nothing")
