"""Endpoints of video: the ledger of cameras, pictures with a purpose, and what the tasks found."""

from fastapi import APIRouter

from mumian.foundation.video.endpoints import cameras, detections, pictures

router = APIRouter()
for part in (cameras, pictures, detections):
    router.include_router(part.router)
