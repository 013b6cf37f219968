"""The endpoints of the catalogue: datasets, words, duties, sources, following, and the faces of DCAT."""

from fastapi import APIRouter

from mumian.elements.catalog.dcat.endpoints import router as dcat
from mumian.elements.catalog.duties.endpoints import router as duties
from mumian.elements.catalog.endpoints.datasets import router as datasets
from mumian.elements.catalog.following.endpoints import router as following
from mumian.elements.catalog.sources.endpoints import router as sources
from mumian.elements.catalog.vocabulary.endpoints import router as vocabulary

own = APIRouter(prefix="/api/v1/elements/catalog", tags=["catalog"])
for each in (vocabulary, duties, sources, following, datasets):
    own.include_router(each)
router = APIRouter()
router.include_router(own)
router.include_router(dcat)
