"""Context for other components: `platform.get(Context)` reads and writes NGSI-LD entities, own ones and things."""

from collections.abc import Sequence

from mumian.foundation.context import store
from mumian.foundation.context.rules.asks import Ask
from mumian.foundation.context.rules.entity import Entity, decode
from mumian.foundation.context.service.asking import Asking, Found
from mumian.foundation.context.service.changing import Changing
from mumian.foundation.context.service.contexts import Contexts
from mumian.foundation.context.service.folding import Folding
from mumian.foundation.context.service.memory import Memory
from mumian.foundation.context.service.notifying import Notifying
from mumian.foundation.context.service.past import Past
from mumian.foundation.context.service.remembering import Remembering
from mumian.foundation.context.service.subscriptions import Subscriptions
from mumian.foundation.context.service.things import Things
from mumian.foundation.context.service.watching import Watching
from mumian.foundation.context.service.writing import Writer
from mumian.foundation.context.settings import ContextSettings
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Session

__all__ = ["Context", "Entity"]
_PAGE = 20_000


class Context:
    """The entities of a city; all methods are for the event loop."""

    name = "context"

    def __init__(self, platform: Platform, settings: ContextSettings | None = None) -> None:
        self.settings = settings or ContextSettings()
        self.platform = platform

        def sensing() -> Sensing:
            return platform.get(Sensing)

        self.since = platform.clock.now()
        self.identity = f"urn:ngsi-ld:ContextSourceIdentity:{new_id().lower()}"
        self.memory = Memory()
        self.writer = Writer(platform.records, self.memory)
        self.contexts = Contexts(platform.records, platform.clock, self.settings)
        self.things = Things(sensing)
        self.changing = Changing(self.writer, self.things, sensing, platform.clock)
        self.remembering = Remembering(self.changing)
        self.asking = Asking(self.memory, self.things, self.settings.scan_entities)
        self.past = Past(platform, sensing, self.things, self.settings)
        self.folding = Folding(platform, self.settings)
        self.subscriptions = Subscriptions(platform.records, platform.clock, self.contexts, self.things)
        self.notifying = Notifying(platform, self.subscriptions, self.settings)
        self.watching = Watching(platform, self.asking, self.memory, self.things, self.subscriptions, self.notifying)
        self.notifying.before = self.watching.settle
        self.writer.watch = self.subscriptions.notices
        self.writer.after = self.notifying.wake

    async def find(self, ask: Ask, offset: int = 0, limit: int = 1000) -> Found:
        """One page of the entities that answer a query."""
        return await self.asking.find(ask, offset, limit, count=True)

    def entity(self, id_: str) -> Entity | None:
        """The entity of that id as it is now, None if there is none."""
        return self.changing.view(id_)

    async def upsert(self, entities: Sequence[Entity], actor: Actor) -> None:
        """Create entities, or replace those of the same ids; durable when it returns."""
        changes = [
            self.changing.prepare_create(entity)
            if self.changing.view(entity.id) is None
            else self.changing.prepare_replace(entity)
            for entity in entities
        ]
        await self.writer.submit(changes, actor)

    async def start(self) -> None:
        """Read all entities into memory, then fold and notify in the background."""
        await self.contexts.load()
        self.writer.next_number = await self.platform.records.read(store.highest) + 1
        after = ""
        while True:
            rows = await self.platform.records.read(lambda session, a=after: store.entities(session, a, _PAGE))  # type: ignore[misc]
            for row in rows:
                self.memory.put(decode(row["id"], row["body"]), row["number"])
            if len(rows) < _PAGE:
                break
            after = rows[-1]["id"]
        await self.subscriptions.load()
        await self.watching.start()
        await self.folding.start()
        await self.notifying.start()

    async def stop(self) -> None:
        """Finish what is under way."""
        await self.writer.settle()
        await self.notifying.stop()
        await self.folding.stop()

    async def settle(self) -> bool:
        """Do all that is due now."""
        await self.writer.settle()
        notified = await self.notifying.settle()
        return await self.folding.settle() or notified

    @staticmethod
    def count(session: Session) -> int:
        """How many own entities are kept."""
        return int(session.value("SELECT COUNT(*) FROM context_entity") or 0)
