"""Offers the spatial base to the platform."""

from mumian.foundation.spatial.api import Spatial
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Spatial`; it reads nothing before it is asked."""
    spatial = Spatial(platform.records, platform.declarations)
    platform.provide(Spatial, spatial)
    platform.closers.append(spatial.close)
