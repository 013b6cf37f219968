"""Kinds of the infrastructure ledger: FacilityKind 设施类型, FacilityMeasure 设施指标 and AreaFigure 区域统计数."""

from collections.abc import Iterable

from mumian.foundation.infrastructure.models import AreaFigureSpec, FacilityKindSpec, MeasureSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

__all__ = ["KINDS", "AreaFigureSpec", "FacilityKindSpec", "MeasureSpec"]


def check_measure(document: Document, spec: MeasureSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The kinds, their fields, the figures and the layer exist."""
    for place, name in enumerate(spec.kinds):
        kind = catalogue.get("FacilityKind", name)
        if kind is None:
            yield document.fault(f"spec.kinds[{place}]", "field.reference", kind="FacilityKind", name=name)
        else:
            yield from _fits(document, spec, name, kind.spec)
    for at, figure in (("per", spec.per if spec.per != "km2" else None), ("people", spec.people)):
        if figure is not None and not catalogue.has("AreaFigure", figure):
            yield document.fault(f"spec.{at}", "field.reference", kind="AreaFigure", name=figure)
    if spec.layer is not None and not catalogue.has("Layer", spec.layer):
        yield document.fault("spec.layer", "field.reference", kind="Layer", name=spec.layer)


def _fits(document: Document, spec: MeasureSpec, name: str, kind: FacilityKindSpec) -> Iterable[Fault]:
    for at, wanted in (("field", spec.field), ("weight", spec.weight)):
        known = kind.fields.get(wanted) if wanted else None
        if wanted and (known is None or known.type not in ("number", "integer") or known.several):
            yield document.fault(f"spec.{at}", "infrastructure.numeric_field", field=wanted, kind=name)
    for wanted in spec.where:
        if wanted not in kind.fields:
            yield document.fault(f"spec.where.{wanted}", "field.unknown", expected=", ".join(kind.fields) or "–")
    if spec.value.startswith("covered") and spec.radius is None and kind.service_radius is None:
        yield document.fault("spec.radius", "infrastructure.no_radius", kind=name)


KINDS = [
    Kind("FacilityKind", FacilityKindSpec, "A kind of facility: its fields, service radius, live state and reasons for renewal."),
    Kind("FacilityMeasure", MeasureSpec, "How well facilities serve each area.", check=check_measure),
    Kind("AreaFigure", AreaFigureSpec, "Figures of areas that others counted, such as residents."),
]
