"""Offers addresses at start."""

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.addresses.service.evidence import faults
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Provide Addresses, and have the library checked against its events."""
    platform.provide(Addresses, Addresses(platform))
    platform.get(EvidenceChecks).add("foundation.addresses", faults)
