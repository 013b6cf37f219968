"""The spatial base for other components: `platform.get(Spatial)` knows the city, its layers and the district of a point."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.foundation.spatial import store
from mumian.foundation.spatial.contracts import City, District, GeoJson
from mumian.foundation.spatial.coordinates.transform import convert
from mumian.foundation.spatial.models import CitySpec, LayerSpec
from mumian.foundation.spatial.rules.crs import parse_crs
from mumian.foundation.spatial.service import DistrictIndex, to_layer
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.unit_of_work import Records, Session

__all__ = ["City", "District", "GeoJson", "Spatial"]


class Spatial:
    """Answers from memory, from any thread; what is kept in memory is read anew after each apply of declarations."""

    def __init__(self, records: Records, declarations: Declarations) -> None:
        self._records = records
        self._declarations = declarations
        self._revision = -1
        self._layers: dict[str, str] = {}
        self._index: DistrictIndex | None = None
        self._lock = RLock()
        self._reader = ThreadPoolExecutor(1, "mumian-spatial")

    def city(self) -> City | None:
        """The declared city, or None before one is applied."""
        declared = next(iter(self._declarations.all("City")), None)
        if declared is None:
            return None
        spec: CitySpec = declared.spec
        return City(name=declared.name, title=declared.title, **spec.model_dump())

    def layer_text(self, name: str) -> str:
        """A layer as GeoJSON text in WGS 84; raises NotFound."""
        with self._lock:
            self._refresh()
            if name not in self._layers:
                spec: LayerSpec = self._declarations.get("Layer", name).spec
                text = self._read(lambda session: store.text_of(session, name, spec.source, spec.sha256))
                if text is None:
                    raise NotFound(kind="Layer", name=name)
                layer = to_layer(text, spec)
                self._layers[name] = json.dumps(layer, ensure_ascii=False, separators=(",", ":"))
            return self._layers[name]

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

    def close(self) -> None:
        """Answer from memory alone from now on."""
        self._reader.shutdown()

    def _districts(self) -> DistrictIndex | None:
        with self._lock:
            self._refresh()
            city = self.city()
            if self._index is None and city is not None:
                self._index = DistrictIndex(self.layer(city.district_layer))
            return self._index

    def _read(self, work: Callable[[Session], str | None]) -> str | None:
        """Read in a thread of our own, for who asks may be inside a read already."""
        return self._reader.submit(self._records.read_now, work).result()

    def _refresh(self) -> None:
        if self._revision != self._declarations.revision:
            self._revision, self._layers, self._index = self._declarations.revision, {}, None
