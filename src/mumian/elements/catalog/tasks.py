"""Offers the catalogue, and lets streams enter it by themselves."""

from mumian.elements.catalog import store
from mumian.elements.catalog.api import Catalog
from mumian.elements.catalog.events import DatasetEntered, DatasetWithdrawn
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction


def register(platform: Platform) -> None:
    """Offer `Catalog` and listen to streams."""
    platform.provide(Catalog, Catalog(platform))
    platform.subscribe("sensing.stream.registered", "elements.catalog", _enter)
    platform.subscribe("sensing.stream.retired", "elements.catalog", _withdraw)


def _enter(tx: Transaction, event: DeliveredEvent) -> None:
    if store.enter(tx, event.subject, event.data):
        tx.emit(DatasetEntered(subject=event.subject, origin=event.data["origin"], owner=event.data["owner"]))


def _withdraw(tx: Transaction, event: DeliveredEvent) -> None:
    if store.withdraw(tx, event.subject):
        tx.emit(DatasetWithdrawn(subject=event.subject))
