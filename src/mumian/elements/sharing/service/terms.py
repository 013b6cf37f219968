"""Terms: what declarations say about sharing a dataset, and when the deadlines are that they give."""

from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.protection.api import Labels
from mumian.elements.sharing.contracts import Quota
from mumian.elements.sharing.models import SharingRuleSpec
from mumian.elements.sharing.rules import asking, workdays
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

DAYS = {"answer_days": 10, "bureau_days": 5, "supply_days": 10, "objection_days": 10, "demand_days": 15}
LONGEST = 365


@dataclass(frozen=True)
class Rule:
    """The rules that fit a dataset (or an owner) put together."""

    days: dict[str, int]
    bureau: str | None
    review: str
    longest_days: int
    quota: Quota
    purposes: dict[str, list[str]]
    tokens: tuple[str, ...]
    refusal_basis: str | None


class Terms:
    """Reads declarations, which stand in memory."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def dataset(self, name: str) -> DatasetSpec:
        """A declared dataset; raises NotFound."""
        spec: DatasetSpec = self._platform.declarations.get("Dataset", name).spec
        return spec

    def rule(self, dataset: str | None, owner: str | None) -> Rule:
        """What counts for a dataset of an owner: what the nearest rule says, and where none says anything the usual."""
        fitting = sorted(
            (d.spec for d in self._platform.declarations.all("SharingRule") if _fits(d.spec, dataset, owner)), key=_nearness
        )

        def said(name: str, usual: Any) -> Any:
            return next((value for spec in fitting if (value := getattr(spec, name)) not in (None, [], {})), usual)

        quota = said("quota", None)
        return Rule(
            days={name: said(name, usual) for name, usual in DAYS.items()},
            bureau=said("bureau", None),
            review=said("review", "labelled"),
            longest_days=said("longest_days", LONGEST),
            quota=Quota() if quota is None else Quota(**quota.model_dump()),
            purposes=said("purposes", {}),
            tokens=tuple(said("tokens", [])),
            refusal_basis=said("refusal_basis", None),
        )

    def offered(self, session: Session, dataset: str, channel: str) -> asking.Offered:
        """A dataset as it is offered to other organisations, or (`opening`) to the public."""
        spec, rule = self.dataset(dataset), self.rule(dataset, self.dataset(dataset).owner)
        labels = self._platform.get(Labels).in_force(session, dataset)
        labelled = {name for name, label in labels.items() if label.personal != "none" or label.grade != "general"}
        return asking.Offered(
            dataset,
            spec.share if channel == "sharing" else spec.opened,
            tuple(field.name for field in spec.fields),
            frozenset(field.name for field in spec.fields if field.name in labelled),
            frozenset(field.name for field in spec.fields if field.name in labels and labels[field.name].grade == "core"),
            rule.purposes,
            rule.tokens,
        )

    @property
    def zone(self) -> tzinfo:
        """The city's time zone."""
        cities = self._platform.declarations.all("City")
        return ZoneInfo(cities[0].spec.timezone if cities else "UTC")

    @property
    def calendar(self) -> workdays.Calendar:
        """The working days that are declared."""
        specs = [declared.spec for declared in self._platform.declarations.all("WorkCalendar")]
        return workdays.Calendar(
            frozenset(day for spec in specs for day in spec.weekend) if specs else (6, 7),
            frozenset(day for spec in specs for day in spec.holidays),
            frozenset(day for spec in specs for day in spec.workdays),
        )

    def today(self) -> date:
        """The day that it is in the city."""
        return self._platform.clock.now().astimezone(self.zone).date()

    def due(self, days: int) -> str:
        """The end of the working day that is `days` working days from now."""
        return iso(workdays.deadline(self.calendar, self._platform.clock.now(), days, self.zone))


def _fits(spec: SharingRuleSpec, dataset: str | None, owner: str | None) -> bool:
    return (not spec.datasets or dataset in spec.datasets) and spec.owner in (None, owner)


def _nearness(spec: SharingRuleSpec) -> tuple[bool, bool]:
    return (not spec.datasets, spec.owner is None)
