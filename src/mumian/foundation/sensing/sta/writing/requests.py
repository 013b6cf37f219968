"""Requests that write: `create`, `patch`, `put`, `delete` and the links by `$ref`, for HTTP, `$batch` and MQTT alike.

Each takes the path, the payload as it came, and who calls; what it did is durable when it returns. `Change` lets several be one
transaction: what one of them cannot do, none of them does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mumian.foundation.identity.api import Caller, actor_for
from mumian.foundation.sensing import store
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Observations
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.rules import microseconds
from mumian.foundation.sensing.sta import ingest, rendering
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.parsing import decode
from mumian.foundation.sensing.sta.paths import Path
from mumian.foundation.sensing.sta.writing import changing, deleting, observations, observing
from mumian.foundation.sensing.sta.writing.bodies import Draft, Reader, decoded, reference
from mumian.foundation.sensing.sta.writing.creating import attach
from mumian.foundation.sensing.sta.writing.creating import create as make
from mumian.foundation.sensing.sta.writing.errors import Fixed, TooMany
from mumian.foundation.sensing.sta.writing.model import SINGLE, TYPES, EntityType, Link
from mumian.foundation.sensing.sta.writing.work import Waiting, Work
from mumian.kernel.errors import Invalid, MumianError, NotFound
from mumian.kernel.unit_of_work import Transaction

_MOST_AT_ONCE = 100_000
_any: "msgspec.json.Decoder[Any]" = msgspec.json.Decoder()
Step = Callable[[Work], int]


@dataclass
class Change:
    """Several steps as one transaction; `made[i]` is the id that step i made or changed, once it has run."""

    sensing: Sensing
    caller: Caller
    steps: list[Step] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    _unit: Work | None = None

    async def run(self) -> list[int]:
        """Do all steps or none, then record the observations that were nested in new streams."""

        def work(tx: Transaction) -> Work:
            self.made.clear()
            unit = self._work(tx)
            for step in self.steps:
                self.made.append(step(unit))
            return unit

        unit = await self.sensing.platform.records.write(work, actor_for(self.caller))
        self._unit = unit
        self.sensing.registry.changed(unit.streams)
        if unit.waiting:
            try:
                await self._observe(unit.waiting)
            except MumianError:
                await self.undo()
                raise
        return self.made

    def _work(self, tx: Transaction) -> Work:
        return Work(tx, self.caller.organisation, self.caller, self.sensing.tasks)

    async def _observe(self, waiting: list[Waiting]) -> None:
        now = microseconds(self.sensing.platform.clock.now())
        settled = []
        for one in waiting:
            parsed = ingest.parse_value(one.body, one.stream, now, one.at)
            settled.append((await observing.settle(self.sensing, parsed, self.caller)).batch)
        try:
            await self.sensing.recorder.record(Observations.concat(settled))
        except BadRows as error:
            faults = [ingest.fault_behind(waiting[row].at, fault) for row, fault in zip(error.rows, error.faults, strict=True)]
            raise Invalid(*faults) from None

    async def undo(self) -> None:
        """Take back what was made, since the observations that belong to it were refused."""
        unit = self._unit
        assert unit is not None

        def work(tx: Transaction) -> Work:
            again = self._work(tx)
            for name, number in reversed(unit.made):
                kind = TYPES[name]
                row = tx.session.row(f"SELECT * FROM {kind.table} WHERE id = :id", id=number)
                if row is not None and again.kept(kind, row) and again.keeper is not None:
                    again.keeper.cancel(tx, self.caller, number)
                elif row is not None:
                    deleting.remove(again, kind, number)
            return again

        again = await self.sensing.platform.records.write(work, actor_for(self.caller))
        self.sensing.registry.changed(again.streams)


async def create(sensing: Sensing, path: Path, payload: bytes, caller: Caller) -> tuple[str, int]:
    """Create what the payload describes; returns its set and id. Raises Malformed, Invalid, NotFound, Conflict."""
    if path.last == "Observations":
        return "Observations", await observe(sensing, path, payload, caller)
    made = await Change(sensing, caller, [creation(path, payload)]).run()
    return path.last, made[0]


async def observe(sensing: Sensing, path: Path, payload: bytes, caller: Caller) -> int:
    """Record one observation; returns its id."""
    now = microseconds(sensing.platform.clock.now())
    parsed = ingest.parse_one(payload, path.owner_id if len(path.names) > 1 else None, now)
    receipt, _ = await observing.record(sensing, parsed, caller, single=True)
    return int(sensing.amendments.row_of(receipt.first_id) or receipt.first_id)


async def patch(
    sensing: Sensing, path: Path, payload: bytes, caller: Caller, json_patch: bool = False, whole: bool = False
) -> int:
    """Change an entity: some properties, or (`whole`) all of them, or by the operations of a JSON Patch; returns its id."""
    if path.last == "Observations":
        number = await target(sensing, path)
        body = decoded(payload) if not json_patch else _patched_observation(await observations.find(sensing, number), payload)
        await observations.change(sensing, number, body, caller, whole)
        return number
    return (await Change(sensing, caller, [alteration(path, payload, json_patch, whole)]).run())[0]


async def delete(sensing: Sensing, path: Path, caller: Caller) -> None:
    """Delete an entity and what goes with it; see `deleting`."""
    if path.last == "Observations":
        await observations.remove(sensing, [await target(sensing, path)], caller)
        return
    if path.last == "FeaturesOfInterest":
        await _delete_feature(sensing, path, caller)
        return
    await Change(sensing, caller, [deletion(path)]).run()


async def refer(sensing: Sensing, method: str, path: Path, payload: bytes, caller: Caller) -> None:
    """Add, set or remove a link: POST, PUT or DELETE to `…/$ref`."""
    await Change(sensing, caller, [reference_step(method, path, payload)]).run()


def creation(path: Path, payload: bytes) -> Step:
    """The step that creates an entity in the set where the path ends."""
    kind = TYPES[path.last]
    body = decoded(payload)

    def step(work: Work) -> int:
        owner, name, link = _owner(work, path)
        if owner is None:
            return make(work, Reader().draft(kind, body, ""))
        back = next((n for n, other in kind.links.items() if other.target == owner.name), "")
        single = bool(back) and bool(kind.links[back].column)
        draft = Reader().draft(kind, body, "", back)
        if single:
            return make(work, draft, {back: _id(path, -2)})
        required = {"MultiDatastreams": "#ObservedProperties", "HistoricalLocations": "#Locations"}.get(kind.name)
        if required is not None and link.through is not None:
            return make(work, draft, {required: _id(path, -2)})
        number = make(work, draft)
        attach(work, owner, _id(path, -2), name, [number])
        return number

    return step


def alteration(path: Path, payload: bytes, json_patch: bool = False, whole: bool = False) -> Step:
    """The step that changes the entity where the path ends."""
    kind = TYPES[path.last]
    body = decode(_any, payload)

    def step(work: Work) -> int:
        number = _walk(work, path)
        if not json_patch:
            changing.change(work, Reader().changes(kind, body), number, whole)
            return number
        entity = rendering.entity(MODEL[kind.name], work.row(kind, number), "")
        plain = {name: entity[name] for name, known in kind.properties.items() if name in entity and known.form != "derived"}
        changed = changing.patched(plain, body)
        gone = {name: None for name in plain if isinstance(changed, dict) and name not in changed}
        draft = Reader().changes(kind, changed)
        for name in gone:
            draft = _without(draft, name)
        changing.change(work, draft, number)
        return number

    return step


def deletion(path: Path) -> Step:
    """The step that deletes the entity where the path ends."""
    kind = TYPES[path.last]

    def step(work: Work) -> int:
        number = _walk(work, path)
        deleting.remove(work, kind, number)
        return number

    return step


def reference_step(method: str, path: Path, payload: bytes) -> Step:
    """The step that adds, sets or removes a link."""
    body = decoded(payload) if method in ("POST", "PUT") else {}

    def step(work: Work) -> int:
        owner, name, link = _owner(work, path)
        if owner is None:
            raise NotFound(kind="resource", name=path.text)
        number = _id(path, -2)
        if method == "DELETE":
            changing.detach(work, owner, number, name, path.id)
        else:
            if link.many == (method == "PUT"):
                raise Fixed(link=name)
            draft = Reader().changes(owner, {})
            draft.links[name] = [_named(body, link)]
            changing.change(work, draft, number)
        return number

    return step


async def target(sensing: Sensing, path: Path) -> int:
    """The number of the observation where a path ends; raises NotFound where the path does not lead to it."""
    number = path.id
    if number is None:
        raise NotFound(kind="entity", name=path.text)
    row = await observations.find(sensing, number)
    owner = path.owner_id
    if len(path.names) > 1 and path.names[-2] in ("Datastreams", "MultiDatastreams") and owner != int(row.streams[0]):
        raise NotFound(kind="entity", name=path.text)
    return number


async def _delete_feature(sensing: Sensing, path: Path, caller: Caller) -> None:
    """A feature of interest takes the observations of it with it."""
    number = _id(path, -1)
    named = "SELECT stream AS id FROM sensing_stream_feature WHERE feature = :f"
    sql = f"SELECT id FROM sensing_stream WHERE feature = :f UNION {named}"
    rows = await sensing.platform.records.read(lambda s: s.rows(sql, f=number))
    numbers: list[int] = []
    for row in rows:
        numbers += await observations.of_feature(sensing, int(row["id"]), number)
        if len(numbers) > _MOST_AT_ONCE:
            raise TooMany(limit=_MOST_AT_ONCE)

    def step(work: Work) -> int:
        found = _walk(work, path)
        things = work.tx.session.rows("SELECT id FROM sensing_thing WHERE feature = :f", f=found)
        for column in ("feature", "moved_to"):
            work.tx.session.execute(f"UPDATE sensing_stream SET {column} = NULL WHERE {column} = :f", f=found)
        store.delete(work.tx, "sensing_stream_feature", found, "feature")
        deleting.remove(work, TYPES["FeaturesOfInterest"], found)
        for thing in things:
            store.settle(work.tx, thing["id"])
        work.streams |= {int(row["id"]) for row in rows}
        return found

    if numbers:
        await observations.remove(sensing, numbers, caller)
    await Change(sensing, caller, [step]).run()
    sensing.observed.clear()


def _patched_observation(row: Observations, payload: bytes) -> dict[str, Any]:
    changed = changing.patched(observations.value_of(row), decode(_any, payload))
    if not isinstance(changed, dict):
        raise Invalid.field("", "field.type", expected="an object")
    return changed


def _without(draft: Draft, name: str) -> Draft:
    known = draft.kind.properties[name]
    if known.required:
        raise Invalid.field(name, "field.missing")
    draft.given[name] = None
    draft.columns[known.column] = known.default
    return draft


def _owner(work: Work, path: Path) -> tuple[EntityType | None, str, Link]:
    """The entity through which a path leads to its last set, and by which link."""
    if len(path.names) < 2:
        return None, "", Link("")
    owner = TYPES.get(path.names[-2])
    if owner is None or path.ids[-2] is None:
        raise NotFound(kind="resource", name=path.text)
    for name, link in owner.links.items():
        if name == path.links[-1] or (link.target == path.last and name in (path.last, _single(path.last))):
            work.row(owner, path.ids[-2])
            return owner, name, link
    raise NotFound(kind="resource", name=path.text)


def _single(name: str) -> str:
    return next((single for single, plural in SINGLE.items() if plural == name), "")


def _walk(work: Work, path: Path) -> int:
    """The id of the entity where a path ends; raises NotFound where a link of it does not lead there."""
    number = path.ids[0]
    kind = TYPES.get(path.names[0])
    for place in range(1, len(path.names)):
        link = None if kind is None else kind.links.get(path.links[place])
        if link is None or number is None or kind is None or link.target not in TYPES:
            raise NotFound(kind="resource", name=path.text)
        row = work.row(kind, number)
        wanted = path.ids[place]
        found = [row[link.column]] if link.column else deleting.children(work, link, number)
        number = found[0] if link.column and wanted is None else wanted
        if number not in found:
            raise NotFound(kind="entity", name=path.text)
        kind = TYPES[link.target]
    if kind is None or number is None:
        raise NotFound(kind="resource", name=path.text)
    work.row(kind, number)
    return int(number)


def _id(path: Path, place: int) -> int:
    number = path.ids[place]
    if number is None:
        raise NotFound(kind="resource", name=path.text)
    return number


def _named(body: dict[str, Any], link: Link) -> int:
    """The id that a reference names: `@iot.id`, or the end of an address such as `…/Things(5)`."""
    if "@iot.id" in body:
        return reference(body, "")
    for name in ("@iot.selfLink", "@id", "@odata.id"):
        address = body.get(name)
        if isinstance(address, str):
            text = address.rstrip("/").rsplit("/", 1)[-1]
            digits = text.removeprefix(f"{link.target}(").removesuffix(")")
            if text == f"{link.target}({digits})" and digits.isascii() and digits.isdigit() and len(digits) <= 18:
                return int(digits)
            raise Invalid.field(name, "field.pattern", expected=f"…/{link.target}(1)")
    raise Invalid.field("@iot.id", "field.missing")
