"""The kind MaskRule 脱敏规则: how personal fields are shown to those who may not see them as they are."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from mumian.elements.protection.contracts import Method
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind, Spec
from mumian.kernel.errors import Fault

BUILT_IN_ROLES = ("administrator", "operator", "officer", "device")


class MaskRuleSpec(Spec):
    """A mask for the labelled fields that it names; of several rules the one that says more of field and reader wins."""

    category: str | None = Field(None, max_length=40, description="For fields that hold this: phone, id_card, name, …")
    personal: Literal["personal", "sensitive"] | None = Field(None, description="For fields with this label.")
    roles: list[Annotated[str, Field(max_length=80)]] = Field(
        default_factory=list, max_length=50, description="For readers who have one of these roles; empty: for all."
    )
    method: Method = Field(description="How the value is shown: keep, hash, year, null, constant, division or round.")
    first: int = Field(0, ge=0, le=24, description="How many characters, digits or decimals stay at the beginning.")
    last: int = Field(0, ge=0, le=24, description="How many characters stay at the end.")
    value: str = Field("", max_length=100, description="What is shown instead (constant).")


def _check(document: Document, spec: MaskRuleSpec, catalogue: Catalogue) -> Iterable[Fault]:
    for index, role in enumerate(spec.roles):
        if role not in BUILT_IN_ROLES and not catalogue.has("Role", role):
            yield document.fault(f"spec.roles[{index}]", "field.reference", kind="Role", name=role)


KINDS = [Kind("MaskRule", MaskRuleSpec, "How personal fields are shown to those who may not see them as they are.", _check)]
