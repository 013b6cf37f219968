"""The kinds DataElement 数据元, CodeList 代码集 and Term 术语, and what fields must agree with."""

from collections.abc import Iterable

from mumian.elements.catalog.models import FieldSpec
from mumian.elements.catalog.vocabulary.models import CodeListSpec, ElementSpec, TermSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault


def check_field(document: Document, place: str, field: FieldSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """A field's element and code list exist, and its type, unit and code list are those of its element."""
    if field.code_list is not None and not catalogue.has("CodeList", field.code_list):
        yield document.fault(f"{place}.code_list", "field.reference", kind="CodeList", name=field.code_list)
    if field.element is None:
        return
    element = catalogue.get("DataElement", field.element)
    if element is None:
        yield document.fault(f"{place}.element", "field.reference", kind="DataElement", name=field.element)
        return
    spec: ElementSpec = element.spec
    for name in ("type", "unit", "code_list"):
        own, other = getattr(field, name), getattr(spec, name)
        if own is not None and other is not None and own != other:
            yield document.fault(f"{place}.{name}", "catalog.unlike_element", element=field.element, expected=other)


def _owner(document: Document, owner: str | None, catalogue: Catalogue) -> Iterable[Fault]:
    if owner is not None and not catalogue.has("Organisation", owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=owner)


def check_element(document: Document, spec: ElementSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Owner and code list exist; the authoritative source is a field that says to be this element."""
    yield from _owner(document, spec.owner, catalogue)
    if spec.code_list is not None and not catalogue.has("CodeList", spec.code_list):
        yield document.fault("spec.code_list", "field.reference", kind="CodeList", name=spec.code_list)
    if spec.source is None:
        return
    dataset = catalogue.get("Dataset", spec.source.dataset)
    if dataset is None:
        yield document.fault("spec.source.dataset", "field.reference", kind="Dataset", name=spec.source.dataset)
    elif not any(f.name == spec.source.field and f.element == document.name for f in dataset.spec.fields):
        yield document.fault("spec.source.field", "catalog.no_such_source", dataset=spec.source.dataset, element=document.name)


def check_codes(document: Document, spec: CodeListSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner exists."""
    yield from _owner(document, spec.owner, catalogue)


def check_term(document: Document, spec: TermSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Related terms and elements exist."""
    for kind, names, place in (("Term", spec.related, "related"), ("DataElement", spec.elements, "elements")):
        for i, name in enumerate(names):
            if not catalogue.has(kind, name):
                yield document.fault(f"spec.{place}[{i}]", "field.reference", kind=kind, name=name)


ELEMENT = Kind("DataElement", ElementSpec, "A data element: what a value means, and which source is the one.", check_element)
CODE_LIST = Kind("CodeList", CodeListSpec, "A list of codes with titles and validity.", check_codes)
TERM = Kind("Term", TermSpec, "A term of the glossary.", check_term)
