"""Offers the spatial base to the platform, and folds edits of features into the lake in the background."""

from mumian.foundation.spatial.api import Spatial
from mumian.foundation.spatial.features.bulk import Bulk
from mumian.foundation.spatial.features.streams import StreamPlaces
from mumian.kernel.background import Loop
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

_FOLD_SECONDS = 60.0


class Folding:
    """The background job that keeps the number of edits over a layer's base small."""

    name = "spatial.folding"

    def __init__(self, platform: Platform, bulk: Bulk) -> None:
        self._bulk = bulk
        self._loop = Loop(self.name, platform.clock, bulk.settle, _FOLD_SECONDS)

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the folding under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Fold what is due."""
        return await self._bulk.settle()


def register(platform: Platform) -> None:
    """Offer `Spatial`; it reads nothing before it is asked."""
    spatial = Spatial(platform)
    platform.provide(Spatial, spatial)
    platform.closers.append(spatial.close)
    platform.background(Folding(platform, spatial.bulk))

    places = StreamPlaces(platform)
    spatial.offer_view("streams", places)

    def changed(_: Transaction, event: DeliveredEvent) -> None:
        spatial.layers.cache.changed()

    def moved(_: Transaction, event: DeliveredEvent) -> None:
        places.changed()

    platform.subscribe("spatial.*", "spatial.cache", changed)
    platform.subscribe("sensing.stream.*", "spatial.streams", moved)
    platform.subscribe("sensing.entity.*", "spatial.places", moved)
