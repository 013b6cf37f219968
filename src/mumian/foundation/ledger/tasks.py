"""Hooks the ledger into every commit, and lets heads be signed in the background."""

from mumian.foundation.identity.api import differences
from mumian.foundation.ledger.api import EvidenceChecks, Fault, LakeSeals, Ledger
from mumian.foundation.ledger.service.lake_evidence import faults
from mumian.foundation.ledger.service.recording import record
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Record every event, offer `Ledger` and `LakeSeals`, and sign heads."""
    if not platform.offers(EvidenceChecks):
        platform.provide(EvidenceChecks, EvidenceChecks())
    checks = platform.get(EvidenceChecks)
    ledger = Ledger(platform, checks)
    checks.add("foundation.identity", lambda session: (Fault(*difference) for difference in differences(session)))
    if platform.offers(Lake):
        checks.add("lake", lambda session: faults(session, platform))
    platform.records.recorder(record)
    platform.provide(Ledger, ledger)
    platform.provide(LakeSeals, LakeSeals(platform))
    platform.background(ledger.heads)
