"""Endpoints of grids: grids and their history, where points lie, H3, buildings, components and visits."""

from fastapi import APIRouter

from mumian.foundation.grids.endpoints import grids, neutral, registers, visits

router = APIRouter()
for _part in (neutral, registers, visits, grids):
    router.include_router(_part.router)
