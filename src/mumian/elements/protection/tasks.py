"""Offers the gate."""

from mumian.elements.protection.api import Gate
from mumian.elements.protection.service.keys import TokenKeys
from mumian.elements.protection.service.known import Known
from mumian.elements.protection.settings import ProtectionSettings
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Gate`."""
    known = Known(platform)
    gate = Gate(platform, known, TokenKeys(platform.home / "keys"), ProtectionSettings())
    platform.provide(Known, known)
    platform.provide(Gate, gate)
    platform.closers.append(gate.close)
