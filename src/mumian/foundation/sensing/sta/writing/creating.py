"""Creating entities from drafts, with all that is nested in them, in one transaction."""

import json

from mumian.foundation.sensing import store
from mumian.foundation.sensing.sta.writing.bodies import Draft
from mumian.foundation.sensing.sta.writing.model import TASK_STATES, TYPES, EntityType, Link
from mumian.foundation.sensing.sta.writing.work import Waiting, Work, refuse_declared
from mumian.kernel.errors import Invalid
from mumian.kernel.unit_of_work import Row

Preset = dict[str, int]


def create(work: Work, draft: Draft, preset: Preset | None = None) -> int:
    """Make the entity and what is nested in it; `preset` links it to what is there already. Returns its id."""
    kind, known = draft.kind, preset or {}
    links: dict[str, int | list[int]] = {}
    for name, link in kind.links.items():
        if link.column and (name in known or name in draft.links):
            links[name] = known[name] if name in known else _resolve(work, link, draft, name)[0]
    if kind.name == "Tasks":
        task = _kept_task(work, draft, links)
        if task is not None:
            return task
    columns = {**draft.columns, **{kind.links[name].column: number for name, number in links.items()}}
    if kind.table == "sensing_stream":
        number = _stream(work, draft, columns, links, known)
    else:
        columns |= _unasked(work, kind)
        number = store.insert(work.tx, kind.table, kind.sequence, columns)
    if kind.name == "HistoricalLocations":
        _pairs(work, draft, known, links, number)
    work.created(kind, number, {k: v for k, v in draft.given.items() if v is not None}, links)
    for name, link in kind.links.items():
        if link.many and name in draft.links and name not in links:
            _hang(work, draft, number, name, link)
    work.waiting += [Waiting(number, body, f"{draft.at}Observations[{i}].") for i, body in enumerate(draft.observations)]
    return number


def _kept_task(work: Work, draft: Draft, links: dict[str, int | list[int]]) -> int | None:
    """The task that another component makes of the draft; None where the capability is sensing's own."""
    capability = links["TaskingCapability"]
    assert isinstance(capability, int)
    if work.keeper is None or work.caller is None or not work.keeper.keeps(work.tx.session, capability):
        return None
    work.permit(draft.kind)
    if draft.given.get("status") not in (None, TASK_STATES[0]):
        raise Invalid.field(draft.place("status"), "field.choice", expected=TASK_STATES[0])
    properties = draft.given.get("properties") or {}
    number = work.keeper.create(work.tx, work.caller, capability, draft.given["taskingParameters"], properties)
    work.made.append((draft.kind.name, number))
    return number


def attach(work: Work, kind: EntityType, number: int, name: str, others: list[int]) -> None:
    """Link an entity to others that exist, over a link to many."""
    link = kind.links[name]
    if link.back:
        for other in others:
            _take(work, TYPES[link.target], other, link.back, number)
    elif link.through == TYPES["Things"].links["Locations"].through:
        work.move(number, others)
    elif kind.name == "Locations" and name == "Things":
        for thing in others:
            work.move(thing, [number])
    elif link.through is not None:
        table, own, other_column = link.through
        sql = f"INSERT INTO {table} ({own}, {other_column}) VALUES (:own, :other) ON CONFLICT DO NOTHING"
        work.tx.session.execute_many(sql, [{"own": number, "other": other} for other in others])


def _unasked(work: Work, kind: EntityType) -> Row:
    """Columns that no request gives."""
    if kind.name == "Things":
        return {"origin": "sensorthings"}
    if kind.name == "Tasks":
        return {"created": work.tx.now_text, "changed": work.tx.now_text}
    return {}


def _resolve(work: Work, link: Link, draft: Draft, name: str, preset: Preset | None = None) -> list[int]:
    """The ids of what a link names, made where it is nested."""
    found = []
    for place, one in enumerate(draft.links[name]):
        at = draft.place(name) + (f"[{place}]" if link.many else "")
        found.append(work.existing(link.target, one, at) if isinstance(one, int) else create(work, one, preset))
    return found


def _hang(work: Work, draft: Draft, number: int, name: str, link: Link) -> None:
    """Link a new entity to many, some of which are made."""
    target = TYPES[link.target]
    back = next((n for n, other in target.links.items() if other.column and other.column == link.back), "")
    if link.back:
        made = _resolve(work, link, draft, name, {back: number})
        given = [one for one in draft.links[name] if isinstance(one, int)]
        attach(work, draft.kind, number, name, [one for one in made if one in given])
    elif link.target in ("MultiDatastreams", "HistoricalLocations"):
        single = {"MultiDatastreams": "ObservedProperties", "HistoricalLocations": "Locations"}[link.target]
        made = _resolve(work, link, draft, name, {f"#{single}": number})
        given = [one for one in draft.links[name] if isinstance(one, int)]
        if given and link.target == "MultiDatastreams":
            raise Invalid.field(draft.place(name), "sensing.several_fixed")
        attach(work, draft.kind, number, name, given)
    else:
        attach(work, draft.kind, number, name, _resolve(work, link, draft, name))


def _take(work: Work, kind: EntityType, other: int, column: str, number: int) -> None:
    """Let an entity that exists hang on another one."""
    row = work.row(kind, other)
    work.refuse_kept(kind, row)
    refuse_kept_target(work, kind, column, number)
    if kind.table == "sensing_stream":
        refuse_declared(row)
        work.streams.add(other)
    store.update(work.tx, kind.table, other, {column: number})
    if kind.table == "sensing_stream" and column == "thing":
        store.settle(work.tx, number)
    name = next(n for n, link in kind.links.items() if link.column == column)
    work.changed(kind, other, {}, {name: number})


def refuse_kept_target(work: Work, kind: EntityType, column: str, number: int) -> None:
    """Raise Kept where a task would be hung on a capability that somebody else keeps."""
    if kind.name == "Tasks" and column == "capability":
        work.refuse_kept(TYPES["TaskingCapabilities"], {"id": number})


def _pairs(work: Work, draft: Draft, known: Preset, links: dict[str, int | list[int]], number: int) -> None:
    """The locations of an entry of history; the newest entry says where its thing is."""
    locations = (
        [known["#Locations"]] if "#Locations" in known else _resolve(work, draft.kind.links["Locations"], draft, "Locations")
    )
    links["Locations"] = locations
    attach(work, draft.kind, number, "Locations", locations)
    thing, time = links["Thing"], draft.columns["time"]
    assert isinstance(thing, int)
    later = "SELECT 1 FROM sensing_history WHERE thing = :thing AND id <> :id AND time > :time"
    if work.tx.session.value(later, thing=thing, id=number, time=time) is None:
        work.move(thing, locations, number)


def _stream(work: Work, draft: Draft, columns: Row, links: dict[str, int | list[int]], known: Preset) -> int:
    several: list[int] = []
    if draft.kind.name == "MultiDatastreams":
        property_ = draft.kind.links["ObservedProperties"]
        several = [known["#ObservedProperties"]] if "#ObservedProperties" in known else []
        several += _resolve(work, property_, draft, "ObservedProperties") if "ObservedProperties" in draft.links else []
        links["ObservedProperties"] = several
        check_several(draft, len(several), columns["units"], columns["observation_types"])
    first = json.loads(columns["units"])[0] if several else {}
    made = store.StreamDraft(
        name="",
        title={"zh": columns["title_en"], "en": columns["title_en"]},
        description=columns["description"],
        thing=columns["thing"],
        sensor=columns["sensor"],
        property=several[0] if several else columns["property"],
        unit=columns.get("unit") or str(first.get("symbol") or first.get("name") or "1"),
        unit_name=columns.get("unit_name", ""),
        unit_definition=columns.get("unit_definition", ""),
        owner=work.owner,
        origin="sensorthings",
        properties=json.loads(columns["properties"]),
        observation_type=columns["observation_type"],
        observed_area=columns.get("observed_area"),
        units=columns.get("units"),
        observation_types=columns.get("observation_types"),
        several=tuple(several),
    )
    number = store.register(work.tx, made)
    work.streams.add(number)
    return number


def check_several(draft: Draft, count: int, units: str, types: str) -> None:
    """A stream of several properties has as many units and types as properties."""
    for name, text in (("unitOfMeasurements", units), ("multiObservationDataTypes", types)):
        value = json.loads(text)
        if not isinstance(value, list):
            raise Invalid.field(draft.place(name), "field.type", expected="a list")
        if len(value) != count:
            raise Invalid.field(draft.place(name), "field.length", expected=str(count))
        wanted = dict if name == "unitOfMeasurements" else str
        for place, one in enumerate(value):
            if not isinstance(one, wanted):
                expected = "an object" if wanted is dict else "text"
                raise Invalid.field(f"{draft.place(name)}[{place}]", "field.type", expected=expected)
