"""Kinds of sensing: streams, and how their observations are judged and kept."""

from collections.abc import Iterable

from mumian.foundation.sensing import store
from mumian.foundation.sensing.models import StreamSpec
from mumian.foundation.sensing.quality.kinds import QUALITY_PROFILE
from mumian.foundation.sensing.retention.kinds import RETENTION
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Change, Kind
from mumian.kernel.errors import Fault
from mumian.kernel.unit_of_work import Transaction

__all__ = ["KINDS", "StreamSpec"]


def check_stream(document: Document, spec: StreamSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The owner exists."""
    if spec.owner is not None and not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)


def apply_stream(tx: Transaction, change: Change) -> None:
    """Register the stream, or retire it; its id and its observations stay."""
    if change.new is None:
        store.retire(tx, change.name)
        return
    spec: StreamSpec = change.new.spec
    draft = store.StreamDraft(
        name=change.name,
        title=change.new.title,
        description=change.new.title["en"],
        thing=store.declared_thing(tx, spec.thing, spec.longitude, spec.latitude),
        sensor=store.sensor_named(tx, spec.sensor),
        property=store.property_named(tx, spec.observed_property),
        unit=spec.unit,
        owner=spec.owner,
        frequency_seconds=spec.frequency_seconds,
        minimum=spec.minimum,
        maximum=spec.maximum,
        origin="declaration",
    )
    store.register(tx, draft)


KINDS = [
    Kind(
        "Stream", StreamSpec, "What one sensor of one thing observes of one property.", check=check_stream, on_apply=apply_stream
    ),
    QUALITY_PROFILE,
    RETENTION,
]
