"""Bases of layers: what is declared, what came in bulk and lies in the lake, and what a view shows."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec

from mumian.foundation.spatial.contracts import Feature, GeoJson
from mumian.foundation.spatial.features.caching import Standing
from mumian.foundation.spatial.features.engine import quoted
from mumian.foundation.spatial.features.tables import Source, source_of
from mumian.foundation.spatial.features.views import View
from mumian.foundation.spatial.models import LayerSpec
from mumian.foundation.spatial.rules.schema import infer
from mumian.foundation.spatial.store import features as store
from mumian.foundation.spatial.store.features import EditRow, LayerRow
from mumian.foundation.storage.contracts import Column, Lake, Table
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import NotFound, Unavailable
from mumian.kernel.unit_of_work import Session

FEATURES = Table(
    "spatial_feature",
    (
        Column("layer", "VARCHAR"),
        Column("generation", "VARCHAR"),
        Column("seq", "BIGINT"),
        Column("fid", "VARCHAR"),
        Column("ver", "BIGINT"),
        Column("geometry", "BLOB"),
        Column("properties", "VARCHAR"),
    ),
    ("layer", "generation", "seq"),
)
Read = Callable[[Callable[[Session], Any]], Any]


class Bases:
    """Finds where a layer stands and the rows that it stands on; methods block."""

    def __init__(
        self, declarations: Declarations, read: Read, lake: Callable[[], Lake], collection: Callable[[str], GeoJson]
    ) -> None:
        self._declarations = declarations
        self._read = read
        self._lake = lake
        self._collection = collection
        self._shown: dict[str, tuple[int, list[Feature], LayerRow]] = {}
        self.ready: dict[str, str] = {}
        self.views: dict[str, View] = {}

    def spec(self, layer: str) -> LayerSpec:
        """The layer's declaration; raises NotFound."""
        found: LayerSpec = self._declarations.get("Layer", layer).spec
        return found

    def standing(self, layer: str) -> Standing:
        """Where a layer stands now; raises NotFound."""
        spec = self.spec(layer)
        if spec.view is not None:
            return self._view(layer, spec.view)[1]
        row: LayerRow | None = self._read(lambda session: store.layer(session, layer))
        if row is not None:
            return row
        if spec.source is None:
            raise NotFound(kind="Layer", name=layer)
        schema = infer(feature["properties"] for feature in self._collection(layer)["features"])
        return LayerRow(layer, 1, "declared:", 1, schema, "")

    def edits(self, layer: str, after: int) -> list[EditRow]:
        """A layer's edits after a version."""
        found: list[EditRow] = self._read(lambda session: store.edits(session, layer, after))
        return found

    def source(self, layer: str, standing: Standing) -> Source:
        """The rows that a layer stands on."""
        kind, _, name = standing.base.partition("#")[0].partition(":")
        if kind == "view":
            return _of_features(self._shown[layer][1])
        if kind == "declared":
            return _of_collection(self._collection(layer), standing.base_version)
        if kind == "lake":
            return Source(f"read_parquet({quoted(self._rows_of(layer, name))})", ordered=True)
        return source_of([], [], [], [])

    def _rows_of(self, layer: str, generation: str) -> str:
        """A Parquet file with the rows of a generation: the one that was just made, or one fetched from the lake."""
        ready = self.ready.pop(generation, None)
        if ready is not None and Path(ready).is_file():
            return ready
        file = str(Path(mkdtemp(prefix="mumian-layer-")) / "rows.parquet")
        chosen = "SELECT seq, fid, ver, geometry, properties FROM spatial_feature"
        where = f"WHERE layer = {quoted(layer)} AND generation = {quoted(generation)} ORDER BY seq"
        self._lake().rows(f"COPY ({chosen} {where}) TO {quoted(file)} (FORMAT parquet)")
        return file

    def _view(self, layer: str, name: str) -> tuple[list[Feature], LayerRow]:
        view = self.views.get(name)
        if view is None:
            raise Unavailable(reason=f"no component offers the view {name!r}; there are: {', '.join(sorted(self.views))}")
        version = view.version()
        known = self._shown.get(layer)
        if known is None or known[0] != version:
            features = view.features()
            schema = infer(feature.properties for feature in features)
            known = self._shown[layer] = (version, features, LayerRow(layer, version, f"view:{version}", version, schema, ""))
        return known[1], known[2]


def _of_features(features: list[Feature]) -> Source:
    import shapely

    wkb = [None if f.geometry is None else shapely.to_wkb(shapely.from_geojson(json.dumps(f.geometry))) for f in features]
    properties = [msgspec.json.encode(f.properties).decode() for f in features]
    return source_of([f.id for f in features], [f.version for f in features], wkb, properties)


def _of_collection(collection: GeoJson, version: int) -> Source:
    features = [Feature(str(f["id"]), version, f["geometry"], f["properties"]) for f in collection["features"]]
    return _of_features(features)
