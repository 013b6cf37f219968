"""Layers made for tests: an engine with a table of features, and a platform with layers to edit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shapely

from mumian.foundation.spatial.contracts import Property
from mumian.foundation.spatial.features.engine import Engine
from mumian.foundation.spatial.features.queries import Query, find
from mumian.foundation.spatial.features.tables import Table, build, remembered, source_of
from mumian.foundation.spatial.rules.cql2 import Compiled
from mumian.foundation.spatial.rules.schema import infer

Feature = tuple[str, Any, dict[str, Any]]


def table_of(folder: Path, features: Sequence[Feature], known: Sequence[Property] = ()) -> tuple[Engine, Table]:
    """An engine with one table of features: (id, shapely geometry, properties)."""
    engine = Engine(folder)
    remembered(engine)
    wkb = [None if geometry is None else shapely.to_wkb(geometry) for _, geometry, _ in features]
    properties = [json.dumps(values) for _, _, values in features]
    schema = infer((values for _, _, values in features), known)
    source = source_of([id_ for id_, _, _ in features], [1] * len(features), wkb, properties)
    return engine, build(engine, Table("test", "layer_1", "test:1", 1, schema), source)


def ids_of(engine: Engine, table: Table, *filters: Compiled, **query: Any) -> list[str]:
    """The ids that a query finds, in order."""
    return [row.id for row in find(engine, table, Query(filters=filters, limit=None, **query))]
