"""Declaring: a layer's row follows its declaration; a new file begins a new base, a new schema reaches the columns."""

from dataclasses import replace

from mumian.foundation.spatial.contracts import Property
from mumian.foundation.spatial.models import LayerSpec
from mumian.foundation.spatial.rules.schema import renewed
from mumian.foundation.spatial.store import features as store
from mumian.foundation.spatial.store.features import LayerRow
from mumian.kernel.unit_of_work import Transaction


def declared_properties(spec: LayerSpec) -> tuple[Property, ...]:
    """The schema that a declaration states."""
    return tuple(
        Property(p.name, p.type, None if p.title is None else {str(k): v for k, v in p.title.items()}, p.required)
        for p in spec.properties
    )


def declare(tx: Transaction, layer: str, digest: str | None, properties: tuple[Property, ...]) -> None:
    """Let the layer's row follow: `digest` names the content of its file, None where it has none."""
    known = store.layer(tx.session, layer)
    row = known or LayerRow(layer, 0, "", 0, (), "")
    declared = {p.name: p for p in properties}
    merged = (*(declared.pop(p.name, p) for p in row.properties), *declared.values())
    base = row.base
    if digest is None and base.startswith("declared:"):
        base = ""
    if digest is not None and base.partition("#")[0] != f"declared:{digest}":
        base = f"declared:{digest}"
    made = replace(row, base=base, properties=merged)
    if known is not None and made == known:
        return
    version = row.version + 1
    retyped = [p.type for p in row.properties] != [p.type for p in merged[: len(row.properties)]]
    if base != row.base:
        made = replace(made, base_version=version)
    elif retyped:
        made = replace(made, base=renewed(base))
    store.keep_layer(tx, replace(made, version=version))
