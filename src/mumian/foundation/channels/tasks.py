"""Registers channels: offers `Channels`, sends what waits, has messages checked."""

from mumian.foundation.channels.service.evidence import faults
from mumian.foundation.channels.service.queueing import Channels
from mumian.foundation.channels.service.sending import Sender
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Channels`."""
    platform.provide(Channels, Channels(platform))
    platform.background(Sender(platform))
    platform.get(EvidenceChecks).add("foundation.channels", faults)
