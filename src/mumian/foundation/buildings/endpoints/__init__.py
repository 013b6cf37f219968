"""Endpoints of buildings: files, premises, networks of pipes, and the buildings themselves."""

from fastapi import APIRouter

from mumian.foundation.buildings.endpoints import files, networks, objects, premises

router = APIRouter()
for _part in (files, premises, networks, objects):
    router.include_router(_part.router)
