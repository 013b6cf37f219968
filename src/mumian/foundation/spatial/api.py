"""The spatial base for other components: `platform.get(Spatial)` knows the city, its layers and the district of a point."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.spatial.contracts import Bounds, City, District, Feature, GeoJson, LayerInfo, Property
from mumian.foundation.spatial.coordinates.transform import convert
from mumian.foundation.spatial.features.basing import Bases
from mumian.foundation.spatial.features.bulk import Bulk
from mumian.foundation.spatial.features.layers import Layers
from mumian.foundation.spatial.features.locating import Index
from mumian.foundation.spatial.features.queries import Query, Row, by_ids
from mumian.foundation.spatial.features.views import View
from mumian.foundation.spatial.models import CitySpec, LayerSpec
from mumian.foundation.spatial.rules.crs import parse_crs
from mumian.foundation.spatial.service import DistrictIndex, to_layer
from mumian.foundation.spatial.settings import SpatialSettings
from mumian.foundation.spatial.store import sources
from mumian.foundation.spatial.tiles.keeping import Tiles
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

__all__ = ["Bounds", "City", "District", "Feature", "GeoJson", "LayerInfo", "Property", "Spatial", "View"]


class Spatial:
    """Answers from any thread; what is kept in memory is read anew after each apply of declarations.

    What asks for features (`feature`, `features`, `locate`, `info`) blocks: call it in a thread, never on the event loop.
    `layers`, `bulk` and `tiles` change features, bring files in and draw them; they are for this component's own faces.
    """

    def __init__(self, platform: Platform) -> None:
        self._records = platform.records
        self._declarations = platform.declarations
        self._revision = -1
        self._texts: dict[str, str] = {}
        self._index: DistrictIndex | None = None
        self._indexes: dict[str, tuple[int, str, Index]] = {}
        self._lock = RLock()
        self._reader = ThreadPoolExecutor(1, "mumian-spatial")
        lake: Callable[[], Lake] = lambda: platform.get(Lake)  # type: ignore[type-abstract]  # noqa: E731
        bases = Bases(self._declarations, self._read, lake, self.layer)
        self.layers = Layers(self._records, self._declarations, platform.home / "spatial", bases)
        self.settings = SpatialSettings()
        self.bulk = Bulk(platform, self.layers, self.settings)
        self.tiles = Tiles(self.layers)

    def city(self) -> City | None:
        """The declared city, or None before one is applied."""
        declared = next(iter(self._declarations.all("City")), None)
        if declared is None:
            return None
        spec: CitySpec = declared.spec
        return City(name=declared.name, title=declared.title, **spec.model_dump())

    def layer_text(self, name: str) -> str:
        """A layer with a file of its own as GeoJSON text in WGS 84, as it was declared; raises NotFound."""
        with self._lock:
            self._refresh()
            if name not in self._texts:
                spec: LayerSpec = self._declarations.get("Layer", name).spec
                source, digest = spec.source, spec.sha256
                if source is None:
                    raise NotFound(kind="Layer", name=name)
                text: str | None = self._read(lambda session: sources.text_of(session, name, source, digest))
                if text is None:
                    raise NotFound(kind="Layer", name=name)
                layer = to_layer(text, spec)
                self._texts[name] = json.dumps(layer, ensure_ascii=False, separators=(",", ":"))
            return self._texts[name]

    def layer(self, name: str) -> GeoJson:
        """A layer as a GeoJSON FeatureCollection in WGS 84, properties code, name {zh, en}, centre; raises NotFound."""
        collection: GeoJson = json.loads(self.layer_text(name))
        return collection

    def districts(self) -> list[District]:
        """The city's districts in the order of their codes; empty before a city is applied."""
        index = self._districts()
        return [] if index is None else sorted(index.districts, key=lambda d: d.code)

    def district(self, code: str) -> District | None:
        """The district with that code, or None."""
        return next((d for d in self.districts() if d.code == code), None)

    def district_at(self, longitude: float, latitude: float) -> District | None:
        """The district of a WGS 84 point; None outside of the city by more than 150 m. Raises Invalid when not finite."""
        if not (isfinite(longitude) and isfinite(latitude)):
            raise Invalid.field("longitude", "field.type", expected="a finite number")
        index = self._districts()
        return None if index is None else index.at(longitude, latitude)

    def districts_at(self, longitudes: Any, latitudes: Any) -> NDArray[Any]:
        """The district code of each WGS 84 point, None outside; `district_at` for whole arrays (an object array of codes)."""
        index = self._districts()
        x, y = np.asarray(longitudes, np.float64), np.asarray(latitudes, np.float64)
        return np.full(x.shape, None, object) if index is None else index.codes_at(x, y)

    def convert(self, x: Any, y: Any, source: str, target: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points of the system `source` in `target` (`CRS84`, `EPSG:4547`, `GCJ-02`, `BD-09`, … or their URIs), as arrays.

        `x` is easting or longitude and `y` northing or latitude, whatever order the systems write themselves; metres or
        degrees as the systems say. What has no image becomes NaN. Raises Invalid for a system that is not known.
        """
        return convert(x, y, parse_crs(source, "source"), parse_crs(target, "target"))

    def info(self, layer: str) -> LayerInfo:
        """A layer as it stands: version, count, bounds, schema; raises NotFound."""
        return self.layers.info(layer)

    def feature(self, layer: str, id: str) -> Feature:  # noqa: A002 - it is the feature's id
        """One feature of a layer; raises NotFound."""
        return _feature(self.layers.one(layer, id))

    def features(
        self, layer: str, bounds: Bounds | None = None, ids: Sequence[str] | None = None, limit: int | None = None
    ) -> list[Feature]:
        """The features of a layer that meet `bounds` (west, south, east, north in WGS 84) or have one of the `ids`, in the
        layer's own order; all of them where neither is given. Raises NotFound for the layer alone."""
        boxes = () if bounds is None else (bounds,)
        filters = () if ids is None else (by_ids(ids),)
        found = self.layers.find(layer, Query(boxes=boxes, filters=filters, limit=limit))
        return [_feature(row) for row in (found if limit is None else found[:limit])]

    def locate(self, layer: str, longitudes: Any, latitudes: Any, within_metres: float = 0.0) -> NDArray[Any]:
        """For arrays of WGS 84 points, the id of the layer's feature that covers each (of several the first by id), else of
        the nearest at most `within_metres` away, else None: an object array. The index is kept for the layer's version."""
        table = self.layers.table(layer)
        known = self._indexes.get(layer)
        if known is None or known[:2] != (table.version, table.base):
            rows = self.layers.find(layer, Query(limit=None, wkb=True))
            index = Index([row.id for row in rows], [row.geometry and bytes(row.geometry) for row in rows])
            known = self._indexes[layer] = (table.version, table.base, index)
        return known[2].at(longitudes, latitudes, within_metres)

    def offer_view(self, name: str, view: View) -> None:
        """Let declarations of layers show what another component keeps, as `view: name`."""
        self.layers.bases.views[name] = view

    def close(self) -> None:
        """Answer from memory alone from now on."""
        self._reader.shutdown()
        self.layers.cache.close()

    def _districts(self) -> DistrictIndex | None:
        with self._lock:
            self._refresh()
            city = self.city()
            if self._index is None and city is not None:
                self._index = DistrictIndex(self.layer(city.district_layer))
            return self._index

    def _read(self, work: Callable[[Session], Any]) -> Any:
        """Read in a thread of our own, for who asks may be inside a read already."""
        return self._reader.submit(self._records.read_now, work).result()

    def _refresh(self) -> None:
        if self._revision != self._declarations.revision:
            self._revision, self._texts, self._index = self._declarations.revision, {}, None


def _feature(row: Row) -> Feature:
    geometry = None if row.geometry is None else json.loads(row.geometry)
    return Feature(row.id, row.version, geometry, json.loads(row.properties))
