"""Kinds of the spatial base: the city itself, and layers of features."""

from collections.abc import Iterable

from mumian.foundation.spatial import service, store
from mumian.foundation.spatial.models import CitySpec, LayerSpec
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Change, Kind
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.unit_of_work import Transaction

__all__ = ["KINDS", "CitySpec", "LayerSpec"]


def check_layer(document: Document, spec: LayerSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """Read the layer's file, where there is a folder to find it in, and name everything wrong with it."""
    if document.folder is None:
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
    if change.folder is not None:
        text, digest = service.read_file(change.folder, spec)
        store.keep(tx, change.name, spec.source, digest, text)
    elif store.text_of(tx.session, change.name, spec.source, spec.sha256) is None:
        raise Invalid.field("spec.source", "spatial.no_folder", file=spec.source)


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
