"""Evidence of exchange jobs: records are what the events told, and what was delivered is on disk as its manifest says."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import msgspec

from mumian.elements.sharing.exchange.contracts import Record
from mumian.elements.sharing.exchange.events import ExchangeMoved
from mumian.elements.sharing.exchange.service import store
from mumian.elements.sharing.exchange.service.jobs import Exchange
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.unit_of_work import Session

_EVENTS = "SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id"


def checking(exchange: Exchange) -> Callable[[Session], Iterator[Fault]]:
    """The check of exchange jobs; parts are looked at by their sizes, their digests are for who received them to check."""

    def faults(session: Session) -> Iterator[Fault]:
        told: dict[str, dict[str, Any]] = {}
        for event in session.rows(_EVENTS, type=ExchangeMoved.type):
            data = msgspec.json.decode(event["payload"])
            told[event["subject"]] = {"state": data["target"], "version": data["version"], "record": data["record"]}
        kept = ((r.id, {"state": r.state, "version": r.version, "record": store.digest(r)}) for r in store.everything(session))
        yield from differences("sharing_exchange", told, kept)
        for record in store.everything(session):
            yield from _delivered(exchange, record)

    return faults


def _delivered(exchange: Exchange, record: Record) -> Iterator[Fault]:
    manifest = record.outcome.manifest if record.outcome is not None and record.state == "done" else None
    if manifest is None:
        return
    out = exchange.processes.folder(record.id) / "out"
    wanted = sha256(manifest.canonical()).hexdigest()
    file = out / "manifest.json"
    found = sha256(file.read_bytes()).hexdigest() if file.is_file() else "nothing"
    if found != wanted:
        yield Fault("exchange", record.id, "manifest.json", wanted, found)
    for part in (*manifest.parts, *manifest.faults):
        size = (out / part.name).stat().st_size if (out / part.name).is_file() else -1
        if size != part.bytes:
            yield Fault("exchange", record.id, part.name, f"{part.bytes} bytes", f"{size} bytes" if size >= 0 else "nothing")
