"""Kinds of registers: Register 基础库, LicenceType 证照类型 and CreditKind 信用信息类别."""

from collections.abc import Iterable

from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.registers.credit.kinds import CREDIT_KIND
from mumian.elements.registers.licences.kinds import LICENCE_TYPE
from mumian.elements.registers.models import KEPT_NAMES, RegisterSpec, SourceSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

_TYPES = {"entity": "integer", "version": "integer", "current": "boolean", "valid_from": "time", "valid_to": "time"}
_TYPES["records"] = "integer"
_RESERVED = ("licences", "credit")


def check_register(document: Document, spec: RegisterSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner, the sources with their fields, and a golden dataset that has a place for everything exist."""
    if document.name in _RESERVED:
        yield document.fault("name", "registers.reserved", name=document.name)
    if not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)
    for index, source in enumerate(spec.sources):
        yield from _source(document, f"spec.sources[{index}]", source, catalogue)
    golden = catalogue.get("Dataset", spec.golden)
    if golden is None:
        yield document.fault("spec.golden", "field.reference", kind="Dataset", name=spec.golden)
        return
    if spec.golden in {source.dataset for source in spec.sources}:
        yield document.fault("spec.golden", "registers.golden_source", name=spec.golden)
    yield from _golden(document, spec, golden.spec)


def _source(document: Document, path: str, source: SourceSpec, catalogue: Catalogue) -> Iterable[Fault]:
    dataset = catalogue.get("Dataset", source.dataset)
    if dataset is None:
        yield document.fault(f"{path}.dataset", "field.reference", kind="Dataset", name=source.dataset)
        return
    known = {field.name for field in dataset.spec.fields}
    mapped = [(f"fields.{attribute}", each) for attribute, fields in source.fields.items() for each in _listed(fields)]
    times = [(name, value) for name, value in (("updated", source.updated), ("valid_to", source.valid_to)) if value]
    for name, field in mapped + times:
        if field not in known:
            yield document.fault(f"{path}.{name}", "registers.no_such_field", dataset=source.dataset, name=field)


def _golden(document: Document, spec: RegisterSpec, golden: DatasetSpec) -> Iterable[Fault]:
    types = {field.name: field.type for field in golden.fields}
    for name in sorted(KEPT_NAMES):
        if types.get(name) != _TYPES[name]:
            yield document.fault("spec.golden", "registers.golden_field", dataset=spec.golden, name=name, type=_TYPES[name])
    if golden.key != ["entity", "version"]:
        yield document.fault("spec.golden", "registers.golden_key", dataset=spec.golden)
    for index, attribute in enumerate(spec.attributes):
        if attribute.name not in types:
            place = f"spec.attributes[{index}].name"
            yield document.fault(place, "registers.no_such_field", dataset=spec.golden, name=attribute.name)


def _listed(fields: str | list[str]) -> list[str]:
    return [fields] if isinstance(fields, str) else fields


KINDS = [
    Kind("Register", RegisterSpec, "A register: golden records matched out of those of many departments.", check_register),
    LICENCE_TYPE,
    CREDIT_KIND,
]
