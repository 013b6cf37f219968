"""The kind ReleaseRule 开放风险规则: how a dataset is checked before it is opened."""

from collections.abc import Iterable

from mumian.elements.opening.models import ReleaseRuleSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

__all__ = ["KINDS", "ReleaseRuleSpec"]


def _check(document: Document, spec: ReleaseRuleSpec, catalogue: Catalogue) -> Iterable[Fault]:
    dataset = catalogue.get("Dataset", spec.dataset)
    if dataset is None:
        yield document.fault("spec.dataset", "field.reference", kind="Dataset", name=spec.dataset)
        return
    fields = {field.name for field in dataset.spec.fields}
    for part in ("quasi", "sensitive"):
        for index, name in enumerate(getattr(spec, part) or ()):
            if name not in fields:
                yield document.fault(f"spec.{part}[{index}]", "opening.no_such_field", dataset=spec.dataset, name=name)


KINDS = [Kind("ReleaseRule", ReleaseRuleSpec, "How a dataset is checked for re-identification before it is opened.", _check)]
