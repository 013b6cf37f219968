"""Bodies: the JSON of an entity, with what is nested in it, read into a draft; every fault is named by its place."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from mumian.foundation.sensing import store
from mumian.foundation.sensing.rules import instant, parse_time
from mumian.foundation.sensing.sta.parsing import decode
from mumian.foundation.sensing.sta.writing.geometry import bounds_of, is_geojson
from mumian.foundation.sensing.sta.writing.model import SINGLE, TYPES, EntityType, Property
from mumian.kernel.clock import iso
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.unit_of_work import Row

Json = dict[str, Any]
DEEPEST, MOST_ENTITIES = 12, 10_000
_MOST_TEXT = {"name": 300}
_ANNOTATIONS = ("@iot.selfLink", "@iot.etag", "@odata.type", "@odata.id")
_OWN_PROPERTIES = ("stream", "title", "owner", "frequencySeconds")
_decoder: "msgspec.json.Decoder[Json]" = msgspec.json.Decoder(dict[str, Any])


@dataclass
class Draft:
    """An entity to write: columns, the properties as they were given, links to one or many (ids or drafts), observations."""

    kind: EntityType
    at: str
    columns: Row = field(default_factory=dict)
    given: Json = field(default_factory=dict)
    links: "dict[str, list[Draft | int]]" = field(default_factory=dict)
    observations: list[Json] = field(default_factory=list)

    def place(self, name: str) -> str:
        """Where a property stands in the body."""
        return f"{self.at}{name}"


class Reader:
    """Reads one body; counts what is nested in it."""

    def __init__(self) -> None:
        self._entities = 0

    def draft(self, kind: EntityType, body: Any, at: str, absent: str = "", depth: int = 0) -> Draft:
        """The whole of a new entity; `absent` is the link by which it hangs on the one around it."""
        body = self._object(body, at, depth)
        draft = Draft(kind, at)
        for name, value in body.items():
            self._member(draft, name, value, absent, depth)
        for name, known in kind.properties.items():
            if known.form != "derived" and draft.given.get(name) is None:
                if known.required:
                    raise Invalid.field(draft.place(name), "field.missing")
                if known.default is not None:
                    draft.columns.setdefault(known.column, known.default)
        for name, link in kind.links.items():
            if link.required and name != absent and not draft.links.get(name):
                raise Invalid.field(draft.place(name), "field.missing")
        measure(draft, draft.columns)
        return draft

    def changes(self, kind: EntityType, body: Any, at: str = "") -> Draft:
        """Some properties of an entity that exists, and whom it shall be linked to, by id."""
        draft = Draft(kind, at)
        for name, value in self._object(body, at, 0).items():
            self._member(draft, name, value, "", 0)
        for name, linked in draft.links.items():
            if any(isinstance(one, Draft) for one in linked):
                raise Invalid.field(draft.place(name), "sensing.inline")
        if draft.observations:
            raise Invalid.field(draft.place("Observations"), "sensing.inline")
        return draft

    def _object(self, body: Any, at: str, depth: int) -> Json:
        self._entities += 1
        if depth > DEEPEST or self._entities > MOST_ENTITIES:
            raise Invalid.field(at.rstrip("."), "field.length", expected=f"≤ {MOST_ENTITIES}, ≤ {DEEPEST}")
        if not isinstance(body, dict):
            raise Invalid.field(at.rstrip("."), "field.type", expected="an object")
        return body

    def _member(self, draft: Draft, name: str, value: Any, absent: str, depth: int) -> None:
        kind, place = draft.kind, draft.place(name)
        if name in kind.properties:
            _property(draft, name, kind.properties[name], value)
        elif name == "Observations" and name in kind.links and kind.table == "sensing_stream":
            draft.observations = [self._object(one, f"{place}[{i}].", depth + 1) for i, one in enumerate(_listed(value, place))]
        elif name in kind.links and name != absent and kind.links[name].target in TYPES:
            many = kind.links[name].many
            listed = _listed(value, place) if many else [value]
            draft.links[name] = [
                self._linked(kind.links[name].target, one, f"{place}[{i}]" if many else place, _back(kind, name), depth + 1)
                for i, one in enumerate(listed)
            ]
        elif name in _ANNOTATIONS or name.endswith(("@iot.navigationLink", "@iot.count", "@iot.nextLink")) or name == "@iot.id":
            return
        else:
            expected = ", ".join([*(n for n, p in kind.properties.items() if p.form != "derived"), *kind.links])
            raise Invalid.field(place[:200], "field.unknown", expected=expected)

    def _linked(self, target: str, value: Any, place: str, back: str, depth: int) -> "Draft | int":
        if isinstance(value, dict) and "@iot.id" in value:
            return reference(value, place)
        return self.draft(TYPES[target], value, f"{place}.", back, depth)


def decoded(content: bytes) -> Json:
    """A body as a JSON object; raises Malformed, Invalid."""
    return decode(_decoder, content)


def reference(value: Json, place: str) -> int:
    """The id in `{"@iot.id": 5}`."""
    number = value["@iot.id"]
    if isinstance(number, bool) or not isinstance(number, int):
        raise Invalid.field(f"{place}.@iot.id".lstrip("."), "field.type", expected="a whole number")
    return number if abs(number) < 2**63 else -1


def measure(draft: Draft, columns: Row) -> None:
    """Check the geometry among these columns and give it its bounds, if GeoJSON is what it is said to be."""
    for name, known in draft.kind.properties.items():
        if known.form == "geometry" and name in draft.given:
            geojson = is_geojson(columns["encoding"])
            draft.columns |= store.place(bounds_of(draft.given[name], draft.place(name)) if geojson else None)


def _property(draft: Draft, name: str, known: Property, value: Any) -> None:
    place = draft.place(name)
    if known.form == "derived":
        return
    if value is None:
        if known.required:
            raise Invalid.field(place, "field.missing")
        draft.given[name] = None
        if known.column:
            draft.columns[known.column] = known.default
        return
    if known.form == "object" and not isinstance(value, dict):
        raise Invalid.field(place, "field.type", expected="an object")
    if name == "properties" and draft.kind.table == "sensing_stream":
        value = {key: inner for key, inner in value.items() if key not in _OWN_PROPERTIES}
    draft.given[name] = value
    if name == "unitOfMeasurement":
        draft.columns |= _unit(value, place)
    elif known.form == "json":
        text = isinstance(value, str)
        draft.columns |= {known.column: value if text else "", f"{known.column}_json": None if text else store.written(value)}
    elif known.form in ("any", "object", "geometry"):
        draft.columns[known.column] = store.written(value)
    else:
        draft.columns[known.column] = _time(value, place) if known.form == "time" else _text(name, known, value, place)


def _unit(value: Json, place: str) -> Row:
    for name in value:
        if name not in ("name", "symbol", "definition"):
            raise Invalid.field(f"{place}.{name}"[:200], "field.unknown", expected="name, symbol, definition")
        if value[name] is not None and not isinstance(value[name], str):
            raise Invalid.field(f"{place}.{name}", "field.type", expected="text")
    name, symbol, definition = (value.get(key) or "" for key in ("name", "symbol", "definition"))
    return {"unit": symbol or name or "1", "unit_name": name, "unit_definition": definition}


def _text(name: str, known: Property, value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise Invalid.field(place, "field.type", expected="text")
    most = _MOST_TEXT.get(name)
    if "\0" in value or (most is not None and not 1 <= len(value) <= most):
        raise Invalid(Fault(place, "field.length", {"expected": f"1…{most}"}))
    if known.choices and value not in known.choices:
        raise Invalid.field(place, "field.choice", expected=", ".join(known.choices))
    return value


def _time(value: Any, place: str) -> str:
    try:
        return iso(instant(parse_time(value)))
    except (ValueError, OverflowError, TypeError, AttributeError):
        raise Invalid(Fault(place, "sensing.time", {"given": str(value)[:100]})) from None


def _listed(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid.field(place, "field.type", expected="a list")
    return value


def _back(kind: EntityType, name: str) -> str:
    """The link of the target that leads back, which a nested entity need not and may not give."""
    target = TYPES[kind.links[name].target]
    if not kind.links[name].many:
        return ""
    return next((n for n, link in target.links.items() if link.target == kind.name), SINGLE.get(kind.single, ""))
