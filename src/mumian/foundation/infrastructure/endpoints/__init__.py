"""Endpoints of the infrastructure ledger, gathered; fixed addresses stand before those with a facility's code."""

from fastapi import APIRouter

from mumian.foundation.infrastructure.endpoints import analysis, facilities, files, public

router = APIRouter()
for part in (public, files, analysis, facilities):
    router.include_router(part.router)
