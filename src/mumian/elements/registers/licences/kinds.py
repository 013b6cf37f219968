"""The kind LicenceType 证照类型."""

from collections.abc import Iterable

from mumian.elements.registers.licences.models import LicenceTypeSpec
from mumian.elements.registers.rules.preparing import valid
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault


def _check(document: Document, spec: LicenceTypeSpec, catalogue: Catalogue) -> Iterable[Fault]:
    if not catalogue.has("Organisation", spec.issuer):
        yield document.fault("spec.issuer", "field.reference", kind="Organisation", name=spec.issuer)
    if not valid(spec.issuer_code, "credit_code"):
        yield document.fault("spec.issuer_code", "registers.credit_code")
    fields = {field.name: field for field in spec.fields}
    for index, name in enumerate(spec.shown):
        if name not in fields:
            yield document.fault(f"spec.shown[{index}]", "registers.no_such_field", dataset=document.name, name=name)
        elif fields[name].personal:
            yield document.fault(f"spec.shown[{index}]", "registers.personal_shown", name=name)


LICENCE_TYPE = Kind("LicenceType", LicenceTypeSpec, "A type of licence: who issues it, to whom, and what it says.", _check)
