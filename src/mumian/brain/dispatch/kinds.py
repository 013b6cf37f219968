"""The kind DispatchRule 分拨规则: which organisation handles which incidents where, and by when."""

from collections.abc import Iterable

from pydantic import Field, model_validator

from mumian.brain.incidents.kinds import Deadlines
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind, Spec
from mumian.kernel.errors import Fault


class SeverityDeadlines(Spec):
    """Deadlines by severity; one that is left out falls back to the incident type's own."""

    minor: Deadlines | None = None
    moderate: Deadlines | None = None
    severe: Deadlines | None = None
    extreme: Deadlines | None = None


class DispatchRuleSpec(Spec):
    """A dispatch rule. Empty `incident_types` means every type.

    It covers the `districts` listed (GB/T 2260 codes; "*" is any district) or, with `city_level`, incidents that are about the
    city as a whole or lie in no district. `{district}` in `organisation` stands for the incident's district code. Of the
    rules that cover an incident the most specific wins: one that names its type before one for all, one that names its
    district before "*", then the higher `priority`, then the name.
    """

    incident_types: list[str] = Field(default_factory=list)
    districts: list[str] = Field(default_factory=list)
    city_level: bool = False
    organisation: str
    priority: int = 0
    deadlines_minutes: SeverityDeadlines = Field(default=SeverityDeadlines())

    @model_validator(mode="after")
    def _somewhere(self) -> "DispatchRuleSpec":
        if not self.districts and not self.city_level:
            raise ValueError("say where the rule holds: list `districts`, or set `city_level: true`")
        if "{" in self.organisation.replace("{district}", ""):
            raise ValueError("`organisation` may only hold the placeholder {district}")
        if self.city_level and "{district}" in self.organisation:
            raise ValueError("a rule with `city_level` has no district to put into `organisation`")
        return self


def check_rule(document: Document, spec: DispatchRuleSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults that only show beside other declarations: unknown incident types and organisations."""
    for index, name in enumerate(spec.incident_types):
        if not catalogue.has("IncidentType", name):
            yield document.fault(f"spec.incident_types[{index}]", "field.reference", kind="IncidentType", name=name)
    named = [code for code in spec.districts if code != "*"] if "{district}" in spec.organisation else [""]
    for code in named:
        name = spec.organisation.replace("{district}", code)
        if not catalogue.has("Organisation", name):
            yield document.fault("spec.organisation", "field.reference", kind="Organisation", name=name)


KINDS = [Kind("DispatchRule", DispatchRuleSpec, "A dispatch rule: who handles which incidents where, by when.", check_rule)]
