"""Joins exchange jobs to a platform."""

from mumian.elements.sharing.exchange.service.evidence import checking
from mumian.elements.sharing.exchange.service.jobs import Exchange
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def join(platform: Platform) -> None:
    """Offer `Exchange`, look after its jobs in the background, and have them checked against their events."""
    exchange = Exchange(platform)
    platform.provide(Exchange, exchange)
    platform.background(exchange)
    platform.get(EvidenceChecks).add("elements.sharing.exchange", checking(exchange))
