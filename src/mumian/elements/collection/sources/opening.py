"""Opening: the source that a connector declares, as batches."""

from collections.abc import Callable, Iterator
from typing import Any

from mumian.elements.collection.contracts import Batch
from mumian.elements.collection.models import ConnectorSpec
from mumian.elements.collection.sources.context import Context
from mumian.elements.collection.sources.files import files, objects
from mumian.elements.collection.sources.http import http, sensorthings
from mumian.elements.collection.sources.sql import sql

Opener = Callable[[ConnectorSpec, Any, Context], Iterator[Batch]]
_OPENERS: dict[str, Opener] = {"files": files, "objects": objects, "sql": sql, "http": http, "sensorthings": sensorthings}


def open_source(spec: ConnectorSpec, context: Context) -> Iterator[Batch]:
    """Batches of the connector's source, from `context.position` on; to be called and iterated off the event loop."""
    return _OPENERS[spec.source.kind](spec, spec.source, context)
