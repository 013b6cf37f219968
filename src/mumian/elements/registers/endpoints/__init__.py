"""Registers over HTTP."""

from fastapi import APIRouter

from mumian.elements.registers.credit.endpoints import router as credit
from mumian.elements.registers.endpoints.entities import router as entities
from mumian.elements.registers.endpoints.registers import router as registers
from mumian.elements.registers.endpoints.review import router as review
from mumian.elements.registers.licences.endpoints import router as licences

router = APIRouter()
for each in (licences, credit, registers, entities, review):
    router.include_router(each)
