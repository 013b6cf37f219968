"""Layers: what they hold, asked and changed; reading blocks and belongs in a thread, changing waits for its commit."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mumian.foundation.spatial.contracts import LayerInfo
from mumian.foundation.spatial.errors import NotEditable
from mumian.foundation.spatial.features import editing, queries
from mumian.foundation.spatial.features.basing import Bases
from mumian.foundation.spatial.features.caching import Cache
from mumian.foundation.spatial.features.declaring import declared_properties
from mumian.foundation.spatial.features.editing import BaseChanged, Found, Rules, State
from mumian.foundation.spatial.features.tables import Table
from mumian.foundation.spatial.models import LayerSpec
from mumian.foundation.spatial.store import features as store
from mumian.foundation.spatial.store.features import EditRow
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import NotFound
from mumian.kernel.unit_of_work import Actor, Records, Transaction

_ATTEMPTS = 5


class Layers:
    """The layers of the city."""

    def __init__(self, records: Records, declarations: Declarations, folder: Path, bases: Bases) -> None:
        self._records = records
        self._declarations = declarations
        self.bases = bases
        self.cache = Cache(folder, bases)
        self.locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def names(self) -> list[str]:
        """All declared layers."""
        return sorted(declared.name for declared in self._declarations.all("Layer"))

    def spec(self, layer: str) -> LayerSpec:
        """A layer's declaration; raises NotFound."""
        return self.bases.spec(layer)

    def title(self, layer: str) -> dict[str, str]:
        """A layer's title {zh, en}; raises NotFound."""
        return self._declarations.get("Layer", layer).title

    def table(self, layer: str) -> Table:
        """A layer's table, with all that is known by now; blocks. Raises NotFound."""
        spec = self.bases.spec(layer)
        return self.cache.table(layer, self._declarations.revision, look=spec.view is not None)

    def info(self, layer: str) -> LayerInfo:
        """A layer as it stands; blocks. Raises NotFound."""
        table, spec = self.table(layer), self.spec(layer)
        return LayerInfo(
            layer, self.title(layer), table.version, table.count, table.bounds, table.properties, spec.editable, spec.owner
        )

    def find(self, layer: str, query: queries.Query) -> list[queries.Row]:
        """Features of a layer; blocks."""
        return queries.find(self.cache.engine, self.table(layer), query)

    def page(self, layer: str, query: queries.Query) -> tuple[list[queries.Row], int]:
        """Features of a layer as `find` has them, and how many answer the query in all; blocks."""
        return queries.page(self.cache.engine, self.table(layer), query)

    def count(self, layer: str, query: queries.Query) -> int:
        """How many features of a layer answer a query; blocks."""
        return queries.count(self.cache.engine, self.table(layer), query)

    def one(self, layer: str, feature: str) -> queries.Row:
        """One feature; blocks. Raises NotFound."""
        found = queries.one(self.cache.engine, self.table(layer), feature)
        if found is None:
            raise NotFound(kind="feature", name=feature[:200])
        return found

    async def create(self, layer: str, feature: str | None, geometry: str | None, properties: str, actor: Actor) -> EditRow:
        """Add a feature (GeoJSON text in WGS 84, JSON text); raises FeatureExists, NotEditable, Invalid."""
        rules = self._editable(layer)
        state = State(0, geometry, properties)
        return await self._edit(layer, feature, lambda tx, f: editing.create(tx, layer, f, feature, state, rules), actor)

    async def replace(
        self, layer: str, feature: str, geometry: str | None, properties: str, expected: int | None, actor: Actor
    ) -> EditRow:
        """Put another feature in the place of one; raises NotFound, Stale, NotEditable, Invalid."""
        state = State(0, geometry, properties)
        return await self._change(layer, feature, expected, lambda _: state, "replaced", actor)

    async def update(self, layer: str, feature: str, patch: dict[str, Any], expected: int | None, actor: Actor) -> EditRow:
        """Change parts of a feature: `geometry` (GeoJSON text or None) where given, and `properties` merged after RFC 7396."""

        def merged(current: State) -> State:
            geometry = patch.get("geometry", current.geometry)
            properties = merge(json.loads(current.properties), patch.get("properties", {}))
            return State(0, geometry, json.dumps(properties, ensure_ascii=False, allow_nan=False))

        return await self._change(layer, feature, expected, merged, "updated", actor)

    async def delete(self, layer: str, feature: str, expected: int | None, actor: Actor) -> EditRow:
        """Take a feature away; raises NotFound, Stale, NotEditable."""
        self._editable(layer)
        return await self._edit(layer, feature, lambda tx, f: editing.delete(tx, layer, f, feature, expected), actor)

    async def history(self, layer: str, feature: str, before: int, limit: int) -> list[EditRow]:
        """The changes of a feature before a version, newest first."""
        self.spec(layer)
        return await self._records.read(lambda session: store.history(session, layer, feature, before, limit))

    async def _change(
        self, layer: str, feature: str, expected: int | None, work: Callable[[State], State], action: str, actor: Actor
    ) -> EditRow:
        rules = self._editable(layer)

        def change(tx: Transaction, found: Found) -> EditRow:
            return editing.change(tx, layer, found, feature, expected, work, action, rules)

        return await self._edit(layer, feature, change, actor)

    async def _edit(
        self, layer: str, feature: str | None, work: Callable[[Transaction, Found], EditRow], actor: Actor
    ) -> EditRow:
        """Do an edit against what the cache knows of the feature; once more where the base changed in between."""
        for attempt in range(_ATTEMPTS):
            found = await asyncio.to_thread(self._found, layer, feature)
            try:
                async with self.locks[layer]:
                    made = await self._records.write(lambda tx, found=found: work(tx, found), actor)  # type: ignore[misc]
                break
            except BaseChanged:
                if attempt == _ATTEMPTS - 1:
                    raise
            finally:
                self.cache.changed()
        return made

    def _found(self, layer: str, feature: str | None) -> Found:
        table = self.table(layer)
        row = None if feature is None else queries.one(self.cache.engine, table, feature)
        return Found(table.base, None if row is None else State(row.version, row.geometry, row.properties))

    def _editable(self, layer: str) -> Rules:
        spec = self.spec(layer)
        if not spec.editable:
            raise NotEditable(name=layer)
        return Rules(declared_properties(spec), spec.strict)


def merge(target: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7396) applied: null takes a member away, objects are merged, all else is replaced."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merge(made.get(name), value)
    return made
