"""Offers sensing to the platform and folds observations in the background."""

from mumian.foundation.sensing.api import Sensing
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Sensing`."""
    sensing = Sensing(platform)
    platform.provide(Sensing, sensing)
    platform.background(sensing.folding)
