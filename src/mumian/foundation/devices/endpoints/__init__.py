"""Endpoints of the device ledger, gathered; fixed addresses stand before those with a device's code."""

from fastapi import APIRouter

from mumian.foundation.devices.endpoints import analysis, commands, files, ledger, own, provisioning

router = APIRouter()
for part in (own, analysis, files, provisioning, commands, ledger):
    router.include_router(part.router)
