"""Offers the gate and the labels, and looks at datasets after they were loaded."""

from mumian.elements.protection.api import Gate, Labels
from mumian.elements.protection.service.evidence import faults
from mumian.elements.protection.service.hot import Hot
from mumian.elements.protection.service.keys import TokenKeys
from mumian.elements.protection.service.known import Known
from mumian.elements.protection.service.reading import Reading
from mumian.elements.protection.service.travel import Travel
from mumian.elements.protection.settings import ProtectionSettings
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Gate` and `Labels`, and listen to loads."""
    settings = ProtectionSettings()
    reading = Reading(platform, settings)
    known = Known(platform, Hot(reading, settings.hot_rows))
    gate = Gate(platform, known, reading, TokenKeys(platform.home / "keys"), settings)
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
