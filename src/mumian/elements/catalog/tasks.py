"""Offers the catalogue, and lets streams, declarations and what happens to datasets reach it by themselves."""

from collections.abc import Iterator

from mumian.elements.catalog import store
from mumian.elements.catalog.api import Catalog, Tables
from mumian.elements.catalog.entries.entering import CONSUMER
from mumian.elements.catalog.events import DatasetEntered, DatasetWithdrawn
from mumian.elements.catalog.following import noticing
from mumian.elements.catalog.sources import comparing
from mumian.elements.catalog.sources.store import decisions
from mumian.elements.catalog.vocabulary import indexing
from mumian.foundation.ledger.api import EvidenceChecks, Fault, differences, handled
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

_CONSUMER = "elements.catalog"


def register(platform: Platform) -> None:
    """Offer `Catalog` and `Tables`, and listen."""
    catalog = Catalog(platform)
    platform.provide(Catalog, catalog)
    tables = Tables(platform)
    platform.provide(Tables, tables)
    platform.background(tables)
    platform.subscribe("sensing.stream.registered", _CONSUMER, _enter)
    platform.subscribe("sensing.stream.retired", _CONSUMER, _withdraw)
    catalog.entering.subscribe()
    platform.background(catalog.entering)
    indexing.subscribe(platform)
    noticing.subscribe(platform)
    platform.provide(comparing.Comparing, comparing.Comparing(platform))
    checks = platform.get(EvidenceChecks)
    checks.add(_CONSUMER, _faults)
    checks.add(CONSUMER, catalog.entering.faults)
    checks.add("elements.catalog.decisions", _decision_faults)
    checks.add(noticing.CONSUMER, noticing.faults)


def _enter(tx: Transaction, event: DeliveredEvent) -> None:
    if store.enter(tx, event.subject, event.data):
        tx.emit(DatasetEntered(subject=event.subject, origin=event.data["origin"], owner=event.data["owner"]))


def _withdraw(tx: Transaction, event: DeliveredEvent) -> None:
    if store.withdraw(tx, event.subject):
        tx.emit(DatasetWithdrawn(subject=event.subject))


def _faults(session: Session) -> Iterator[Fault]:
    told: dict[str, Row] = {}
    for event in handled(session, _CONSUMER, "sensing.stream.*"):
        if event.type == "sensing.stream.registered":
            told[event.subject] = {name: event.data[name] for name in store.FACTS} | {"withdrawn": 0}
        elif event.subject in told:
            told[event.subject]["withdrawn"] = 1
    sql = "SELECT subject, MIN(time) AS time FROM kernel_outbox WHERE type = :type GROUP BY subject"
    for row in session.rows(sql, type=DatasetEntered.type):
        told.get(row["subject"], {})["entered_at"] = row["time"]
    return differences("catalog_stream", told, ((row["name"], row) for row in store.everything(session)))


def _decision_faults(session: Session) -> Iterator[Fault]:
    kept = ((f"{row['element']} {row['dataset']} {row['field']}", row) for row in decisions(session))
    return differences("catalog_decision", comparing.told(session), kept)
