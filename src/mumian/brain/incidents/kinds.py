"""The kind IncidentType 事件类型: what opens incidents of a type, how severe they are and how long handling may take."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind, Spec
from mumian.kernel.errors import Fault

Severity = Literal["minor", "moderate", "severe", "extreme"]


class Deadlines(Spec):
    """Minutes from dispatch until an incident must be accepted, resolved and verified."""

    accept: int = Field(ge=1, le=527040)
    resolve: int = Field(ge=1, le=527040)
    verify: int = Field(ge=1, le=527040)


class SeverityMap(Spec):
    """The severity (words of CAP 1.2) that each warning level gives."""

    blue: Severity = "minor"
    yellow: Severity = "moderate"
    orange: Severity = "severe"
    red: Severity = "extreme"


class IncidentTypeSpec(Spec):
    """A type of incident; `category` is its code in the city's own scheme (such as GB/T 30428.2)."""

    category: str = Field(min_length=1, max_length=40)
    opened_by: list[str] = Field(default_factory=list)
    severity: SeverityMap = SeverityMap()
    deadlines_minutes: Deadlines = Deadlines(accept=60, resolve=1440, verify=2880)


def check_type(document: Document, spec: IncidentTypeSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults that only show beside other declarations: unknown warnings, a warning that would open two types."""
    for index, name in enumerate(spec.opened_by):
        field = f"spec.opened_by[{index}]"
        if not catalogue.has("Warning", name):
            yield document.fault(field, "field.reference", kind="Warning", name=name)
        for other in catalogue.all("IncidentType"):
            if other.name != document.name and name in other.spec.opened_by:
                yield document.fault(field, "incidents.opened_twice", name=name, other=other.name)


KINDS = [Kind("IncidentType", IncidentTypeSpec, "A type of incident: what opens it, how severe, how urgent.", check_type)]
