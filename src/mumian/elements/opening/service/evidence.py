"""Evidence of opening: checks, packages, voices, ratings and uses are those that the ledger tells of."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any

from mumian.elements.opening import events
from mumian.elements.opening.service.voices import digest
from mumian.elements.opening.store import checks, records, usage, voices
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.unit_of_work import Session

_Told = Iterator[tuple[str, str, dict[str, Any]]]


def _events(session: Session, *types: str) -> _Told:
    """The events of some types, oldest first: type, subject, payload."""
    params = {f"t{i}": each for i, each in enumerate(types)}
    among = ", ".join(f":{name}" for name in params)
    rows = session.rows(f"SELECT type, subject, payload FROM kernel_outbox WHERE type IN ({among}) ORDER BY id", **params)
    for row in rows:
        yield row["type"], row["subject"], json.loads(row["payload"])


def _checks(session: Session) -> Iterable[Fault]:
    told = {subject: {"state": d["state"], "digest": d["digest"]} for _, subject, d in _events(session, events.Checked.type)}
    kept = {row["dataset"]: row | {"digest": sha256(row["result"].encode()).hexdigest()} for row in checks.everything(session)}
    yield from differences("opening_check", {name: told[name] for name in told if name in kept}, kept.items())


def _records(session: Session) -> Iterable[Fault]:
    told: dict[str, dict[str, Any]] = {}
    for type_, subject, data in _events(session, events.PackageKept.type, events.PackageDropped.type):
        if type_ == events.PackageKept.type:
            told[subject] = {"digest": data["digest"]}
        else:
            told.pop(subject, None)
    kept = (
        (f"{row['kind']} {row['name']}", {"digest": sha256(row["record"].encode()).hexdigest()})
        for row in records.everything(session)
    )
    yield from differences("opening_record", told, kept)


def _voices(session: Session) -> Iterable[Fault]:
    told: dict[str, dict[str, Any]] = {}
    for type_, subject, data in _events(session, events.VoiceHeard.type, events.VoiceAnswered.type):
        state = "filed" if type_ == events.VoiceHeard.type else data["state"]
        told[subject] = {"state": state, "digest": data["digest"]}
    kept = ((str(row["number"]), {"state": row["state"], "digest": digest(row)}) for row in voices.everything(session))
    yield from differences("opening_voice", told, kept)


def _ratings(session: Session) -> Iterable[Fault]:
    told = {f"{s} {d['person']}": {"stars": d["stars"]} for _, s, d in _events(session, events.Rated.type)}
    yield from differences("opening_rating", told, ((f"{r['dataset']} {r['person']}", r) for r in usage.ratings(session)))


def _uses(session: Session) -> Iterable[Fault]:
    counted: Counter[str] = Counter()
    for _, subject, data in _events(session, events.Used.type):
        for way, number in data["ways"].items():
            counted[f"{subject} {way}"] += number
    told = {key: {"uses": number} for key, number in counted.items()}
    kept = ((f"{row['dataset']} {row['way']}", {"uses": int(row["uses"])}) for row in usage.told(session))
    yield from differences("opening_usage", told, kept)


CHECKS: dict[str, Callable[[Session], Iterable[Fault]]] = {
    "checks": _checks,
    "records": _records,
    "voices": _voices,
    "ratings": _ratings,
    "uses": _uses,
}
