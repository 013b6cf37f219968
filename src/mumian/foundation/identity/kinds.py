"""Kinds of identity: Organisation 机构, Role 角色 and Policy 策略."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field

from mumian.foundation.identity import rules
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind, Spec
from mumian.kernel.errors import Fault


class OrganisationSpec(Spec):
    """A part of the city's administration."""

    parent: str | None = Field(None, description="The organisation above, by name; none for the city itself.")
    level: Literal["city", "district", "department"] = Field(description="What kind of body it is.")
    district: str | None = Field(
        None, pattern=r"^[0-9]{6}$", description="The district it is responsible for, by GB/T 2260 code."
    )
    duties: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=200, description="What it is responsible for 职责, as words that dispatch rules may use."
    )


class RoleSpec(Spec):
    """What those who have a role may do."""

    actions: list[Annotated[str, Field(pattern=rf"^({rules.SCOPE.pattern})$")]] = Field(
        min_length=1, max_length=200, description="Actions (`incident:act`) or groups of them (`incident:*`, `*`)."
    )
    reach: Literal["own", "city"] = Field(
        "own", description="On what: `own` — of the own organisation and those below it; `city` — everything."
    )


class PolicySpec(Spec):
    """Cedar policies of a city's own."""

    cedar: str = Field(
        max_length=100_000,
        description="Cedar text. A Policy named like a built-in one (`public-read`) takes its place; an empty text drops it.",
    )


def _check_organisation(document: Document, spec: Any, catalogue: Catalogue) -> Iterable[Fault]:
    if spec.parent is None:
        return
    if not catalogue.has("Organisation", spec.parent):
        yield document.fault("spec.parent", "field.reference", kind="Organisation", name=spec.parent)
        return
    circle = rules.cycle({d.name: d.spec.parent for d in catalogue.all("Organisation")}, document.name)
    if circle is not None and document.name in circle:
        yield document.fault("spec.parent", "identity.organisation_cycle", circle=" → ".join(circle))


def _check_policy(document: Document, spec: Any, _: Catalogue) -> Iterable[Fault]:
    import cedarpy

    if document.name in rules.FIXED_POLICIES:
        yield document.fault("name", "identity.policy_fixed", name=document.name)
    try:
        parsed = cedarpy.PolicySet.from_str(spec.cedar)
    except ValueError as error:
        yield document.fault("spec.cedar", "identity.cedar", reason=str(error))
        return
    if parsed.templates():
        yield document.fault("spec.cedar", "identity.policy_template")


KINDS: list[Kind] = [
    Kind(
        "Organisation",
        OrganisationSpec,
        "A part of the city's administration: the city, a district, a department.",
        _check_organisation,
    ),
    Kind("Role", RoleSpec, "A role that people may have, and what it lets them do."),
    Kind(
        "Policy", PolicySpec, "Cedar policies that decide who may do what, beside or instead of the built-in ones.", _check_policy
    ),
]
