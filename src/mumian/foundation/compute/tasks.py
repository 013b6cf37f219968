"""Offers compute at start."""

from mumian.foundation.compute.api import Compute
from mumian.foundation.compute.service.evidence import checking
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Provide Compute, look after jobs in the background, and have them checked against their events."""
    compute = Compute(platform)
    platform.provide(Compute, compute)
    platform.background(compute.looking_after)
    platform.get(EvidenceChecks).add("foundation.compute", checking(platform))
