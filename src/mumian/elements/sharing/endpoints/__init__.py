"""The endpoints of sharing: applications, grants and their rows, objections, demands, supervision and figures."""

from fastapi import APIRouter

from mumian.elements.sharing.endpoints.applications import router as applications
from mumian.elements.sharing.endpoints.cases import router as cases
from mumian.elements.sharing.endpoints.deliveries import router as deliveries
from mumian.elements.sharing.endpoints.grants import router as grants
from mumian.elements.sharing.endpoints.rows import router as rows

router = APIRouter(prefix="/api/v1/elements/sharing", tags=["sharing"])
for each in (applications, grants, rows, deliveries, cases):
    router.include_router(each)
