"""Rules of duties: the three-level link duty – dataset – data, and its gaps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mumian.elements.catalog.duties.models import DutyData, DutySpec

GapKind = Literal["overstep", "foreign", "no-dataset", "no-data", "no-element", "too-seldom"]


@dataclass(frozen=True)
class Held:
    """What is known of a declared dataset: whether data ever came (`reached`), and how often it is updated."""

    name: str
    owner: str
    duty: str | None
    elements: frozenset[str]
    frequency_seconds: int | None
    reached: bool


@dataclass(frozen=True)
class Gap:
    """A break in the link, of the organisation that is to mend it.

    `overstep` 越位: a dataset without a duty; `foreign` 越位: one under another organisation's duty; `no-dataset` 缺位: data that
    a duty must produce and no dataset holds; `no-data` 缺位: a dataset into which nothing ever came; `no-element` 缺项: a data
    element that the duty asks for and its datasets lack; `too-seldom`: updated less often than the duty asks.
    """

    kind: GapKind
    organisation: str
    duty: str | None
    data: str | None
    dataset: str | None
    detail: str = ""


def gaps(duties: Mapping[str, DutySpec], datasets: Iterable[Held]) -> list[Gap]:
    """All gaps, by organisation, duty, data and dataset."""
    held = list(datasets)
    found = [*_oversteps(duties, held), *_missing(duties, held)]
    found += [Gap("no-data", each.owner, each.duty, None, each.name) for each in held if not each.reached]
    return sorted(found, key=lambda g: (g.organisation, g.duty or "", g.data or "", g.dataset or "", g.kind, g.detail))


def holding(name: str, data: DutyData, held: Iterable[Held]) -> list[Held]:
    """The datasets that hold a duty's data: those that it names, else all that name the duty."""
    return [each for each in held if each.duty == name and (not data.datasets or each.name in data.datasets)]


def _oversteps(duties: Mapping[str, DutySpec], held: Iterable[Held]) -> Iterator[Gap]:
    for each in held:
        duty = None if each.duty is None else duties.get(each.duty)
        if duty is None:
            yield Gap("overstep", each.owner, each.duty, None, each.name)
        elif duty.organisation != each.owner:
            yield Gap("foreign", each.owner, each.duty, None, each.name, duty.organisation)


def _missing(duties: Mapping[str, DutySpec], held: list[Held]) -> Iterator[Gap]:
    by_duty: dict[str, list[Held]] = {}
    for each in held:
        by_duty.setdefault(each.duty or "", []).append(each)
    for name, duty in duties.items():
        for data in duty.data:
            there = holding(name, data, by_duty.get(name, []))
            if not there:
                yield Gap("no-dataset", duty.organisation, name, data.name, None)
                continue
            has = frozenset[str]().union(*(each.elements for each in there))
            for element in sorted(set(data.elements) - has):
                yield Gap("no-element", duty.organisation, name, data.name, None, element)
            paces = [each.frequency_seconds for each in there if each.frequency_seconds is not None]
            if data.frequency_seconds is not None and (not paces or min(paces) > data.frequency_seconds):
                detail = str(min(paces)) if paces else ""
                yield Gap("too-seldom", duty.organisation, name, data.name, there[0].name, detail)
