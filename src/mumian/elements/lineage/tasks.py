"""Offers lineage, notes loads as runs, and sends OpenLineage events."""

from mumian.elements.lineage.api import Lineage
from mumian.elements.lineage.service.evidence import faults
from mumian.elements.lineage.service.sending import Sending
from mumian.elements.lineage.settings import LineageSettings
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Lineage`, and listen to loads."""
    settings = LineageSettings()
    lineage = Lineage(platform, settings)
    platform.provide(Lineage, lineage)
    platform.background(Sending(platform, settings))
    platform.subscribe("elements.catalog.loaded", "elements.lineage", lineage.loaded)
    platform.get(EvidenceChecks).add("elements.lineage", faults)
