"""Subscriptions: kept in the records, compiled in memory; they turn changes into notices, in the commit that makes them true."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mumian.foundation.context import store
from mumian.foundation.context.errors import AlreadyExists, ResourceNotFound
from mumian.foundation.context.events import SubscriptionChanged
from mumian.foundation.context.rules import subscription as rules
from mumian.foundation.context.rules import telling
from mumian.foundation.context.rules.asks import Ask
from mumian.foundation.context.rules.compiling import compiled
from mumian.foundation.context.rules.entity import Entity
from mumian.foundation.context.rules.names import CORE, Names
from mumian.foundation.context.rules.rendering import Form, geojson, render
from mumian.foundation.context.rules.texts import microseconds
from mumian.foundation.context.service.contexts import Contexts
from mumian.foundation.context.service.things import Things, as_entity
from mumian.foundation.context.service.writing import Change
from mumian.kernel.clock import Clock, iso
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Actor, Records, Row, Transaction

_encode = msgspec.json.Encoder().encode


@dataclass(eq=False)
class Subscription:
    """A subscription: what it says, compiled; `state` is what became of its notifications."""

    id: str
    body: dict[str, Any]
    context: Any
    names: Names
    ask: Ask
    form: Form
    watched: frozenset[str] | None
    triggers: frozenset[str]
    created: str
    modified: str
    owner: str
    state: dict[str, Any] = field(default_factory=dict)
    until: int = 0
    """No notification before this instant, in µs: throttling."""

    @property
    def endpoint(self) -> rules.Endpoint:
        """Where its notifications go."""
        return rules.endpoint(self.body["notification"])


class Subscriptions:
    """All subscriptions, and what they have to say to changes."""

    def __init__(self, records: Records, clock: Clock, contexts: Contexts, things: Things) -> None:
        self._records = records
        self._clock = clock
        self._contexts = contexts
        self._things = things
        self.all: dict[str, Subscription] = {}
        self.next_notice = 1

    def now(self) -> int:
        """The present instant in µs."""
        return microseconds(iso(self._clock.now())) or 0

    async def load(self) -> None:
        """Read what is kept."""
        rows = await self._records.read(store.subscriptions)
        self.next_notice = await self._records.read(store.highest_notice) + 1
        for row in rows:
            made = await self._compiled(
                row["id"], json.loads(row["body"]), json.loads(row["context"]), row["owner"], row["created"]
            )
            made.modified, made.state = row["modified"], json.loads(row["state"])
            self.all[made.id] = made

    async def _compiled(self, id_: str, body: dict[str, Any], context: Any, owner: str, created: str) -> Subscription:
        names = await self._contexts.names(context)
        ask, form, watched = compiled(body, names)
        if "jsonldContext" in body:
            names = await self._contexts.names(body["jsonldContext"])
        return Subscription(id_, body, context, names, ask, form, watched, rules.triggers_of(body), created, created, owner)

    def find(self, id_: str) -> Subscription:
        """The subscription of that id; raises ResourceNotFound."""
        if id_ not in self.all:
            raise ResourceNotFound(kind="subscription", name=id_)
        return self.all[id_]

    async def create(self, body: dict[str, Any], context: Any, actor: Actor) -> Subscription:
        """Keep a new subscription; raises BadRequestData, AlreadyExists, LdContextNotAvailable."""
        rules.check(body, self.now())
        id_ = body.get("id") or f"urn:ngsi-ld:Subscription:{new_id().lower()}"
        if id_ in self.all:
            raise AlreadyExists(kind="subscription", name=id_)
        made = await self._compiled(id_, {**body, "id": id_}, context, actor.id, iso(self._clock.now()))
        await self._keep(made, "created", actor)
        return made

    async def change(self, id_: str, patch: dict[str, Any], context: Any, actor: Actor) -> None:
        """Merge a fragment into a subscription."""
        held = self.find(id_)
        body = rules.merged(held.body, patch)
        rules.check({k: v for k, v in body.items() if k != "expiresAt" or "expiresAt" in patch}, self.now())
        made = await self._compiled(id_, body, held.context if context is None else context, held.owner, held.created)
        made.modified, made.state = iso(self._clock.now()), held.state
        await self._keep(made, "changed", actor)

    async def _keep(self, made: Subscription, change: str, actor: Actor) -> None:
        row: Row = {"id": made.id, "body": json.dumps(made.body), "context": json.dumps(made.context), "owner": made.owner}
        row |= {"state": json.dumps(made.state), "created": made.created, "modified": made.modified}

        def work(tx: Transaction) -> None:
            store.save_subscription(tx, row)
            tx.emit(SubscriptionChanged(subject=made.id, change=change))

        await self._records.write(work, actor)
        self.all[made.id] = made

    async def delete(self, id_: str, actor: Actor) -> None:
        """Drop a subscription and what waits for its receiver."""
        self.find(id_)

        def work(tx: Transaction) -> None:
            store.delete_subscription(tx, id_)
            tx.emit(SubscriptionChanged(subject=id_, change="deleted"))

        await self._records.write(work, actor)
        self.all.pop(id_, None)

    def notices(self, changes: Sequence[Change]) -> list[Row]:
        """The notices that some changes bring, each subscription one, with all entities that concern it."""
        if not self.all:
            return []
        found = []
        for subscription in self._listening():
            told: dict[str, Any] = {}
            for change in changes:
                entity = self._concerned(subscription, change)
                if entity is not None:
                    told[change.id] = self._shown(subscription, entity, change)
            if told:
                found.append(self.notice(subscription, list(told.values())))
        return found

    def observed(self, entities: Sequence[Entity], names: dict[str, set[str]]) -> list[Row]:
        """The notices that observations bring: things as they are now, and the attributes that were observed of each."""
        found = []
        for subscription in self._listening():
            if not subscription.triggers & {"attributeUpdated", "entityUpdated", "attributeCreated"}:
                continue
            told = [
                self._shown(subscription, entity, None)
                for entity in entities
                if (subscription.watched is None or subscription.watched & names[entity.id]) and subscription.ask.matches(entity)
            ]
            if told:
                found.append(self.notice(subscription, told))
        return found

    def due(self) -> list[Subscription]:
        """The subscriptions that are told at regular times, and now."""
        now = self.now()
        return [
            s for s in self.all.values() if "timeInterval" in s.body and s.until <= now and rules.status(s.body, now) == "active"
        ]

    def periodic(self, subscription: Subscription, entities: Sequence[Entity]) -> Row:
        """The notice of one that is told at regular times: all entities that it asks for."""
        row = self.notice(subscription, [self._shown(subscription, entity, None) for entity in entities])
        subscription.until = self.now() + round(subscription.body["timeInterval"] * 1_000_000)
        return row

    def _listening(self) -> list[Subscription]:
        now = self.now()
        return [
            s for s in self.all.values()
            if s.until <= now and "timeInterval" not in s.body and rules.status(s.body, now) == "active"
        ]  # fmt: skip

    def _concerned(self, subscription: Subscription, change: Change) -> Entity | None:
        """The entity to tell of, if the change is one that the subscription wants to hear of."""
        triggers, watched = subscription.triggers, subscription.watched
        if change.new is None:
            entity = change.old
            hit = "entityDeleted" in triggers or ("attributeDeleted" in triggers and watched is not None)
        else:
            entity = self._whole(change.new)
            hit = self._triggered(triggers, watched, change)
        if entity is None or not hit:
            return None
        if watched is not None and change.new is None and watched.isdisjoint(entity.attributes):
            return None
        return entity if subscription.ask.matches(entity) else None

    @staticmethod
    def _triggered(triggers: frozenset[str], watched: frozenset[str] | None, change: Change) -> bool:
        before = change.old.attributes if change.old else {}
        changed = [name for name in change.delta.attributes if watched is None or name in watched]
        gone = [name for name, _ in change.delta.gone if watched is None or name in watched]
        return (
            ("entityCreated" in triggers and change.old is None and (watched is None or bool(changed)))
            or ("entityUpdated" in triggers and change.old is not None and bool(changed or gone))
            or ("attributeCreated" in triggers and any(name not in before for name in changed))
            or ("attributeUpdated" in triggers and any(name in before for name in changed))
            or ("attributeDeleted" in triggers and bool(gone))
        )

    def _whole(self, entity: Entity) -> Entity:
        thing = self._things.find(entity.id)
        return entity if thing is None else as_entity(thing, self._things.latest([thing]), entity)

    def _shown(self, subscription: Subscription, entity: Entity, change: Change | None) -> dict[str, Any]:
        if subscription.endpoint.accept == "application/geo+json":
            return geojson(entity, subscription.names, subscription.form)
        notification = subscription.body["notification"]
        if change is not None:
            watched = None if change.new is None else subscription.watched
            deleted = bool(subscription.triggers & {"attributeDeleted", "entityDeleted", "entityUpdated"})
            entity = telling.told(entity, change.old, change.delta, watched, deleted, notification)
        shown = render(entity, subscription.names, subscription.form)
        return {**shown, "deletedAt": change.delta.time} if change is not None and change.new is None else shown

    def notice(self, subscription: Subscription, data: list[Any]) -> Row:
        """A notice to be kept until its receiver has taken it; throttling begins."""
        now = self.now()
        if "throttling" in subscription.body:
            subscription.until = now + round(subscription.body["throttling"] * 1_000_000)
        time = iso(self._clock.now())
        number, self.next_notice = self.next_notice, self.next_notice + 1
        body: dict[str, Any] = {"id": f"urn:ngsi-ld:Notification:{new_id().lower()}", "type": "Notification"}
        body |= {"subscriptionId": subscription.id, "notifiedAt": time}
        if subscription.endpoint.accept == "application/geo+json":
            body["data"] = {"type": "FeatureCollection", "features": data}
        else:
            body["data"] = data
        if subscription.endpoint.accept == "application/ld+json":
            body["@context"] = [subscription.names.address, CORE.key] if subscription.names.address else CORE.key
        return {"number": number, "subscription": subscription.id, "body": _encode(body).decode(), "time": time}
