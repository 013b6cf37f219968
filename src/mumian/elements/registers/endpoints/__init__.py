"""Registers over HTTP."""

from fastapi import APIRouter

from mumian.elements.registers.endpoints import entities, registers, review

router = APIRouter()
for each in (registers, entities, review):
    router.include_router(each.router)
