"""The kind Form."""

from collections.abc import Iterable

from mumian.elements.catalog.kinds import FieldSpec
from mumian.elements.collection.forms.models import FormSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault


def check_form(document: Document, spec: FormSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The dataset has the fields, its key is the subject, and datasets to take known values from exist."""
    dataset = catalogue.get("Dataset", spec.dataset)
    if dataset is None:
        yield document.fault("spec.dataset", "field.reference", kind="Dataset", name=spec.dataset)
        return
    names = [field.name for field in dataset.spec.fields]
    if list(dataset.spec.key) != [spec.subject]:
        yield document.fault("spec.subject", "collection.form.key", name=spec.dataset, found=", ".join(dataset.spec.key) or "–")
    yield from _fields(document, spec, names)
    given = {each.field for each in spec.fields}
    for field in dataset.spec.fields:
        if field.required and field.name not in given and field.name != spec.subject:
            yield document.fault("spec.fields", "collection.form.missing", field=field.name)
    yield from _subject(document, spec, dataset.spec.fields, catalogue)


def _fields(document: Document, spec: FormSpec, names: list[str]) -> Iterable[Fault]:
    given = [each.field for each in spec.fields]
    for i, name in enumerate(given):
        if name not in names:
            yield document.fault(
                f"spec.fields[{i}].field", "collection.no_such_field", column=name, field=name, name=spec.dataset
            )
        elif name == spec.subject or name in given[:i]:
            yield document.fault(f"spec.fields[{i}].field", "field.duplicate", name=name)


def _subject(document: Document, spec: FormSpec, fields: list[FieldSpec], catalogue: Catalogue) -> Iterable[Fault]:
    subject = next((f for f in fields if f.name == spec.subject), None)
    if subject is not None and subject.type != "text":
        yield document.fault("spec.subject", "collection.form.text", field=spec.subject)
    if spec.prefill is not None and subject is not None and subject.element is None:
        yield document.fault("spec.prefill", "collection.form.element", field=spec.subject)
    for i, name in enumerate(spec.prefill.datasets if spec.prefill else ()):
        if not catalogue.has("Dataset", name):
            yield document.fault(f"spec.prefill.datasets[{i}]", "field.reference", kind="Dataset", name=name)


FORM = Kind("Form", FormSpec, "A form that asks only what is not known yet.", check_form)
