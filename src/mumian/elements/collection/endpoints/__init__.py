"""The endpoints of collection: connectors and runs, previews, forms, harvests; and uploads, which stream."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.types import ASGIApp

from mumian.elements.collection.endpoints.connectors import router as connectors
from mumian.elements.collection.endpoints.runs import router as runs
from mumian.elements.collection.forms.endpoints import router as forms
from mumian.elements.collection.harvest.endpoints import router as harvests
from mumian.elements.collection.previews.endpoints import router as previews
from mumian.elements.collection.previews.uploads import PREFIX, face
from mumian.kernel.platform import Platform

router = APIRouter(prefix="/api/v1/elements/collection", tags=["collection"])
for each in (connectors, runs, previews, forms, harvests):
    router.include_router(each)
MOUNTS: list[tuple[str, Callable[[Platform], ASGIApp]]] = [(PREFIX, face)]
