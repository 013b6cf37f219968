"""The endpoints of opening: dataset pages, rows and files, checks, what the public says; and the face of CKAN."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.types import ASGIApp

from mumian.elements.opening.ckan.app import Ckan
from mumian.elements.opening.endpoints.checks import router as checks
from mumian.elements.opening.endpoints.datasets import router as datasets
from mumian.elements.opening.endpoints.rows import router as rows
from mumian.elements.opening.endpoints.voices import router as voices
from mumian.kernel.platform import Platform

router = APIRouter(prefix="/api/v1/elements/opening", tags=["opening"])
for each in (datasets, rows, checks, voices):
    router.include_router(each)
MOUNTS: list[tuple[str, Callable[[Platform], ASGIApp]]] = [("/api/3", Ckan), ("/api/action", Ckan)]
