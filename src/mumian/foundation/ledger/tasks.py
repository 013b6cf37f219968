"""Hooks the ledger into every commit, and lets heads be signed in the background."""

from mumian.foundation.ledger.api import EvidenceChecks, Ledger
from mumian.foundation.ledger.service.recording import record
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Record every event, offer `Ledger` and `EvidenceChecks`, and sign heads."""
    checks = EvidenceChecks()
    ledger = Ledger(platform, checks)
    platform.records.recorder(record)
    platform.provide(EvidenceChecks, checks)
    platform.provide(Ledger, ledger)
    platform.background(ledger.heads)
