"""The kind CatalogueSource."""

from collections.abc import Iterable

from mumian.elements.collection.harvest.models import CatalogueSourceSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault


def check_source(document: Document, spec: CatalogueSourceSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner exists."""
    if spec.owner is not None and not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)


CATALOGUE_SOURCE = Kind(
    "CatalogueSource", CatalogueSourceSpec, "A catalogue of a district or another portal that is harvested.", check_source
)
