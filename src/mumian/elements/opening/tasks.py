"""Offers `Opening`, tells the catalogue in which forms data can be had, and looks at datasets after they were loaded."""

from mumian.elements.catalog.api import Catalog
from mumian.elements.opening.api import Opening
from mumian.elements.opening.service.evidence import CHECKS
from mumian.elements.opening.service.examining import CONSUMER
from mumian.elements.opening.service.opened import names_of_formats, ways
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer, and listen."""
    opening = Opening(platform)
    platform.provide(Opening, opening)
    platform.get(Catalog).offer(ways, names_of_formats)
    opening.examining.subscribe()
    platform.background(opening.examining)
    platform.background(opening.counting)
    checks = platform.get(EvidenceChecks)
    for name, check in CHECKS.items():
        checks.add(f"{CONSUMER}.{name}", check)
