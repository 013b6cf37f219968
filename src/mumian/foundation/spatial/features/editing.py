"""Editing: one change of one feature is one commit of its new state, its event and its evidence, and a version of the layer."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from mumian.foundation.spatial.contracts import Property
from mumian.foundation.spatial.errors import FeatureExists
from mumian.foundation.spatial.events import FeatureChanged
from mumian.foundation.spatial.rules.schema import MOST_PROPERTIES, faults_of, renewed, widened
from mumian.foundation.spatial.store import features as store
from mumian.foundation.spatial.store.features import EditRow, LayerRow
from mumian.kernel.errors import Conflict, Invalid, NotFound, Stale
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Transaction

MOST_BYTES = 2_000_000


@dataclass(frozen=True)
class State:
    """A feature as it stands: `version` and its geometry (GeoJSON text in WGS 84) and properties (JSON text)."""

    version: int
    geometry: str | None
    properties: str


@dataclass(frozen=True)
class Rules:
    """What a declaration asks of features: the types of `declared` properties and, where `strict`, no others."""

    declared: tuple[Property, ...] = ()
    strict: bool = False


@dataclass(frozen=True)
class Found:
    """What the cache knows of a feature: the base that this was read from, and the state, None where it has none."""

    base: str
    state: State | None


class BaseChanged(Conflict):
    """The layer was imported anew while a feature was being changed; trying again is right."""

    key = "error.conflict"


def create(tx: Transaction, layer: str, found: Found, feature: str | None, state: State, rules: Rules) -> EditRow:
    """Add a feature, under an id of its own or the given one; raises FeatureExists."""
    row = _row(tx, layer, found)
    name = feature or new_id()
    if feature is not None and _current(tx, row, feature, found) is not None:
        raise FeatureExists(name=feature)
    return _keep(tx, row, name, "created", state, rules)


def change(
    tx: Transaction,
    layer: str,
    found: Found,
    feature: str,
    expected: int | None,
    work: Callable[[State], State],
    action: str,
    rules: Rules,
) -> EditRow:
    """Put what `work` makes of a feature in its place; raises NotFound, or Stale where it is not the version expected."""
    row = _row(tx, layer, found)
    current = _checked(_current(tx, row, feature, found), feature, expected)
    return _keep(tx, row, feature, action, work(current), rules)


def delete(tx: Transaction, layer: str, found: Found, feature: str, expected: int | None) -> EditRow:
    """Take a feature away; its history stays. Raises NotFound, Stale."""
    row = _row(tx, layer, found)
    _checked(_current(tx, row, feature, found), feature, expected)
    return _keep(tx, row, feature, "deleted", None, Rules())


def _row(tx: Transaction, layer: str, found: Found) -> LayerRow:
    row = store.layer(tx.session, layer)
    if row is None or row.base != found.base:
        raise BaseChanged
    return row


def _current(tx: Transaction, row: LayerRow, feature: str, found: Found) -> State | None:
    """The newest edit counts; without one, what the cache read from the base."""
    last = store.last_edit(tx.session, row.name, feature, row.base_version)
    if last is None:
        return found.state
    return None if last.properties is None else State(last.version, last.geometry, last.properties)


def _checked(current: State | None, feature: str, expected: int | None) -> State:
    if current is None:
        raise NotFound(kind="feature", name=feature)
    if expected is not None and current.version != expected:
        raise Stale(expected=expected, found=current.version)
    return current


def _keep(tx: Transaction, row: LayerRow, feature: str, action: str, state: State | None, rules: Rules) -> EditRow:
    schema = row.properties
    if state is not None:
        values: dict[str, Any] = json.loads(state.properties)
        faults = faults_of(values, rules.declared, rules.strict)
        if faults:
            raise Invalid(*faults)
        schema = widened(values, schema)
        if len(schema) > MOST_PROPERTIES:
            raise Invalid.field("properties", "field.length", expected=f"≤ {MOST_PROPERTIES}")
    retyped = any(new.type != old.type for new, old in zip(schema, row.properties, strict=False))
    version = row.version + 1
    geometry, properties = (None, None) if state is None else (state.geometry, state.properties)
    edit = EditRow(version, feature, action, tx.now_text, tx.actor.id, geometry, properties)
    store.add_edit(tx, row.name, edit)
    store.keep_layer(tx, replace(row, version=version, properties=schema, base=renewed(row.base) if retyped else row.base))
    digest = "" if properties is None else sha256(f"{geometry or ''}{properties}".encode()).hexdigest()
    tx.emit(
        FeatureChanged(
            subject=f"{row.name}/{feature}", layer=row.name, feature=feature, action=action, version=version, digest=digest
        )
    )
    return edit
