"""Quality over HTTP: how datasets stand, their rules and history, suggestions, tickets, and the ranking of departments."""

from fastapi import APIRouter

from mumian.elements.quality.endpoints.datasets import router as datasets
from mumian.elements.quality.endpoints.suggestions import router as suggestions
from mumian.elements.quality.endpoints.tickets import router as tickets

router = APIRouter(prefix="/api/v1/elements/quality", tags=["quality"])
for each in (datasets, suggestions, tickets):
    router.include_router(each)
