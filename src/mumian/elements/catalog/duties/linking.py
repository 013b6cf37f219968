"""Linking: what the records know of datasets, laid against the declared duties."""

from mumian.elements.catalog.duties.models import DutySpec
from mumian.elements.catalog.duties.rules import Gap, Held, gaps
from mumian.elements.catalog.models import DatasetSpec
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session


def held(platform: Platform, session: Session) -> list[Held]:
    """Every declared dataset, with whether data ever came: rows of its own, or observations of its streams."""
    reached = {row["dataset"] for row in session.rows("SELECT dataset FROM catalog_table WHERE loaded_at IS NOT NULL")}
    declared = platform.declarations.all("Dataset")
    observed = {d.spec.observed_property for d in declared if d.spec.observed_property is not None}
    live = _observed(platform, observed) if observed else set()
    return [_held(d.name, d.spec, d.name in reached or d.spec.observed_property in live) for d in declared]


def _held(name: str, spec: DatasetSpec, reached: bool) -> Held:
    elements = frozenset(field.element for field in spec.fields if field.element is not None)
    return Held(name, spec.owner, spec.duty, elements, spec.frequency_seconds, reached)


def _observed(platform: Platform, properties: set[str]) -> set[str]:
    sensing = platform.get(Sensing)
    streams = sensing.streams(properties)
    counts = sensing.counts([info.id for info in streams]) if streams else {}
    return {info.observed_property for info in streams if counts.get(info.id)}


def found(platform: Platform, session: Session) -> list[Gap]:
    """All gaps of now."""
    duties: dict[str, DutySpec] = {d.name: d.spec for d in platform.declarations.all("DutyItem")}
    return gaps(duties, held(platform, session))
