"""Offers grids at start."""

from mumian.foundation.grids.api import Grids
from mumian.foundation.grids.service.evidence import faults
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Provide Grids, and have its registers checked against their events."""
    platform.provide(Grids, Grids(platform))
    platform.get(EvidenceChecks).add("foundation.grids", faults)
