"""Layers and edits in the records: one row for each layer, one for each change of a feature, kept for ever as its history."""

from dataclasses import dataclass

from mumian.foundation.spatial.contracts import Property
from mumian.foundation.spatial.rules.schema import decode_schema, encode_schema
from mumian.kernel.unit_of_work import Row, Session, Transaction


@dataclass(frozen=True)
class LayerRow:
    """Where a layer stands: its version, what its base is (`declared:…`, `lake:…` or nothing), and up to which version the
    base holds all edits."""

    name: str
    version: int
    base: str
    base_version: int
    properties: tuple[Property, ...]
    updated: str


@dataclass(frozen=True)
class EditRow:
    """One change of a feature; geometry (GeoJSON) and properties (JSON) as they were afterwards, None when deleted."""

    version: int
    feature: str
    action: str
    time: str
    actor: str
    geometry: str | None
    properties: str | None


def layer(session: Session, name: str) -> LayerRow | None:
    """A layer's row, or None before anything was kept for it."""
    found = session.row("SELECT * FROM spatial_layer WHERE name = :name", name=name)
    if found is None:
        return None
    properties = decode_schema(found["properties"])
    return LayerRow(name, found["version"], found["base"], found["base_version"], properties, found["updated"])


def keep_layer(tx: Transaction, row: LayerRow) -> None:
    """Write a layer's row; its time of change is now."""
    tx.session.execute(
        "INSERT INTO spatial_layer (name, version, base, base_version, properties, updated) "
        "VALUES (:name, :version, :base, :base_version, :properties, :updated) ON CONFLICT (name) DO UPDATE SET "
        "version = :version, base = :base, base_version = :base_version, properties = :properties, updated = :updated",
        name=row.name,
        version=row.version,
        base=row.base,
        base_version=row.base_version,
        properties=encode_schema(row.properties),
        updated=tx.now_text,
    )


def add_edit(tx: Transaction, layer: str, edit: EditRow) -> None:
    """Keep one change of a feature."""
    tx.session.execute(
        "INSERT INTO spatial_edit (layer, version, feature, action, time, actor, geometry, properties) "
        "VALUES (:layer, :version, :feature, :action, :time, :actor, :geometry, :properties)",
        layer=layer,
        **edit.__dict__,
    )


def last_edit(session: Session, layer: str, feature: str, after: int) -> EditRow | None:
    """The newest change of a feature that came after a version of its layer."""
    found = session.row(
        "SELECT * FROM spatial_edit WHERE layer = :layer AND feature = :feature AND version > :after "
        "ORDER BY version DESC LIMIT 1",
        layer=layer,
        feature=feature,
        after=after,
    )
    return None if found is None else _edit(found)


def edits(session: Session, layer: str, after: int, limit: int = 100_000) -> list[EditRow]:
    """The changes of a layer that came after a version, in order."""
    found = session.rows(
        "SELECT * FROM spatial_edit WHERE layer = :layer AND version > :after ORDER BY version LIMIT :limit",
        layer=layer,
        after=after,
        limit=limit,
    )
    return [_edit(row) for row in found]


def count_edits(session: Session, layer: str, after: int) -> int:
    """How many changes of a layer came after a version."""
    sql = "SELECT count(*) FROM spatial_edit WHERE layer = :layer AND version > :after"
    return int(session.value(sql, layer=layer, after=after))


def history(session: Session, layer: str, feature: str, before: int, limit: int) -> list[EditRow]:
    """The changes of one feature that came before a version, newest first."""
    found = session.rows(
        "SELECT * FROM spatial_edit WHERE layer = :layer AND feature = :feature AND version < :before "
        "ORDER BY version DESC LIMIT :limit",
        layer=layer,
        feature=feature,
        before=before,
        limit=limit,
    )
    return [_edit(row) for row in found]


def add_import(tx: Transaction, layer: str, version: int, file: str, digest: str, mode: str, accepted: int, refused: int) -> None:
    """Remember that a file was brought in."""
    tx.session.execute(
        "INSERT INTO spatial_import (layer, version, time, actor, file, digest, mode, accepted, refused) "
        "VALUES (:layer, :version, :time, :actor, :file, :digest, :mode, :accepted, :refused)",
        layer=layer,
        version=version,
        time=tx.now_text,
        actor=tx.actor.id,
        file=file,
        digest=digest,
        mode=mode,
        accepted=accepted,
        refused=refused,
    )


def imports(session: Session, layer: str, limit: int = 100) -> list[Row]:
    """The files that were brought into a layer, newest first."""
    sql = "SELECT version, time, actor, file, digest, mode, accepted, refused FROM spatial_import WHERE layer = :layer "
    return session.rows(sql + "ORDER BY version DESC LIMIT :limit", layer=layer, limit=limit)


def bases(session: Session) -> set[str]:
    """What all layers are based on."""
    return {row["base"] for row in session.rows("SELECT base FROM spatial_layer")}


def _edit(row: Row) -> EditRow:
    return EditRow(row["version"], row["feature"], row["action"], row["time"], row["actor"], row["geometry"], row["properties"])
