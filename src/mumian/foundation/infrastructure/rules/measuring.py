"""Measuring: what a measure comes to in each area and in the whole city, from the facilities that stand there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mumian.foundation.infrastructure.contracts import Facility, Measurement
from mumian.foundation.infrastructure.models import MeasureSpec

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Area:
    """An area: its code, size in km², and the share of it within the service radius (None: not asked for)."""

    code: str
    size: float
    covered: float | None = None


def counts(facility: Facility, spec: MeasureSpec) -> bool:
    """Whether a facility counts for a measure."""
    if facility.kind not in spec.kinds or facility.state not in spec.states:
        return False
    for name, wanted in spec.where.items():
        value = facility.properties.get(name)
        if value != wanted and not (isinstance(value, list) and wanted in value):
            return False
    return True


def measured(
    name: str, spec: MeasureSpec, areas: Sequence[Area], city: str, facilities: Sequence[Facility], figures: Figures, as_of: str
) -> list[Measurement]:
    """The measure of every area, then that of the city.

    `facilities` are those that count; `figures` the AreaFigure that the measure divides by or weighs with, by code of area and
    of the city. The city's denominator is its own figure where there is one, else the sum of the areas' (None where one lacks).
    """
    if spec.value == "reported":
        return [_made(name, code, value, value, None, spec.as_of or as_of) for code, value in sorted(spec.reported.items())]
    if spec.value in ("covered_area", "covered_people"):
        return _covered(name, spec, areas, city, figures, as_of)
    if spec.value == "mean":
        return _means(name, spec, areas, city, facilities, as_of)
    sums = dict.fromkeys([area.code for area in areas], 0.0)
    total = 0.0
    for facility in facilities:
        amount = 1.0 if spec.value == "count" else float(facility.properties.get(spec.field or "") or 0)
        total += amount
        if facility.district in sums:
            sums[facility.district] += amount
    below = {area.code: _denominator(spec, area, figures) for area in areas}
    found = [_ratio(name, area.code, sums[area.code], below[area.code], spec, as_of) for area in areas]
    return [*found, _ratio(name, city, total, _whole(spec, below, city, figures), spec, as_of)]


def _denominator(spec: MeasureSpec, area: Area, figures: Figures) -> float | None:
    if spec.per is None:
        return 1.0
    return area.size if spec.per == "km2" else figures.get(area.code)


def _whole(spec: MeasureSpec, below: Mapping[str, float | None], city: str, figures: Figures) -> float | None:
    if spec.per is None:
        return 1.0
    if spec.per != "km2" and city in figures:
        return figures[city]
    known = [value for value in below.values() if value is not None]
    return sum(known) if known and len(known) == len(below) else None


def _ratio(name: str, area: str, above: float, below: float | None, spec: MeasureSpec, as_of: str) -> Measurement:
    value = above * spec.scale / below if below else None
    return _made(name, area, value, above, below if spec.per is not None else None, as_of)


def _means(
    name: str, spec: MeasureSpec, areas: Sequence[Area], city: str, facilities: Sequence[Facility], as_of: str
) -> list[Measurement]:
    sums = {code: [0.0, 0.0] for code in (*(area.code for area in areas), city)}
    for facility in facilities:
        value = facility.properties.get(spec.field or "")
        weight = 1.0 if spec.weight is None else facility.properties.get(spec.weight)
        if value is None or weight is None:
            continue
        for code in sums.keys() & {str(facility.district), city}:
            sums[code][0] += float(value) * float(weight)
            sums[code][1] += float(weight)
    return [
        _made(name, code, above * spec.scale / below if below else None, above, below, as_of)
        for code, (above, below) in sums.items()
    ]


def _covered(name: str, spec: MeasureSpec, areas: Sequence[Area], city: str, figures: Figures, as_of: str) -> list[Measurement]:
    weights = {area.code: area.size if spec.value == "covered_area" else figures.get(area.code) for area in areas}
    found = []
    above = below = 0.0
    for area in areas:
        weight = weights[area.code]
        part = None if weight is None or area.covered is None else weight * area.covered
        value = None if part is None or not weight else part * spec.scale / weight
        found.append(_made(name, area.code, value, part or 0.0, weight, as_of))
        above, below = above + (part or 0.0), below + (weight or 0.0)
    complete = bool(areas) and all(weight is not None for weight in weights.values()) and below > 0
    return [
        *found,
        _made(name, city, above * spec.scale / below if complete else None, above, below if complete else None, as_of),
    ]


def _made(name: str, area: str, value: float | None, above: float, below: float | None, as_of: str) -> Measurement:
    return Measurement(measure=name, area=area, value=value, numerator=above, denominator=below, as_of=as_of)


def target_for(year: int, targets: Mapping[int, float]) -> tuple[int, float] | None:
    """The next target: that of the year or the first later one, else the last of all."""
    later = sorted(each for each in targets if each >= year)
    chosen = later[0] if later else max(targets, default=None)
    return None if chosen is None else (chosen, targets[chosen])
