"""The kind Dataset 数据集: what is not a stream by itself, described by hand."""

from collections.abc import Iterable

from mumian.elements.catalog.models import DatasetSpec, FieldSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

__all__ = ["KINDS", "DatasetSpec", "FieldSpec"]


def check_dataset(document: Document, spec: DatasetSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner exists, and no stream has the name already."""
    if not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)
    if catalogue.has("Stream", document.name):
        yield document.fault("name", "catalog.stream_name", name=document.name)


KINDS = [Kind("Dataset", DatasetSpec, "A dataset in the catalogue, described by hand or made of streams.", check_dataset)]
