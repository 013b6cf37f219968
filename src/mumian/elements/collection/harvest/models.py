"""Models of catalogues to be harvested."""

from typing import Literal

from pydantic import Field

from mumian.elements.collection.models import SECRET
from mumian.kernel.declarations.kinds import Spec


class CatalogueSourceSpec(Spec):
    """A catalogue elsewhere: another Mumian, a CKAN, or anything that speaks DCAT."""

    face: Literal["dcat", "ckan"] = Field(description="dcat: linked data (Turtle, JSON-LD, RDF/XML); ckan: the Action API v3.")
    url: str = Field(
        max_length=2000,
        pattern=r"^https?://\S+$",
        description="For dcat the catalogue's document, for ckan the root of the portal.",
    )
    every_seconds: int | None = Field(None, ge=60, description="How often it is harvested; empty: when somebody asks for it.")
    owner: str | None = Field(None, max_length=80, description="The organisation that answers for its datasets here, by name.")
    query: str | None = Field(None, max_length=400, description="For ckan: which datasets, as fq of package_search.")
    theme: str | None = Field(None, max_length=80, description="The theme of datasets that name none.")
    secret: str | None = Field(None, pattern=SECRET, description="The secret with the key or token of the portal, by name.")
    page: int = Field(100, ge=1, le=1000, description="How many datasets are asked for at a time.")
    most_gone: float = Field(
        0.5, ge=0, le=1, description="If a larger share of its datasets is missing all at once, none is taken out: look first."
    )
