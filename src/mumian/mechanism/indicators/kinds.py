"""The kind Kpi 指标: a number with a target, measured by the platform or kept by hand."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind, Spec
from mumian.kernel.errors import Fault
from mumian.mechanism.indicators.rules import ends_days

Year = Annotated[int, Field(ge=1900, le=2200)]


class IncidentMeasure(Spec):
    """A figure of incident handling over the incidents closed in the window, or open now."""

    of: Literal[
        "incidents.on_time_rate", "incidents.median_hours_to_close", "incidents.closed", "incidents.open", "incidents.overdue"
    ]
    incident_types: tuple[str, ...] = Field((), description="Only incidents of these types; empty: all.")
    window_days: int = Field(30, ge=1, le=3660, description="Incidents closed in so many days before now.")


class VitalMeasure(Spec):
    """The share of days (0…1) on which a vital was in one of some levels, of the days on which it had a value.

    A day's value is the one at the end of the city's calendar day.
    """

    of: Literal["vital.share_of_days"]
    vital: str = Field(description="The Vital.")
    key: str = Field("city", description="Which of its values: city, or a stream.")
    levels: tuple[str, ...] = Field(min_length=1, description="The names of the levels that count.")
    window_days: int = Field(365, ge=1, le=3660, description="So many days before now.")


class KpiSpec(Spec):
    """An indicator; with `measure` the platform measures it, with `series` its values are kept here by year."""

    theme: str = Field(pattern="^[a-z][a-z-]{1,39}$", description="The part of the plan it belongs to.")
    unit: str = Field(max_length=40, description="The unit; `ratio` is 0…1 and shown as a percentage.")
    direction: Literal["up", "down"] = Field(description="Which way is better.")
    target: float | None = Field(None, description="The target at all times.")
    targets: dict[Year, float] = Field(default_factory=dict, description="The targets by the end of years; instead of `target`.")
    measure: Annotated[IncidentMeasure | VitalMeasure, Field(discriminator="of")] | None = Field(
        None, description="How it is measured."
    )
    series: dict[Year, float] = Field(default_factory=dict, description="Values by the end of years, where nobody measures it.")

    @model_validator(mode="after")
    def _coherent(self) -> "KpiSpec":
        if self.measure is not None and self.series:
            raise ValueError("`measure` and `series` exclude one another; keep one")
        if self.target is not None and self.targets:
            raise ValueError("`target` and `targets` exclude one another; keep one")
        return self


def check_kpi(document: Document, spec: KpiSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Faults that only show beside other declarations: an unknown vital, level or incident type."""
    measure = spec.measure
    if isinstance(measure, VitalMeasure):
        vital = catalogue.get("Vital", measure.vital)
        if vital is None:
            yield document.fault("spec.measure.vital", "field.reference", kind="Vital", name=measure.vital)
            return
        names = [level.name for level in vital.spec.levels]
        for index, level in enumerate(measure.levels):
            if level not in names:
                yield document.fault(f"spec.measure.levels[{index}]", "field.choice", expected=", ".join(names))
        zone = next((city.spec.timezone for city in catalogue.all("City")), "UTC")
        if not ends_days(vital.spec.frequency_seconds, zone):
            values = {"name": measure.vital, "seconds": vital.spec.frequency_seconds, "zone": zone}
            yield document.fault("spec.measure.vital", "indicators.no_day_end", **values)
    elif isinstance(measure, IncidentMeasure):
        for index, name in enumerate(measure.incident_types):
            if not catalogue.has("IncidentType", name):
                yield document.fault(f"spec.measure.incident_types[{index}]", "field.reference", kind="IncidentType", name=name)


KINDS = [Kind("Kpi", KpiSpec, "A key indicator: a number with a target, measured by the platform or kept by hand.", check_kpi)]
