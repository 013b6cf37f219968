"""Kinds of the catalogue: datasets, duty items, data elements, code lists and terms."""

from collections.abc import Iterable

from mumian.elements.catalog.duties.kinds import DUTY
from mumian.elements.catalog.duties.models import DutyData, DutySpec
from mumian.elements.catalog.models import DatasetSpec, FieldSpec
from mumian.elements.catalog.vocabulary.kinds import CODE_LIST, ELEMENT, TERM, check_field
from mumian.elements.catalog.vocabulary.models import CodeListSpec, CodeSpec, ElementSpec, TermSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

__all__ = [
    "KINDS",
    "CodeListSpec",
    "CodeSpec",
    "DatasetSpec",
    "DutyData",
    "DutySpec",
    "ElementSpec",
    "FieldSpec",
    "TermSpec",
]


def check_dataset(document: Document, spec: DatasetSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Owner, duty, elements and code lists exist, fields are like their elements, and no stream has the name already."""
    if not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)
    if catalogue.has("Stream", document.name):
        yield document.fault("name", "catalog.stream_name", name=document.name)
    if spec.duty is not None and not catalogue.has("DutyItem", spec.duty):
        yield document.fault("spec.duty", "field.reference", kind="DutyItem", name=spec.duty)
    for i, field in enumerate(spec.fields):
        yield from check_field(document, f"spec.fields[{i}]", field, catalogue)


KINDS = [
    CODE_LIST,
    ELEMENT,
    DUTY,
    Kind("Dataset", DatasetSpec, "A dataset in the catalogue, described by hand or made of streams.", check_dataset),
    TERM,
]
