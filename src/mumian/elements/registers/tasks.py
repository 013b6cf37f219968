"""Offers registers, and brings them up to date when their sources, their declaration or people's decisions change."""

from mumian.elements.registers.api import Registers
from mumian.elements.registers.credit import keeping
from mumian.elements.registers.credit.keeping import Credit
from mumian.elements.registers.licences import issuing
from mumian.elements.registers.licences.issuing import Licences
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
    platform.provide(Licences, Licences(platform))
    platform.provide(Credit, Credit(platform))
    checks = platform.get(EvidenceChecks)
    checks.add("elements.registers", faults)
    checks.add("elements.registers.licences", issuing.faults)
    checks.add("elements.registers.credit", keeping.faults)
