"""Kinds of the spatial base: the city itself, and layers of features."""

from collections.abc import Iterable

from mumian.foundation.spatial import service
from mumian.foundation.spatial.features.declaring import declare, declared_properties
from mumian.foundation.spatial.models import CitySpec, LayerSpec
from mumian.foundation.spatial.rules.schema import infer
from mumian.foundation.spatial.store import sources
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Change, Kind
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.unit_of_work import Transaction

__all__ = ["KINDS", "CitySpec", "LayerSpec"]


def check_layer(document: Document, spec: LayerSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Read the layer's file, where there is a folder to find it in, and name everything wrong with it."""
    if spec.owner is not None and not catalogue.has("Organisation", spec.owner):
        yield document.fault("spec.owner", "field.reference", kind="Organisation", name=spec.owner)
    names = [p.name for p in spec.properties]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield document.fault("spec.properties", "field.duplicate", name=name)
    if document.folder is None or spec.source is None:
        return
    try:
        service.read_file(document.folder, spec)
    except Invalid as error:
        for fault in error.faults:
            yield document.fault(fault.field, fault.key, **fault.values)


def apply_layer(tx: Transaction, change: Change) -> None:
    """Keep the content of the layer's file with the records, so that the city does not depend on the file any more."""
    if change.new is None:
        return
    spec: LayerSpec = change.new.spec
    if spec.source is not None:
        _keep_source(tx, change, spec, spec.source)
    elif spec.view is None:
        declare(tx, change.name, None, declared_properties(spec))


def _keep_source(tx: Transaction, change: Change, spec: LayerSpec, source: str) -> None:
    if change.folder is not None:
        text, digest = service.read_file(change.folder, spec)
        sources.keep(tx, change.name, source, digest, text)
    else:
        kept = sources.text_of(tx.session, change.name, source, spec.sha256)
        if kept is None:
            raise Invalid.field("spec.source", "spatial.no_folder", file=source)
        text = kept
    schema = infer((f["properties"] for f in service.to_layer(text, spec)["features"]), declared_properties(spec))
    declare(tx, change.name, service.layer_digest(text, spec), schema)


def check_city(document: Document, spec: CitySpec, catalogue: Catalogue) -> Iterable[Fault]:
    """There is one city, and its district layer exists."""
    if not catalogue.has("Layer", spec.district_layer):
        yield document.fault("spec.district_layer", "field.reference", kind="Layer", name=spec.district_layer)
    others = [d.name for d in catalogue.all("City") if d.name != document.name]
    if others:
        yield document.fault("name", "spatial.one_city", name=others[0])


KINDS = [
    Kind("Layer", LayerSpec, "Features with boundaries, such as the districts.", check=check_layer, on_apply=apply_layer),
    Kind("City", CitySpec, "The city that the platform runs: its place, its time zone, its districts.", check=check_city),
]
