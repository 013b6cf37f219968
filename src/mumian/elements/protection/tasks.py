"""Offers the gate and the labels, and looks at datasets after they were loaded."""

from mumian.elements.protection.api import Gate, Labels
from mumian.elements.protection.service.evidence import faults
from mumian.elements.protection.service.keys import TokenKeys
from mumian.elements.protection.service.known import Known
from mumian.elements.protection.service.travel import Travel
from mumian.elements.protection.settings import ProtectionSettings
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Gate` and `Labels`, and listen to loads."""
    known, settings = Known(platform), ProtectionSettings()
    gate = Gate(platform, known, TokenKeys(platform.home / "keys"), settings)
    platform.provide(Gate, gate)
    platform.closers.append(gate.close)
    labels = Labels(platform, known, settings)
    platform.provide(Labels, labels)
    platform.background(labels)
    platform.subscribe("elements.catalog.loaded", "elements.protection", labels.loaded)
    travel = Travel(platform, labels)
    platform.subscribe("elements.lineage.recorded", "elements.protection.travel", travel.recorded)
    platform.subscribe("elements.protection.*", "elements.protection.travel", travel.labelled)
    platform.get(EvidenceChecks).add("elements.protection", faults)
