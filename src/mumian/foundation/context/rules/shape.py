"""Shape: entities and attributes as clients write them, normalized, concise or simplified, read into the form that is kept."""

import contextlib
from typing import Any

import msgspec

from mumian.foundation.context.errors import BadRequestData
from mumian.foundation.context.rules import texts
from mumian.foundation.context.rules.core import GEOMETRIES, LOCATION, NGSI_LD, NULL, RESERVED, SYSTEM, VALUE_KEYS
from mumian.foundation.context.rules.entity import Attributes, Entity, Instance, dataset
from mumian.foundation.context.rules.geometry import check_geometry
from mumian.foundation.context.rules.names import Names

_DEEPEST = 8
_MOST_ATTRIBUTES = 2000
_CONCISE = (
    ("object", "Relationship"), ("languageMap", "LanguageProperty"), ("json", "JsonProperty"), ("vocab", "VocabProperty"),
    ("valueList", "ListProperty"), ("objectList", "ListRelationship"),
)  # fmt: skip
_GEOGRAPHIC = frozenset({LOCATION, NGSI_LD + "observationSpace", NGSI_LD + "operationSpace"})
_METADATA = frozenset({"observedAt", "unitCode", "datasetId", "lang", "expiresAt", "objectType"})
_SKIPPED = frozenset({"@context", "createdAt", "modifiedAt", "deletedAt", "instanceId"})
_MEMBERS = frozenset({"id", "type", "@id", "@type", "scope"})


class Reader:
    """Reads attributes by the names of one context; times of the system are `now`.

    With `nulls`, the value `urn:ngsi-ld:null` stands: it deletes what it is merged into. With `held`, what is read are
    fragments of those attributes: instances may lack their value and are then of the kind that is held.
    """

    def __init__(self, names: Names, now: str, nulls: bool = False, held: Attributes | None = None) -> None:
        self._expand = names.expand
        self._now = now
        self._nulls = nulls
        self._held = held

    def entity(self, document: Any) -> Entity:
        """A whole entity; raises BadRequestData."""
        if not isinstance(document, dict):
            raise BadRequestData.field("", "field.type", expected="object")
        id_ = document.get("id", document.get("@id"))
        if id_ is None:
            raise BadRequestData.field("id", "field.missing")
        types = self.types(document)
        if not types:
            raise BadRequestData.field("type", "field.missing")
        scope = texts.scopes(document["scope"]) if "scope" in document else ()
        return Entity(texts.uri(id_, "id"), types, self.attributes(document), self._now, self._now, scope)

    def types(self, document: dict[str, Any]) -> tuple[str, ...]:
        """The types that a document names, expanded; none if it names none."""
        given = document.get("type", document.get("@type"))
        if given is None:
            return ()
        found = given if isinstance(given, list) else [given]
        if not found or not all(isinstance(name, str) for name in found):
            raise BadRequestData.field("type", "field.type", expected="string, [string]")
        return tuple(dict.fromkeys([self._expand(texts.name(name, "type")) for name in found]))

    def attributes(self, document: dict[str, Any]) -> Attributes:
        """The attributes of an entity or a fragment of one."""
        if len(document) > _MOST_ATTRIBUTES:
            raise BadRequestData.field("", "field.length", expected=f"≤ {_MOST_ATTRIBUTES}")
        found: Attributes = {}
        for name, value in document.items():
            if name in _MEMBERS or name in _SKIPPED:
                continue
            if name in RESERVED:
                raise BadRequestData.field(name, "context.wrong_member", kind="Entity")
            address = self._expand(texts.name(name, name))
            held = self._held.get(address) if self._held is not None else None
            if held and isinstance(value, dict) and "type" not in value and _METADATA & value.keys():
                own = next((i for i in held if dataset(i) == value.get("datasetId")), held[0])
                found[address] = [self.fragment(value, own, name)]
            else:
                found[address] = self.instances(value, name)
            if address in _GEOGRAPHIC and any(i["type"] != "GeoProperty" and i.get("value") != NULL for i in found[address]):
                raise BadRequestData.field(f"{name}.type", "field.choice", expected="GeoProperty")
        return found

    def series(self, document: dict[str, Any]) -> Attributes:
        """The attributes of a temporal representation: each instance stands for itself, several may be of one dataset."""
        found: Attributes = {}
        for name, value in document.items():
            if name not in _MEMBERS and name not in _SKIPPED:
                several = value if isinstance(value, list) and value and all(_is_instance(item) for item in value) else [value]
                made = [self.instance(item, f"{name}[{place}]") for place, item in enumerate(several)]
                found[self._expand(texts.name(name, name))] = made
        return found

    def fragment(self, value: Any, held: Instance, field: str) -> Instance:
        """Some members of an instance that is held; its own value may be among them."""
        key = VALUE_KEYS[held["type"]]
        if value is None:
            raise BadRequestData.field(field, "context.no_value")
        if not isinstance(value, dict):
            value = {key: value}
        kind = value.get("type", held["type"])
        if kind != held["type"]:
            raise BadRequestData.field(f"{field}.type", "field.choice", expected=held["type"])
        for other in VALUE_KEYS.values():
            if other != key and other in value:
                raise BadRequestData.field(f"{field}.{other}", "context.wrong_member", kind=kind)
        if key not in value and not value.keys() - {"type"}:
            raise BadRequestData.field(field, "context.empty_fragment")
        return self._whole({**value, "type": kind}, field, 0, fragment=True)

    def instances(self, value: Any, field: str, depth: int = 0) -> list[Instance]:
        """An attribute's instances; several only with different datasets."""
        if not (isinstance(value, list) and value and all(_is_instance(item) for item in value)):
            return [self.instance(value, field, depth)]
        made = [self.instance(item, f"{field}[{place}]", depth) for place, item in enumerate(value)]
        if len({dataset(instance) for instance in made}) < len(made):
            raise BadRequestData.field(field, "context.dataset_twice")
        return made

    def instance(self, value: Any, field: str, depth: int = 0) -> Instance:
        """One instance of an attribute."""
        if depth > _DEEPEST:
            raise BadRequestData.field(field, "context.too_deep", limit=_DEEPEST)
        if not isinstance(value, dict):
            return self._whole({"type": "Property", "value": value}, field, depth)
        kind = value.get("type", value.get("@type"))
        if kind is None:
            if value.get("@context") is not None:
                raise BadRequestData.field(f"{field}.@context", "context.wrong_member", kind="Property")
            value = self._concise(value)
        elif isinstance(kind, str) and kind in GEOMETRIES:
            value = {"type": "GeoProperty", "value": value}
        elif not isinstance(kind, str) or kind not in VALUE_KEYS:
            raise BadRequestData.field(f"{field}.type", "field.choice", expected=", ".join(VALUE_KEYS))
        return self._whole(value, field, depth)

    @staticmethod
    def _concise(value: dict[str, Any]) -> dict[str, Any]:
        for key, kind in _CONCISE:
            if key in value:
                return {"type": kind, **value}
        if "value" in value:
            inner = value["value"]
            geometry = isinstance(inner, dict) and inner.get("type") in GEOMETRIES and len(inner) >= 2
            return {"type": "GeoProperty" if geometry else "Property", **value}
        return {"type": "Property", "value": value}

    def _whole(self, value: dict[str, Any], field: str, depth: int, fragment: bool = False) -> Instance:
        kind = value["type"] if "type" in value else value["@type"]
        key = VALUE_KEYS[kind]
        if value.get(key) is None and (key in value or not (fragment or self._held is not None)):
            raise BadRequestData.field(f"{field}.{key}", "context.no_value")
        made: Instance = {"type": kind}
        for name, member in value.items():
            if name == key:
                made[key] = self._value(kind, member, f"{field}.{key}")
            elif name in RESERVED:
                self._reserved(made, name, member, field)
            elif name == "@context":
                raise BadRequestData.field(f"{field}.@context", "context.wrong_member", kind=kind)
            elif name not in _SKIPPED and name != "@type":
                made[self._expand(texts.name(name, f"{field}.{name}"))] = self.instances(member, f"{field}.{name}", depth + 1)
        made["createdAt"] = made["modifiedAt"] = self._now
        return made

    def _reserved(self, made: Instance, name: str, member: Any, field: str) -> None:
        place = f"{field}.{name}"
        if name in ("type", "id", *SYSTEM) or name in _SKIPPED:
            return
        if (name == "unitCode" and made["type"] not in ("Property", "ListProperty")) or name.startswith("previous"):
            raise BadRequestData.field(place, "context.wrong_member", kind=made["type"])
        if name in ("observedAt", "expiresAt"):
            texts.universal(member, place)
        elif name == "datasetId":
            if member == "@none":
                return
            texts.uri(member, place)
        elif name == "objectType":
            member = [self._expand(str(item)) for item in (member if isinstance(member, list) else [member])]
        elif name in ("unitCode", "lang"):
            if not isinstance(member, str):
                raise BadRequestData.field(place, "field.type", expected="string")
        else:
            raise BadRequestData.field(place, "context.wrong_member", kind=made["type"])
        made[name] = member

    def _value(self, kind: str, value: Any, field: str) -> Any:
        if value == NULL:
            if self._nulls:
                return value
            raise BadRequestData.field(field, "context.no_value")
        return _READ[kind](self, value, field)

    def _property(self, value: Any, field: str) -> Any:
        if not self._nulls and _holds_null(value):
            raise BadRequestData.field(field, "context.no_value")
        if isinstance(value, dict) and "@value" in value and set(value) <= {"@value", "@type", "@language"}:
            return value if "@type" in value else value["@value"]
        return value

    def _geoproperty(self, value: Any, field: str) -> Any:
        if isinstance(value, str):
            with contextlib.suppress(msgspec.DecodeError):
                value = msgspec.json.decode(value)
        check_geometry(value, field)
        return value

    def _relationship(self, value: Any, field: str) -> Any:
        targets = value if isinstance(value, list) else [value]
        if not targets:
            raise BadRequestData.field(field, "context.no_value")
        for target in targets:
            texts.uri(target, field)
        return value

    def _languageproperty(self, value: Any, field: str) -> Any:
        if not isinstance(value, dict):
            raise BadRequestData.field(field, "field.type", expected="object")
        for language, words in value.items():
            several = words if isinstance(words, list) else [words]
            if not language or not all(isinstance(text, str) and (self._nulls or text != NULL) for text in several):
                raise BadRequestData.field(f"{field}.{language}", "field.type", expected="string, [string]")
        return value

    def _jsonproperty(self, value: Any, field: str) -> Any:
        if not isinstance(value, dict | list):
            raise BadRequestData.field(field, "field.type", expected="object, array")
        return value

    def _vocabproperty(self, value: Any, field: str) -> Any:
        words = value if isinstance(value, list) else [value]
        if not words or not all(isinstance(word, str) for word in words):
            raise BadRequestData.field(field, "field.type", expected="string, [string]")
        return [self._expand(word) for word in value] if isinstance(value, list) else self._expand(value)

    def _listproperty(self, value: Any, field: str) -> Any:
        if not isinstance(value, list):
            raise BadRequestData.field(field, "field.type", expected="array")
        return value

    def _listrelationship(self, value: Any, field: str) -> Any:
        if not isinstance(value, list):
            raise BadRequestData.field(field, "field.type", expected="array")
        found = [item.get("object") if isinstance(item, dict) else item for item in value]
        return [texts.uri(item, field) for item in found]


_READ = {kind: getattr(Reader, f"_{kind.lower()}") for kind in VALUE_KEYS}


def _holds_null(value: Any) -> bool:
    """Whether there is a null in an object, or the text that stands for it."""
    if isinstance(value, dict):
        return any(_holds_null(inner) for inner in value.values())
    return value is None or value == NULL


def _is_instance(item: Any) -> bool:
    return isinstance(item, dict) and (
        item.get("type") in VALUE_KEYS or (item.get("type") is None and any(key in item for key in VALUE_KEYS.values()))
    )
