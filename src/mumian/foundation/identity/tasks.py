"""Offers identity at start."""

from mumian.foundation.identity.api import Identity
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Identity`."""
    platform.provide(Identity, Identity(platform))
