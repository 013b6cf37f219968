"""Offers registers, and brings them up to date when their sources, their declaration or people's decisions change."""

from mumian.elements.registers.api import Registers
from mumian.elements.registers.service.evidence import faults
from mumian.elements.registers.service.running import Running
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer registers, listen to loads and declarations, and match in the background."""
    running = Running(platform)
    platform.provide(Registers, Registers(platform, running))
    platform.background(running)
    platform.subscribe("elements.catalog.loaded", "elements.registers", running.loaded)
    platform.subscribe("declarations.applied", "elements.registers", running.applied)
    platform.get(EvidenceChecks).add("elements.registers", faults)
