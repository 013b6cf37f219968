"""Rendering: entities as clients read them, normalized, concise, simplified or as GeoJSON, in the names of their context."""

from dataclasses import dataclass
from typing import Any

from mumian.foundation.context.rules.core import LOCATION, RESERVED, SYSTEM, VALUE_KEYS
from mumian.foundation.context.rules.entity import Attributes, Entity, Instance, dataset
from mumian.foundation.context.rules.names import Names

_ORDER = {"id": 0, "type": 1}
_WRAPPED = {"LanguageProperty", "VocabProperty", "JsonProperty"}
_AMBIGUOUS = frozenset({"type", *VALUE_KEYS.values()})


@dataclass(frozen=True)
class Form:
    """How an entity is to be shown: `pick` and `omit` are addresses or `id`, `type`, `scope`; `datasets` may hold `@none`."""

    format: str = "normalized"
    system: bool = False
    pick: frozenset[str] | None = None
    omit: frozenset[str] = frozenset()
    language: str | None = None
    datasets: frozenset[str] | None = None

    def shows(self, name: str) -> bool:
        """Whether a member is to be shown."""
        return (self.pick is None or name in self.pick) and name not in self.omit


NORMALIZED = Form()


def render(entity: Entity, names: Names, form: Form) -> dict[str, Any]:
    """An entity as a JSON object."""
    shown: dict[str, Any] = {}
    if form.shows("id"):
        shown["id"] = entity.id
    if form.shows("type"):
        shown["type"] = _one_or_all([names.compact(type_) for type_ in entity.types])
    if entity.scope and form.shows("scope"):
        shown["scope"] = _one_or_all(list(entity.scope))
    if form.system:
        shown["createdAt"], shown["modifiedAt"] = entity.created, entity.modified
    for name, instances in entity.attributes.items():
        if (form.pick is not None or form.omit) and not form.shows(name):
            continue
        if form.datasets is not None:
            instances = [i for i in instances if (dataset(i) or "@none") in form.datasets]  # noqa: PLW2901
            if not instances:
                continue
        shown[names.compact(name)] = attribute(instances, names, form)
    return shown


def attribute(instances: list[Instance], names: Names, form: Form) -> Any:
    """An attribute: its one instance, or all of them."""
    if form.format == "simplified":
        if len(instances) == 1:
            return simple(instances[0], names, form)
        return {"dataset": {dataset(i) or "@none": simple(i, names, form) for i in instances}}
    show = _concise if form.format == "concise" else _normal
    if len(instances) == 1:
        return show(instances[0], names, form)
    return [show(instance, names, form) for instance in instances]


def geojson(entity: Entity, names: Names, form: Form, geometry: str = LOCATION) -> dict[str, Any]:
    """An entity as a GeoJSON feature; its geometry is the default instance of that attribute, or null."""
    properties = render(entity, names, form)
    properties.pop("id", None)
    instances = entity.attributes.get(geometry, [])
    values = [i["value"] for i in sorted(instances, key=lambda i: dataset(i) or "") if i["type"] == "GeoProperty"]
    return {"id": entity.id, "type": "Feature", "geometry": values[0] if values else None, "properties": properties}


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _normal(instance: Instance, names: Names, form: Form) -> dict[str, Any]:
    kind = instance["type"]
    if form.language is not None and kind == "LanguageProperty":
        return _spoken(instance, names, form)
    shown: dict[str, Any] = {}
    for name, value in instance.items():
        if name not in RESERVED:
            shown[names.compact(name)] = attribute(value, names, form)
        elif name in SYSTEM:
            if form.system:
                shown[name] = value
        elif name in ("vocab", "objectType"):
            shown[name] = _words(value, names) if name == "vocab" else _one_or_all(_words(value, names))
        elif name == "objectList":
            shown[name] = [{"object": target} for target in value]
        else:
            shown[name] = value
    return shown


def _concise(instance: Instance, names: Names, form: Form) -> Any:
    shown = _normal(instance, names, form)
    kind = shown.pop("type")
    if len(shown) > 1 or kind not in ("Property", "GeoProperty"):
        return shown
    value = shown["value"]
    plain = kind == "GeoProperty" or (not (isinstance(value, dict) and _AMBIGUOUS & value.keys()) and not isinstance(value, list))
    return value if plain else shown


def simple(instance: Instance, names: Names, form: Form) -> Any:
    """An instance's value alone; what is not plain says of which kind it is."""
    kind = instance["type"]
    if form.language is not None and kind == "LanguageProperty":
        return _spoken(instance, names, form)["value"]
    key = VALUE_KEYS[kind]
    value = instance[key]
    if kind == "VocabProperty":
        value = _words(value, names)
    return {key: value} if kind in _WRAPPED else value


def _words(value: Any, names: Names) -> Any:
    return [names.compact(word) for word in value] if isinstance(value, list) else names.compact(value)


def _spoken(instance: Instance, names: Names, form: Form) -> dict[str, Any]:
    """A LanguageProperty in the one language that fits best, as a Property (4.15)."""
    tag, words = best_language(instance["languageMap"], form.language or "*")
    rest = {name: value for name, value in instance.items() if name not in ("languageMap", "type")}
    return _normal({"type": "Property", "value": words, "lang": tag, **rest}, names, Form(form.format, form.system))


def best_language(words: dict[str, Any], wanted: str) -> tuple[str, Any]:
    """The tag and words of a language map that fit an Accept-Language-like list best; any where none fits."""
    ranges: list[tuple[float, str]] = []
    for place, part in enumerate(wanted.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranges.append((-float(weight or 1) + place * 1e-6, tag.strip().lower()))
        except ValueError:
            continue
    for _, tag in sorted(ranges):
        for have, text in words.items():
            if have.lower() == tag or have.lower().startswith(tag + "-") or tag.startswith(have.lower() + "-"):
                return have, text
    return next(((tag, words[tag]) for tag in ("@none", "en") if tag in words), next(iter(words.items()), ("@none", "")))


def only(attributes: Attributes, wanted: frozenset[str] | None) -> Attributes:
    """Some of an entity's attributes; None: all."""
    return attributes if wanted is None else {name: held for name, held in attributes.items() if name in wanted}
