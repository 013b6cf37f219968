"""Temporal evolution over HTTP: query, retrieve, add and forget (6.18–6.22, 6.24)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote

from mumian.foundation.context.errors import BadRequestData, InvalidRequest, ResourceNotFound
from mumian.foundation.context.ngsild.request import JSON, LD, PREFIX, Answer, Request, accepted, payload, reading_names, shown
from mumian.foundation.context.rules import matching, parameters, series, texts
from mumian.foundation.context.rules.asks import Ask
from mumian.foundation.context.rules.entity import Entity, dataset
from mumian.foundation.context.rules.names import Names
from mumian.foundation.context.rules.rendering import NORMALIZED, Form, attribute, simple
from mumian.foundation.context.rules.series import Moment, Window
from mumian.foundation.context.service.memory import Held
from mumian.foundation.context.service.past import Series

TIME = {"timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods", "aggrPeriodDuration"}
_FORMATS = ("normalized", "temporalValues", "aggregatedValues", "simplified", "concise")
_AT_ONCE = 100
_MOST_CANDIDATES = 20_000
_MOST_LAST = 100_000


@dataclass(frozen=True, eq=False)
class Telling:
    """How the past is asked for and told."""

    window: Window
    format: str
    form: Form
    methods: tuple[str, ...]
    period: series.Period
    names: Names


def telling(query: Mapping[str, str], names: Names) -> Telling:
    """How the past is asked for; raises BadRequestData."""
    options = parameters.options(query)
    format_ = query.get("format") or next(
        (o for o in ("temporalValues", "aggregatedValues", "simplified") if o in options), "normalized"
    )
    if format_ not in _FORMATS:
        raise InvalidRequest.field("format", "field.choice", expected=", ".join(_FORMATS))
    last = parameters.number(query, "lastN", 0, 1, _MOST_LAST) if "lastN" in query else None
    by = query.get("timeproperty", "observedAt")
    window = series.window(query.get("timerel"), query.get("timeAt"), query.get("endTimeAt"), by, last)
    methods: tuple[str, ...] = ()
    if format_ == "aggregatedValues":
        methods = tuple(query.get("aggrMethods", "").split(","))
        if not set(methods) <= set(series.METHODS):
            raise BadRequestData.field("aggrMethods", "field.choice", expected=", ".join(series.METHODS))
    period = series.duration(query.get("aggrPeriodDuration", "PT0S"))
    pick, omit = parameters.projection(query, names)
    datasets = frozenset(query["datasetId"].split(",")) if "datasetId" in query else None
    form = Form("normalized", "sysAttrs" in options, pick, omit, datasets=datasets)
    return Telling(window, format_, form, methods, period, names)


async def query(request: Request) -> Answer:
    """The past of all entities that a query finds."""
    parameters.known(request.query, {*parameters.ASKING, *TIME})
    return await _query(request, request.query, await reading_names(request), None)


async def post(request: Request) -> Answer:
    """A temporal query in a body (6.24)."""
    document, names = await payload(request)
    query_, entities = parameters.flattened(document)
    temporal = document.get("temporalQ", {})
    if not isinstance(temporal, dict):
        raise BadRequestData.field("temporalQ", "field.type", expected="object")
    aggregation = temporal.get("aggrParams", {})
    if not isinstance(aggregation, dict):
        raise BadRequestData.field("temporalQ.aggrParams", "field.type", expected="object")
    if aggregation:
        query_["format"] = "aggregatedValues"
    for name in TIME & (temporal.keys() | aggregation.keys()):
        value = temporal.get(name, aggregation.get(name))
        query_[name] = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return await _query(request, {**request.query, **query_}, names, entities)


async def _query(request: Request, given: Mapping[str, str], names: Names, entities: list[Any] | None) -> Answer:
    media = accepted(request)
    tell = telling(given, names)
    if not tell.window.asked and "timeproperty" in given and "timeAt" in given:
        raise BadRequestData.field("timerel", "field.missing")
    ask = parameters.ask({**given, "local": "true"} if entities else given, names)
    selectors = parameters.selectors(entities) if entities else ask.selectors
    page = parameters.page(given, request.context.settings.page_entities)
    wide = Ask(selectors, None, ask.geo, ask.scope, None, None, names)
    found = await request.context.asking.find(wide, 0, _MOST_CANDIDATES, count=False)
    candidates = [item.entity if isinstance(item, Held) else item for item in found.page]
    shown_, seen = [], 0
    needed = ask.attributes
    for start in range(0, len(candidates), _AT_ONCE):
        part = candidates[start : start + _AT_ONCE]
        past = await request.context.past.of([entity.id for entity in part], tell.window, _wanted(tell.form))
        for entity in part:
            held = past[entity.id]
            if held and (needed is None or needed & held.keys()) and _answers(ask, entity, held):
                if page.offset <= seen < page.offset + page.limit:
                    shown_.append(_tell(entity, held, tell))
                seen += 1
        if seen >= page.offset + page.limit and not page.count:
            break
    headers = [(b"ngsild-results-count", b"%d" % seen)] if page.count else []
    return shown(shown_, names, media, headers=headers)


def _wanted(form: Form) -> frozenset[str] | None:
    return None if form.pick is None else frozenset(name for name in form.pick if ":" in name)


def _answers(ask: Ask, entity: Entity, held: Series) -> bool:
    if ask.q is None:
        return True
    past = replace(entity, attributes={**entity.attributes, **{name: [m.instance for m in ms] for name, ms in held.items()}})
    return matching.matches(ask.q, past, ask.names.expand)


def _tell(entity: Entity, held: Series, tell: Telling) -> dict[str, Any]:
    names = tell.names
    types = [names.compact(type_) for type_ in entity.types]
    told: dict[str, Any] = {"id": entity.id, "type": types[0] if len(types) == 1 else types}
    told = {name: value for name, value in told.items() if tell.form.shows(name)}
    if entity.scope and tell.form.shows("scope"):
        told["scope"] = entity.scope[0] if len(entity.scope) == 1 else list(entity.scope)
    if tell.form.system:
        told |= {"createdAt": entity.created, "modifiedAt": entity.modified}
    for name, known in held.items():
        moments = _in_datasets(known, tell.form.datasets)
        if moments and tell.form.shows(name):
            told[names.compact(name)] = _attribute(moments, tell)
    return told


def _in_datasets(moments: Sequence[Moment], wanted: frozenset[str] | None) -> Sequence[Moment]:
    return moments if wanted is None else [m for m in moments if (dataset(m.instance) or "@none") in wanted]


def _attribute(moments: Sequence[Moment], tell: Telling) -> Any:
    if tell.format in ("normalized", "concise"):
        form = tell.form if tell.form.system else NORMALIZED
        return [{**attribute([m.instance], tell.names, Form(system=form.system)), "instanceId": m.id} for m in moments]
    by_dataset: dict[str | None, list[Moment]] = {}
    for moment in moments:
        by_dataset.setdefault(dataset(moment.instance), []).append(moment)
    told = []
    for name, part in by_dataset.items():
        if tell.format == "aggregatedValues":
            start = tell.window.start if tell.window.asked else None
            entry = series.aggregated(part, tell.window.by, tell.methods, tell.period, start)
        else:
            entry = series.values(part, tell.window.by, partial(simple, names=tell.names, form=NORMALIZED))
        told.append(entry if name is None else {**entry, "datasetId": name})
    return told[0] if len(told) == 1 else told


async def retrieve(request: Request) -> Answer:
    """The past of one entity."""
    parameters.known(request.query, {*parameters.RETRIEVING, *TIME})
    id_ = texts.uri(request.segments[2], "id")
    media, names = accepted(request), await reading_names(request)
    tell = telling(request.query, names)
    entity = request.context.changing.view(id_)
    if entity is None:
        raise ResourceNotFound(kind="entity", name=id_)
    held = (await request.context.past.of([id_], tell.window, _wanted(tell.form)))[id_]
    if not held and (not tell.window.asked or tell.form.pick is not None):
        raise ResourceNotFound(kind="entity", name=id_)
    return shown(_tell(entity, held, tell), names, media)


async def create(request: Request) -> Answer:
    """Add to the past of an entity, which is made if need be: 201 with its address, or 204 (5.6.11)."""
    parameters.known(request.query, {"options", "local"})
    document, names = await payload(request)
    if not isinstance(document, dict) or "id" not in document:
        raise BadRequestData.field("id", "field.missing")
    id_ = texts.uri(document["id"], "id")
    known = request.context.changing.view(id_) is not None
    if not known and "type" not in document:
        raise BadRequestData.field("type", "field.missing")
    await request.context.remembering.add(id_, document, names, request.caller.actor)
    if known:
        return Answer(204)
    return Answer(201, headers=((b"location", f"{PREFIX}/temporal/entities/{quote(id_, safe=':')}".encode()),))


async def add(request: Request) -> Answer:
    """Add instances to the past of an entity that is there (5.6.12)."""
    id_ = texts.uri(request.segments[2], "id")
    document, names = await payload(request, (JSON, LD))
    if request.context.changing.view(id_) is None:
        raise ResourceNotFound(kind="entity", name=id_)
    if not isinstance(document, dict):
        raise BadRequestData.field("", "field.type", expected="object")
    await request.context.remembering.add(id_, document, names, request.caller.actor)
    return Answer(204)


async def forget(request: Request) -> Answer:
    """Forget the past of an entity, of one attribute, or one instance; what is now stays (5.6.13, 5.6.15, 5.6.16)."""
    id_ = texts.uri(request.segments[2], "id")
    context = request.context
    if context.changing.view(id_) is None:
        raise ResourceNotFound(kind="entity", name=id_)
    attribute_, instance = "*", None
    held = (await context.past.of([id_], Window(), None))[id_]
    if len(request.segments) > 4:
        names = await reading_names(request)
        attribute_ = names.expand(texts.name(request.segments[4], "attrId"))
        if attribute_ not in held:
            raise ResourceNotFound(kind="attribute", name=request.segments[4])
    if len(request.segments) > 5:
        instance = texts.uri(request.segments[5], "instanceId")
        if all(moment.id != instance for moment in held[attribute_]):
            raise ResourceNotFound(kind="instance", name=instance)
    if not held:
        raise ResourceNotFound(kind="entity", name=id_)
    await context.remembering.forget(id_, attribute_, instance, request.caller.actor)
    return Answer(204)
