"""Offers the infrastructure ledger at start."""

from mumian.foundation.infrastructure.api import Infrastructure
from mumian.foundation.infrastructure.service.evidence import faults
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Provide Infrastructure, measure in the background, and have the ledger checked against its events."""
    infrastructure = Infrastructure(platform)
    platform.provide(Infrastructure, infrastructure)
    platform.background(infrastructure.measuring)
    platform.get(EvidenceChecks).add("foundation.infrastructure", faults)
