"""Offers models at start."""

from mumian.foundation.ledger.api import EvidenceChecks
from mumian.foundation.models.api import Models
from mumian.foundation.models.service.evidence import checking
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Provide Models, and have them checked against their events."""
    platform.provide(Models, Models(platform))
    platform.get(EvidenceChecks).add("foundation.models", checking(platform))
