"""Kinds of collection: connectors, forms, and catalogues to be harvested."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mumian.elements.collection.forms.kinds import FORM
from mumian.elements.collection.forms.models import FormSpec
from mumian.elements.collection.harvest.kinds import CATALOGUE_SOURCE
from mumian.elements.collection.harvest.models import CatalogueSourceSpec
from mumian.elements.collection.models import ConnectorSpec, FilesSource, SqlSource
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Catalogue, Kind
from mumian.kernel.errors import Fault

__all__ = ["KINDS", "CatalogueSourceSpec", "ConnectorSpec", "FormSpec"]


def check_connector(document: Document, spec: ConnectorSpec, catalogue: Catalogue) -> Iterable[Fault]:
    """The dataset has the fields named, and a key where rows replace others; path, query and zone can be used."""
    dataset = catalogue.get("Dataset", spec.dataset)
    if dataset is None:
        yield document.fault("spec.dataset", "field.reference", kind="Dataset", name=spec.dataset)
        return
    names = {field.name for field in dataset.spec.fields}
    if not names:
        yield document.fault("spec.dataset", "collection.dataset_without_fields", name=spec.dataset)
    for column, field in spec.fields.items():
        if field not in names:
            yield document.fault("spec.fields", "collection.no_such_field", column=column, field=field, name=spec.dataset)
    if spec.mode == "upsert" and not dataset.spec.key:
        yield document.fault("spec.mode", "collection.no_key", name=spec.dataset)
    try:
        ZoneInfo(spec.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield document.fault("spec.zone", "field.value", reason=f"{spec.zone} is no time zone such as Asia/Shanghai")
    yield from _source(document, spec)


def _source(document: Document, spec: ConnectorSpec) -> Iterable[Fault]:
    source = spec.source
    if isinstance(source, FilesSource) and source.path is not None:
        parts = source.path.replace("\\", "/").split("/")
        if source.path.startswith("/") or ".." in parts:
            yield document.fault("spec.source.path", "collection.outside", given=source.path)
        if spec.watermark is not None:
            yield document.fault("spec.watermark", "collection.files_know", name=document.name)
    if isinstance(source, SqlSource) and source.query is not None and not _select(source.query):
        yield document.fault("spec.source.query", "collection.not_a_select")
    if isinstance(source, SqlSource) and source.address is not None and "@" in source.address.split("?")[0]:
        user = source.address.split("//", 1)[-1].rpartition("@")[0]
        if ":" in user:
            yield document.fault("spec.source.address", "collection.password")


def _select(query: str) -> bool:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = sqlglot.parse(query)
    except (SqlglotError, RecursionError):
        return False
    writes = (exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop, exp.Command, exp.Into, exp.Alter, exp.Merge)
    return len(parsed) == 1 and isinstance(parsed[0], exp.Query) and next(parsed[0].find_all(*writes), None) is None


KINDS = [
    Kind("Connector", ConnectorSpec, "A connector: brings rows from outside into a dataset.", check_connector),
    FORM,
    CATALOGUE_SOURCE,
]
