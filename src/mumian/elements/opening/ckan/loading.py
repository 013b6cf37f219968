"""Loading: datastore_create, upsert and delete, as declared fields and loads of the dataset that a package is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mumian.elements.catalog.api import LoadMode, Tables
from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.opening.ckan import names, rows
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.errors import denied, wrong
from mumian.elements.opening.ckan.keeping import put_record
from mumian.elements.opening.ckan.writing import SOURCE, own, resource_create
from mumian.elements.opening.rules.asking import Question, quoted, statement, typed
from mumian.elements.opening.store import records
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.declarations.documents import Document

_NAMES = {
    "text": ("text", "varchar"),
    "integer": ("int", "int2", "int4", "int8", "integer", "bigint"),
    "number": ("float", "float4", "float8", "numeric", "double precision"),
    "boolean": ("bool", "boolean"),
    "date": ("date",),
    "time": ("timestamp", "timestamptz"),
    "json": ("json", "jsonb"),
}
_TYPES = {name: type_ for type_, names_ in _NAMES.items() for name in names_}
_CASTS = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}


async def datastore_create(ask: Ask) -> dict[str, Any]:
    """Adds a new table to the DataStore: fields, primary_key and records; a package has one table."""
    if isinstance(ask.data.get("resource"), dict):
        made = await resource_create(replace(ask, data=ask.data["resource"]))
        ask = replace(ask, data={**ask.data, "resource_id": made["id"]})
    given = ask.text("resource_id")
    row, kept = await _own(ask, given)
    active = [one["id"] for one in kept.get("resources", ()) if one.get("datastore_active")]
    if active not in ([], [given]):
        raise wrong(resource_id=f"The package has its table already, at the resource {active[0]}")
    listed = ask.json("records") or []
    fields = _fields(ask.json("fields"), listed)
    spec = ask.platform.declarations.get("Dataset", row["declared"])
    known = {field["name"]: field for field in spec.body["spec"].get("fields", ())}
    for field in fields:
        old = known.get(field["name"])
        if old is not None and old.get("type", "text") != field["type"]:
            raise wrong(fields=f'"{field["name"]}" has the type {old.get("type", "text")} already')
        known[field["name"]] = {**(old or {}), **field}
    key = ask.names("primary_key") or list(spec.body["spec"].get("key", ()))
    if not known:
        raise wrong(fields="Missing value")
    body = {**spec.body["spec"], "fields": list(known.values()), **({"key": key} if key else {})}
    document = Document("Dataset", spec.name, spec.title, body, SOURCE + row["name"])
    await ask.platform.declarations.apply([document], SOURCE + row["name"], ask.caller.actor)
    resources = [_with_rows(ask, one, spec.name) if one["id"] == given else one for one in kept["resources"]]
    await put_record(
        ask,
        "package",
        row["name"],
        row["id"],
        row["declared"],
        {**kept, "resources": resources},
        [one["id"] for one in resources],
    )
    if listed:
        await _load(ask, spec.name, listed, "upsert" if key else "append")
    else:
        await ask.platform.get(Tables).ensure(spec.name)
    shown = [{"id": field["name"], "type": field["type"]} for field in known.values()]
    told = {"resource_id": given, "fields": shown, "method": "insert", **({"primary_key": key} if key else {})}
    return told | ({"records": listed} if ask.flag("include_records") else {})


def _with_rows(ask: Ask, resource: dict[str, Any], dataset: str) -> dict[str, Any]:
    """A resource that has rows; one without an address gets that of the rows as a file."""
    own_ = {"url": f"{ask.address}/api/v1/elements/opening/datasets/{dataset}/data.csv", "format": "CSV", "url_type": "datastore"}
    return {**resource, **({} if resource.get("url") else own_), "datastore_active": True}


async def datastore_upsert(ask: Ask) -> dict[str, Any]:
    """Updates or inserts into a table in the DataStore: method upsert (by the primary key) or insert."""
    given, method = ask.text("resource_id"), ask.text("method", "upsert")
    row, _ = await _own(ask, given)
    if method not in ("upsert", "insert"):
        raise wrong(method="upsert and insert are offered")
    spec: DatasetSpec = ask.platform.declarations.get("Dataset", row["declared"]).spec
    if not spec.fields:
        raise wrong(resource_id="There is no table yet; use datastore_create")
    if method == "upsert" and not spec.key:
        raise wrong(table="table does not have a unique key defined")
    listed = ask.json("records") or []
    if not isinstance(listed, list):
        raise wrong(records="Not a list")
    if listed and not ask.flag("dry_run"):
        await _load(ask, row["declared"], listed, "upsert" if method == "upsert" else "append")
    return {"resource_id": given, "method": method} | ({"records": listed} if ask.flag("include_records") else {})


async def datastore_delete(ask: Ask) -> dict[str, Any]:
    """Deletes a set of records from the DataStore: those that the filters name, or all."""
    given = ask.text("resource_id")
    row, _ = await _own(ask, given)
    _, info = await rows.table(ask, given)
    spec: DatasetSpec = ask.platform.declarations.get("Dataset", row["declared"]).spec
    filters = ask.json("filters")
    if filters is not None and not isinstance(filters, dict):
        raise wrong(filters="Not a json object")
    types = {field.name: field.type for field in spec.fields}
    listed = {name: value if isinstance(value, list) else [value] for name, value in (filters or {}).items()}
    made = statement("x", {**types, "_id": "integer"}, Question(filters=listed, fields=list(types)))
    _, _, where = made.count.partition(" WHERE ")
    columns = ", ".join(quoted(name) for name in types)

    def fill(work: LakeTransaction) -> str:
        keep = f"NOT coalesce(({where}), FALSE)" if where else "FALSE"
        work.execute(
            f"CREATE OR REPLACE TEMP TABLE opening_kept AS SELECT {columns} FROM {info.name} WHERE {keep}", **made.params
        )
        return "SELECT * FROM opening_kept"

    await ask.platform.get(Tables).load(row["declared"], fill, "replace", "ckan", actor=ask.caller.actor)
    return {"resource_id": given, **({"filters": filters} if filters else {})}


async def _own(ask: Ask, given: str) -> tuple[Any, dict[str, Any]]:
    """The package of a resource that the caller may change."""
    package = await ask.platform.records.read(lambda session: records.package_of(session, given))
    if package is None:
        found = await names.resource(ask, given)
        ask.must("open:publish", found.dataset.owner)
        if found.row is None:
            raise denied(f"{found.dataset.name} is not written over this API")
        package = found.dataset.name
    return await own(ask, package)


def _fields(given: Any, listed: Any) -> list[dict[str, Any]]:
    """Declared fields, or those of the first records, with types that all their values take."""
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise wrong(records="Not a list of objects")
    if given is None:
        first = dict.fromkeys(name for one in listed[:1000] for name in one if name != "_id")
        return [{"name": name, "type": _guess([one.get(name) for one in listed])} for name in first]
    if not isinstance(given, list) or not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in given):
        raise wrong(fields="Not a list of fields with an id")
    found = []
    for one in given:
        type_ = _TYPES.get(str(one.get("type") or "text").lower())
        if type_ is None:
            raise wrong(fields=f'"{one.get("type")}" is not a valid field type')
        info: dict[str, Any] = one["info"] if isinstance(one.get("info"), dict) else {}
        label, notes = str(info.get("label") or "")[:200], str(info.get("notes") or "")[:2000]
        told: dict[str, Any] = {"name": one["id"], "type": type_}
        told |= {"title": {"zh": label, "en": label}} if label else {}
        found.append(told | ({"description": {"zh": notes, "en": notes}} if notes else {}))
    return [one for one in found if one["name"] != "_id"]


def _guess(values: list[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int}:
        return "integer"
    if kinds and kinds <= {int, float}:
        return "number"
    if kinds == {bool}:
        return "boolean"
    return "json" if kinds & {dict, list} else "text"


async def _load(ask: Ask, dataset: str, listed: list[Any], mode: LoadMode) -> None:
    """Bring records into the dataset's rows, all or none."""
    spec: DatasetSpec = ask.platform.declarations.get("Dataset", dataset).spec
    arrays = _arrays(spec, listed)
    await ask.platform.get(Tables).load(dataset, _filler(spec, arrays), mode, "ckan", actor=ask.caller.actor)


def _arrays(spec: DatasetSpec, listed: list[Any]) -> dict[str, np.ndarray]:
    import json

    names_ = {field.name for field in spec.fields}
    columns: dict[str, list[str | None]] = {field.name: [] for field in spec.fields}
    for place, one in enumerate(listed):
        if not isinstance(one, dict):
            raise wrong(records=f"row {place} is no object")
        strange = next((name for name in one if name not in names_ and name != "_id"), None)
        if strange is not None:
            raise wrong(records=f'row {place} has extra keys "{strange}"')
        for field in spec.fields:
            value = one.get(field.name)
            try:
                if field.type == "json" and value is not None and not isinstance(value, str):
                    text: Any = json.dumps(value, ensure_ascii=False)
                else:
                    text = None if value in (None, "") and field.type != "text" else typed(field.type, value)
            except (ValueError, TypeError, OverflowError):
                raise wrong(records=f'row {place}: "{value}" is no {field.type} ({field.name})') from None
            if text is None and field.required:
                raise wrong(records=f"row {place}: {field.name} is required")
            columns[field.name].append(None if text is None else str(text))
    return {f"c{i}": np.array(values, dtype=object) for i, values in enumerate(columns.values())}


def _filler(spec: DatasetSpec, arrays: dict[str, np.ndarray]) -> Callable[[LakeTransaction], str]:
    def fill(work: LakeTransaction) -> str:
        work.offer("opening_given", arrays)
        casts = ", ".join(f"CAST(c{i} AS {_CASTS.get(f.type, 'VARCHAR')}) AS {quoted(f.name)}" for i, f in enumerate(spec.fields))
        return f"SELECT {casts} FROM opening_given"

    return fill
