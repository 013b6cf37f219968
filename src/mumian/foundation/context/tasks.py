"""Offers context to the platform, folds and notifies in the background, and holds entities against the ledger."""

from mumian.foundation.context.api import Context
from mumian.foundation.context.service.evidence import faults
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Context`."""
    context = Context(platform)
    platform.provide(Context, context)
    platform.background(context)
    platform.get(EvidenceChecks).add("foundation.context", faults)
