"""Hooks the ledger into every commit, and lets heads be signed in the background."""

from mumian.foundation.identity.api import differences
from mumian.foundation.ledger.api import EvidenceChecks, Fault, Ledger
from mumian.foundation.ledger.service.recording import record
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Record every event, offer `Ledger` and `EvidenceChecks`, and sign heads."""
    checks = EvidenceChecks()
    ledger = Ledger(platform, checks)
    checks.add("foundation.identity", lambda session: (Fault(*difference) for difference in differences(session)))
    platform.records.recorder(record)
    platform.provide(EvidenceChecks, checks)
    platform.provide(Ledger, ledger)
    platform.background(ledger.heads)
