"""The kind CreditKind 信用信息类别."""

from collections.abc import Iterable

from mumian.elements.registers.credit.models import CreditKindSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault


def _check(document: Document, spec: CreditKindSpec, catalogue: Catalogue) -> Iterable[Fault]:
    for index, name in enumerate(spec.recorders):
        if not catalogue.has("Organisation", name):
            yield document.fault(f"spec.recorders[{index}]", "field.reference", kind="Organisation", name=name)


CREDIT_KIND = Kind("CreditKind", CreditKindSpec, "A kind of credit fact: who records it, and how long it is shown.", _check)
