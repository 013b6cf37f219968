"""Offers evaluation, and keeps its facts from the brain's events, known by their names only."""

from collections.abc import Iterator

from mumian.foundation.ledger.api import EvidenceChecks, Fault, differences, handled
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction
from mumian.mechanism.evaluation import store
from mumian.mechanism.evaluation.api import Evaluation

_CONSUMER, _INCIDENTS = "mechanism.evaluation", "brain.incidents.*"


def register(platform: Platform) -> None:
    """Offer `Evaluation` and listen to incidents."""
    platform.provide(Evaluation, Evaluation(platform))
    platform.subscribe(_INCIDENTS, _CONSUMER, _remember)
    platform.get(EvidenceChecks).add("mechanism.evaluation", _faults)


def _remember(tx: Transaction, event: DeliveredEvent) -> None:
    store.keep(tx.session, event.data["version"], event.data["incident"])


def _faults(session: Session) -> Iterator[Fault]:
    told: dict[str, Row] = {}
    for event in handled(session, _CONSUMER, _INCIDENTS):
        row = store.judged(event.data["version"], event.data["incident"])
        if row["version"] > told.get(row["number"], {"version": 0})["version"]:
            told[row["number"]] = row
    return differences("evaluation_incident", told, ((row["number"], row) for row in store.everything(session)))
