"""Parameters: what a query says about entities, their form and their page, from the address or from a body (6.3, 5.2.23)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from mumian.foundation.context.errors import BadRequestData, InvalidRequest
from mumian.foundation.context.rules import geometry, selection, texts
from mumian.foundation.context.rules.asks import Ask, Selector
from mumian.foundation.context.rules.core import LOCATION
from mumian.foundation.context.rules.names import Names
from mumian.foundation.context.rules.patterns import compiled
from mumian.foundation.context.rules.query import parse
from mumian.foundation.context.rules.rendering import Form

_FORMATS = {"normalized": "normalized", "concise": "concise", "simplified": "simplified", "keyValues": "simplified"}
_OPTIONS = {*_FORMATS, "sysAttrs", "temporalValues", "aggregatedValues", "count", "noOverwrite", "update", "replace", "append"}
_MEMBERS = frozenset({"id", "type", "scope", "createdAt", "modifiedAt"})
_SHOWING = {"options", "format", "attrs", "pick", "omit", "lang", "datasetId", "local", "localOnly", "limit", "offset", "count"}
_SHOWING |= {"geometryProperty"}
ASKING = frozenset({
    "id", "type", "idPattern", "q", "csf", "georel", "geometry", "coordinates", "geoproperty", "scopeQ", *_SHOWING,
})  # fmt: skip
RETRIEVING = frozenset({"type", *_SHOWING})


@dataclass(frozen=True)
class Page:
    """Where an answer begins, how much it holds, and whether all are to be counted."""

    offset: int
    limit: int
    count: bool


def known(query: Mapping[str, str], allowed: Iterable[str]) -> None:
    """Raise InvalidRequest for a parameter that the operation does not know."""
    for name in query:
        if name not in allowed:
            raise InvalidRequest.field(name[:100], "context.parameter", expected=", ".join(sorted(allowed)))


def options(query: Mapping[str, str]) -> set[str]:
    """The words of `options`; raises BadRequestData for unknown ones."""
    found = {word.strip() for word in query.get("options", "").split(",") if word.strip()}
    unknown = found - _OPTIONS
    if unknown:
        raise InvalidRequest.field("options", "context.option", given=min(unknown)[:60])
    return found


def names_list(text: str, field: str) -> list[str]:
    """A list of names separated by commas (or `|`); raises BadRequestData."""
    words = [word.strip() for word in text.replace("|", ",").split(",")]
    return [texts.name(word, field) for word in words]


def form(query: Mapping[str, str], names: Names) -> Form:
    """How entities are to be shown."""
    words = options(query)
    given = query.get("format")
    if given is not None and given not in _FORMATS:
        raise InvalidRequest.field("format", "field.choice", expected=", ".join(_FORMATS))
    shape = given or next((word for word in ("keyValues", "simplified", "concise") if word in words), "normalized")
    pick, omit = projection(query, names)
    datasets = query.get("datasetId")
    wanted = frozenset(datasets.split(",")) if datasets is not None else None
    for dataset in wanted or ():
        if dataset != "@none":
            texts.uri(dataset, "datasetId")
    return Form(_FORMATS[shape], "sysAttrs" in words, pick, omit, query.get("lang"), wanted)


def projection(query: Mapping[str, str], names: Names) -> tuple[frozenset[str] | None, frozenset[str]]:
    """What `attrs`, `pick` and `omit` show and hide, as addresses."""

    def expanded(field: str) -> set[str]:
        return {word if word in _MEMBERS else names.expand(word) for word in names_list(query[field], field)}

    if "attrs" in query and ("pick" in query or "omit" in query):
        raise BadRequestData.field("attrs", "context.attrs_and_pick")
    pick: frozenset[str] | None = None
    if "attrs" in query:
        pick = frozenset({"id", "type", "scope"} | {names.expand(word) for word in names_list(query["attrs"], "attrs")})
    if "pick" in query:
        pick = frozenset(expanded("pick"))
    omit = frozenset(expanded("omit")) if "omit" in query else frozenset()
    if pick is not None and pick & omit:
        raise BadRequestData.field("omit", "context.pick_and_omit")
    return pick, omit


def page(query: Mapping[str, str], most: int, usual: int = 20) -> Page:
    """Where a page begins and how long it is."""
    counting = truth(query, "count") or "count" in options(query)
    limit = number(query, "limit", usual, 0 if counting else 1, most)
    return Page(number(query, "offset", 0, 0, 2**53), limit, counting)


def number(query: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    """A whole number between two others; raises BadRequestData."""
    text = query.get(name)
    if text is None:
        return usual
    if not text.isdecimal() or len(text) > 17 or not least <= int(text) <= most:
        raise BadRequestData.field(name, "field.range", expected=f"{least}…{most}")
    return int(text)


def truth(query: Mapping[str, str], name: str) -> bool:
    """Whether a parameter says `true`; raises BadRequestData for what is neither true nor false."""
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise BadRequestData.field(name, "field.choice", expected="true, false")
    return text == "true"


def ask(query: Mapping[str, str], names: Names) -> Ask:
    """What a query asks for; raises BadRequestData when it asks for nothing in particular (5.7.2.4)."""
    if not {"id", "type", "idPattern", "attrs", "pick", "q", "georel", "scopeQ", "csf"} & query.keys() and not (
        truth(query, "local") or truth(query, "localOnly")
    ):
        raise BadRequestData.field("type", "context.nothing_asked")
    if "csf" in query and len(query["csf"]) > 2000:
        raise BadRequestData.field("csf", "field.length", expected="≤ 2000")
    selector = Selector(
        types=selection.parse(query["type"], "type") if "type" in query else None,
        ids=tuple(texts.uri(id_, "id") for id_ in query["id"].split(",")) if "id" in query else None,
        pattern=compiled(query["idPattern"], "idPattern") if "idPattern" in query and "id" not in query else None,
    )
    wanted = query.get("attrs", query.get("pick"))
    needed = _needed(wanted, "attrs" if "attrs" in query else "pick", names) if wanted is not None else None
    datasets = frozenset(query["datasetId"].split(",")) if "datasetId" in query else None
    return Ask(
        (selector,),
        parse(query["q"], names.expand) if "q" in query else None,
        geo(query, names.expand),
        selection.parse(query["scopeQ"], "scopeQ") if "scopeQ" in query else None,
        needed,
        datasets,
        names,
    )


def _needed(text: str, field: str, names: Names) -> frozenset[str] | None:
    words = names_list(text, field)
    if field == "pick" and _MEMBERS & set(words):
        return None
    return frozenset(names.expand(word) for word in words)


def geo(query: Mapping[str, str], expand: Callable[[str], str]) -> geometry.GeoQuery | None:
    """The geo-query of some parameters; raises BadRequestData when they do not come together."""
    given = {"georel", "geometry", "coordinates"} & query.keys()
    if not given:
        if "geoproperty" in query:
            raise BadRequestData.field("georel", "field.missing")
        return None
    for name in ("georel", "geometry", "coordinates"):
        if name not in query:
            raise BadRequestData.field(name, "field.missing")
    attribute = expand(texts.name(query["geoproperty"], "geoproperty")) if "geoproperty" in query else LOCATION
    return geometry.parse(query["georel"], query["geometry"], query["coordinates"], attribute)


def flattened(document: Any) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The parameters that a Query in a body stands for (5.2.23), and its entity selectors."""
    if not isinstance(document, dict):
        raise BadRequestData.field("", "field.type", expected="object")
    if document.get("type") != "Query":
        raise BadRequestData.field("type", "field.choice", expected="Query")
    query: dict[str, str] = {}
    for name in ("q", "csf", "scopeQ", "lang"):
        if name in document:
            query[name] = _string(document[name], name)
    for name in ("attrs", "pick", "omit", "datasetId"):
        if name in document:
            query[name] = ",".join(_strings(document[name], name))
    if "geoQ" in document:
        query |= geo_parameters(document["geoQ"])
    entities = document.get("entities", [])
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise BadRequestData.field("entities", "field.type", expected="[object]")
    return query, entities


def geo_parameters(value: Any) -> dict[str, str]:
    """The parameters that a GeoQuery in a body stands for (5.2.13)."""
    if not isinstance(value, dict):
        raise BadRequestData.field("geoQ", "field.type", expected="object")
    found = {name: _string(value[name], f"geoQ.{name}") for name in ("georel", "geometry", "geoproperty") if name in value}
    coordinates = value.get("coordinates")
    if coordinates is not None:
        found["coordinates"] = coordinates if isinstance(coordinates, str) else msgspec.json.encode(coordinates).decode()
    return found


def selectors(entities: list[dict[str, Any]], field: str = "entities") -> tuple[Selector, ...]:
    """Entity selectors of a body (5.2.33): `id`, `idPattern`, `type`."""
    made = []
    for place, entity in enumerate(entities):
        where = f"{field}[{place}]"
        ids = entity.get("id")
        listed = ids if isinstance(ids, list) else [ids] if ids is not None else None
        if "type" not in entity:
            raise BadRequestData.field(f"{where}.type", "field.missing")
        types = entity["type"]
        words = ",".join(_strings(types, f"{where}.type")) if isinstance(types, list) else _string(types, f"{where}.type")
        pattern = _string(entity["idPattern"], where) if "idPattern" in entity and listed is None else None
        made.append(
            Selector(
                selection.parse(words, f"{where}.type"),
                tuple(texts.uri(id_, f"{where}.id") for id_ in listed) if listed is not None else None,
                compiled(pattern, f"{where}.idPattern") if pattern is not None else None,
            )
        )
    return tuple(made) or (Selector(),)


def _string(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadRequestData.field(field, "field.type", expected="string")
    return value


def _strings(value: Any, field: str) -> list[str]:
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(item, str) and item for item in found):
        raise BadRequestData.field(field, "field.type", expected="[string]")
    return found
