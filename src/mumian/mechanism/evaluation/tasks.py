"""Offers evaluation, and keeps its facts from the brain's events, known by their names only."""

from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction
from mumian.mechanism.evaluation import store
from mumian.mechanism.evaluation.api import Evaluation


def register(platform: Platform) -> None:
    """Offer `Evaluation` and listen to incidents."""
    platform.provide(Evaluation, Evaluation(platform))
    platform.subscribe("brain.incidents.*", "mechanism.evaluation", _remember)


def _remember(tx: Transaction, event: DeliveredEvent) -> None:
    store.keep(tx.session, event.data["version"], event.data["incident"])
