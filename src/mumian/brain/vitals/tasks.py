"""Registers vitals: what others may ask, the rounds that evaluate, and the check of values against their evidence."""

from mumian.brain.vitals.api import Vitals
from mumian.brain.vitals.service.evidence import faults
from mumian.brain.vitals.service.rounds import Rounds
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Provide Vitals, start the rounds, have values checked."""
    platform.provide(Vitals, Vitals(platform))
    platform.background(Rounds(platform))
    platform.get(EvidenceChecks).add("brain.vitals", faults)
