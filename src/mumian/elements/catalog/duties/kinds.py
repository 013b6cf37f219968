"""The kind DutyItem 职能数据."""

from collections.abc import Iterable

from mumian.elements.catalog.duties.models import DutySpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault


def check_duty(document: Document, spec: DutySpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The organisation and the elements exist, data are told apart, and datasets that are named say that they serve this duty."""
    if not catalogue.has("Organisation", spec.organisation):
        yield document.fault("spec.organisation", "field.reference", kind="Organisation", name=spec.organisation)
    names = [data.name for data in spec.data]
    for i, data in enumerate(spec.data):
        if names.index(data.name) < i:
            yield document.fault(f"spec.data[{i}].name", "catalog.given_twice", name=data.name)
        for j, name in enumerate(data.elements):
            if not catalogue.has("DataElement", name):
                yield document.fault(f"spec.data[{i}].elements[{j}]", "field.reference", kind="DataElement", name=name)
        for j, name in enumerate(data.datasets):
            dataset = catalogue.get("Dataset", name)
            if dataset is not None and dataset.spec.duty != document.name:
                yield document.fault(f"spec.data[{i}].datasets[{j}]", "catalog.other_duty", name=name, duty=document.name)


DUTY = Kind("DutyItem", DutySpec, "A duty of an organisation, its legal basis, and the data that it must produce.", check_duty)
