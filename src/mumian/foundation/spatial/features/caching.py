"""The cache of layers: finds or builds each layer's table, and lays new edits over it before anybody reads it."""

import itertools
import threading
from pathlib import Path
from typing import Protocol

from mumian.foundation.spatial.contracts import Property
from mumian.foundation.spatial.features.engine import Engine
from mumian.foundation.spatial.features.tables import Source, Table, build, drop, overlay, remembered
from mumian.foundation.spatial.store.features import EditRow

_MOST_EDITS = 100_000


class Standing(Protocol):
    """Where a layer stands in the records."""

    @property
    def version(self) -> int:
        """The newest version."""
        ...

    @property
    def base(self) -> str:
        """What the base is; a new name means new rows."""
        ...

    @property
    def base_version(self) -> int:
        """The version that the base stands for."""
        ...

    @property
    def properties(self) -> tuple[Property, ...]:
        """The schema."""
        ...


class Bases(Protocol):
    """Where the cache learns of layers; every method may block."""

    def standing(self, layer: str) -> Standing:
        """Where a layer stands now; raises NotFound."""
        ...

    def source(self, layer: str, standing: Standing) -> Source:
        """The rows of its base."""
        ...

    def edits(self, layer: str, after: int) -> list[EditRow]:
        """Its edits after a version, in order, at most 100,000 at a time."""
        ...


class Cache:
    """Tables of layers, by name; answers block, so they are asked for in threads."""

    def __init__(self, folder: Path, bases: Bases) -> None:
        self._folder = folder
        self._bases = bases
        self._engine: Engine | None = None
        self._tables: dict[str, Table] = {}
        self._fresh: dict[str, int] = {}
        self._changes = 0
        self._revision = -1
        self._locks: dict[str, threading.RLock] = {}
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)

    @property
    def engine(self) -> Engine:
        """The engine, opened when it is needed first."""
        with self._lock:
            if self._engine is None:
                self._engine = Engine(self._folder)
                self._tables = remembered(self._engine)
                taken = [int(table.name.removeprefix("layer_")) for table in self._tables.values()]
                self._numbers = itertools.count(max(taken, default=0) + 1)
            return self._engine

    def changed(self) -> None:
        """Something changed in the records: look again before the next answer."""
        self._changes += 1

    def table(self, layer: str, revision: int, look: bool = False) -> Table:
        """The layer's table with all that the records know; `look` asks for its standing in any case. Raises NotFound."""
        engine = self.engine
        mark = self._changes
        if revision != self._revision:
            self._fresh, self._revision = {}, revision
        known = self._tables.get(layer)
        if known is not None and self._fresh.get(layer) == mark and not look:
            return known
        with self._lock:
            lock = self._locks.setdefault(layer, threading.RLock())
        with lock:
            made = self._brought_up(engine, layer)
            self._tables[layer], self._fresh[layer] = made, mark
            return made

    def _brought_up(self, engine: Engine, layer: str) -> Table:
        standing = self._bases.standing(layer)
        table = self._tables.get(layer)
        if table is None or table.base != standing.base or table.version < standing.base_version:
            table = self._built(engine, layer, standing, table)
        while table.version < standing.version:
            edits = self._bases.edits(layer, table.version)
            version = edits[-1].version if len(edits) == _MOST_EDITS else max(standing.version, *(e.version for e in edits), 0)
            table = self._tables[layer] = overlay(engine, table, edits, _longer(table.properties, standing.properties), version)
        return table

    def _built(self, engine: Engine, layer: str, standing: Standing, old: Table | None) -> Table:
        name = f"layer_{next(self._numbers)}"
        fresh = Table(layer, name, standing.base, standing.base_version, standing.properties)
        made = self._tables[layer] = build(engine, fresh, self._bases.source(layer, standing))
        if old is not None:
            drop(engine, old)
        return made

    def forget(self, layer: str) -> None:
        """Let go of a layer that is no more."""
        table = self._tables.pop(layer, None)
        if table is not None and self._engine is not None:
            drop(self._engine, table)

    def close(self) -> None:
        """Let go of the engine."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()


def _longer(a: tuple[Property, ...], b: tuple[Property, ...]) -> tuple[Property, ...]:
    return a if len(a) > len(b) else b
