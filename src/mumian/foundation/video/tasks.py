"""Offers video to the platform and starts its background work."""

from mumian.foundation.video.api import Video
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Video`."""
    video = Video(platform)
    platform.provide(Video, video)
    platform.background(video.analysis)
    platform.background(video.health)
    platform.background(video.housekeeping)
