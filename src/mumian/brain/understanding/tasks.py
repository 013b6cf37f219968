"""Offers understanding at start, and lets it read what people report."""

from mumian.brain.understanding.api import Understanding
from mumian.brain.understanding.service.evidence import faults
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Provide Understanding, read incidents when they are opened, and have all of it checked against its events."""
    understanding = Understanding(platform)
    platform.provide(Understanding, understanding)
    platform.background(understanding.pending)
    platform.subscribe("brain.incidents.opened", "brain.understanding", understanding.opened)
    platform.get(EvidenceChecks).add("brain.understanding", faults)
