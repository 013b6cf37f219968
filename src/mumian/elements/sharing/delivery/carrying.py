"""Carrying: what deliveries are due is brought page by page, counted and proven, with longer and longer pauses after failures."""

import asyncio
import time
from datetime import timedelta
from typing import Any

from mumian.elements.catalog.api import Tables
from mumian.elements.protection.api import Answer, Gate, Limits
from mumian.elements.sharing import store
from mumian.elements.sharing.contracts import Delivery, Proof
from mumian.elements.sharing.delivery import hooks, pages, pushing
from mumian.elements.sharing.errors import NoSuchGrant, NotInForce, QuotaUsed
from mumian.elements.sharing.rules import cases
from mumian.elements.sharing.rules.questions import Question
from mumian.elements.sharing.service.keeping import DELIVERIES
from mumian.elements.sharing.service.reading import Asked, Reading
from mumian.elements.sharing.service.terms import Terms
from mumian.elements.sharing.settings import SharingSettings
from mumian.foundation.cryptography.api import Cryptography
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid, MumianError
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_AT_ONCE = 20
_PAUSE = 2.0


class Carrying:
    """Looks every two seconds, and at once after a load."""

    name = "elements.sharing.carrying"

    def __init__(self, platform: Platform, terms: Terms, reading: Reading, settings: SharingSettings) -> None:
        self._platform = platform
        self._terms = terms
        self._reading = reading
        self._settings = settings
        self._loop = Loop(self.name, platform.clock, self.settle, lambda: platform.clock.real_seconds(_PAUSE))

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the page under way."""
        await self._loop.stop()

    def loaded(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Rows came into a dataset: its deliveries are due."""
        for delivery in store.DELIVERIES.page(tx.session, {"dataset": event.subject, "state": "active"}, 10_000):
            changed: dict[str, Any] = {"next_at": delivery.next_at if delivery.attempts else tx.now_text}
            if event.data["mode"] == "replace":
                changed["load"] = event.data["load"]
            self._move(tx, delivery, "load", changed)

    async def settle(self) -> bool:
        """Bring what is due now; True if there was anything."""

        def due(session: Session) -> list[Delivery]:
            now = iso(self._platform.clock.now())
            return store.DELIVERIES.due(session, "next_at", {"state": "active"}, now, _AT_ONCE)

        found = await self._platform.records.read(due)
        await asyncio.gather(*(self._carry(delivery) for delivery in found))
        return bool(found)

    async def _carry(self, delivery: Delivery) -> None:
        """One page of a delivery, or the news that there is none."""
        try:
            await self._bring(delivery)
        except QuotaUsed as error:
            await self._keep(delivery, "wait", {"next_at": error.values["renews"], "error": str(error)[:300]})
        except (NotInForce, NoSuchGrant) as error:
            await self._keep(delivery, "stop", {"next_at": None, "error": str(error)[:300]})
        except (hooks.Refused, MumianError, OSError) as error:
            await self._failed(await self._again(delivery), str(error)[:300] or type(error).__name__)

    async def _bring(self, delivery: Delivery) -> None:
        grant, _ = await self._reading.open(pages.carrier(self._platform, delivery), delivery.grant)
        if delivery.way == "push":
            arrived = await asyncio.to_thread(pushing.position, self._table(delivery))
            if arrived > delivery.position:
                delivery = await self._keep(delivery, "deliver", {"position": arrived, "trying": 0})
        declared = [field.name for field in self._terms.dataset(grant.dataset).fields]
        sql = pages.sql(grant, declared, self._settings.page_rows, delivery.trying)
        asked = Asked(pages.carrier(self._platform, delivery), grant.id, grant.purpose, hooks.fingerprint(sql.encode()))
        limits = Limits(rows=self._settings.page_rows, seconds=self._platform.get(Gate).settings.seconds)
        params = {"after": delivery.position}
        if delivery.trying:
            found: pages.Page | None = None
            async for columns, rows in self._reading.collect(asked, grant, Question(sql, params, ()), limits):
                found = pages.Page(columns, [*(found.rows if found else []), *rows])
            proof: Proof | None = None
            content = b"" if found is None or not found.rows else self._body(delivery, found)
        else:
            taken: list[pages.Page] = []

            def write(answer: Answer) -> bytes:
                taken.append(pages.Page.of(answer))
                return self._body(delivery, taken[0]) if answer.rows else b""

            if not await self._anything(delivery):
                return await self._finish(delivery)
            content, proof = await self._reading.query(asked, sql, limits, write, params)
            found = taken[0]
        if found is None or not found.rows:
            return await self._finish(delivery)
        if not delivery.trying:
            delivery = await self._keep(delivery, "try", {"trying": found.last})
        await self._hand_over(delivery, found, content, proof)
        more = {
            "position": found.last,
            "trying": 0,
            "attempts": 0,
            "error": "",
            "rows_sent": delivery.rows_sent + len(found.rows),
        }
        await self._keep(delivery, "deliver", more | {"next_at": iso(self._platform.clock.now())})
        return None

    async def _anything(self, delivery: Delivery) -> bool:
        """Whether the dataset has rows behind the position: an empty page costs nothing of the quota."""
        tables = self._platform.get(Tables)
        return await self._platform.records.read(lambda s: tables.last_row(s, delivery.dataset)) > delivery.position

    async def _finish(self, delivery: Delivery) -> None:
        """Nothing more to bring: what a load replaced goes, and the delivery waits for the next load."""
        if delivery.load and delivery.way == "push":
            await asyncio.to_thread(pushing.forget, self._table(delivery), delivery.load)
        await self._keep(delivery, "wait", {"next_at": None, "load": 0, "trying": 0, "attempts": 0, "error": ""})

    async def _hand_over(self, delivery: Delivery, page: pages.Page, content: bytes, proof: Proof | None) -> None:
        if delivery.way == "push":
            await asyncio.to_thread(pushing.write, self._table(delivery), page)
            return
        key = self._platform.get(Gate).keys.key(f"webhook:{delivery.number}")
        stamp = int(time.time())  # receivers hold it against their own clock, also while the city is replayed
        given = hooks.headers(f"{delivery.number}.{page.last}", stamp, content, key, self._platform.get(Cryptography))
        await hooks.send(delivery.address, content, given, proof, self._settings.timeout_seconds, self._settings.targets)

    def _table(self, delivery: Delivery) -> pushing.Table:
        spec = self._platform.declarations.get("PushTarget", delivery.address).spec
        if spec.holder != delivery.holder:
            raise Invalid.field("address", "field.reference", kind="PushTarget", name=delivery.address)
        return pushing.Table(spec, delivery.place, tuple(self._terms.dataset(delivery.dataset).key), delivery.number)

    def _body(self, delivery: Delivery, page: pages.Page) -> bytes:
        return hooks.body(delivery, page, iso(self._platform.clock.now()))

    async def _failed(self, delivery: Delivery, reason: str) -> None:
        attempts = delivery.attempts + 1
        if attempts >= self._settings.attempts:
            await self._keep(delivery, "fail", {"attempts": attempts, "next_at": None, "error": reason})
            return
        following = self._platform.clock.now() + timedelta(seconds=cases.pause(attempts))
        await self._keep(delivery, "wait", {"attempts": attempts, "next_at": iso(following), "error": reason})

    async def _again(self, delivery: Delivery) -> Delivery:
        """A delivery as it stands after a failure half-way."""
        found = await self._platform.records.read(lambda session: store.DELIVERIES.find(session, delivery.number))
        return found or delivery

    async def _keep(self, delivery: Delivery, action: str, changed: dict[str, Any]) -> Delivery:
        def work(tx: Transaction) -> Delivery:
            kept = DELIVERIES.get(tx.session, delivery.number)
            if kept.state != "active":
                return kept
            waiting = changed
            if kept.version != delivery.version and action == "wait" and not changed.get("attempts"):
                # A load came meanwhile: it is not overlooked.
                waiting = {**changed, "next_at": kept.next_at, "load": kept.load}
            return self._move(tx, kept, action, waiting)

        return await self._platform.records.write(work)

    @staticmethod
    def _move(tx: Transaction, delivery: Delivery, action: str, changed: dict[str, Any]) -> Delivery:
        return DELIVERIES.move(tx, delivery, cases.delivery_after(delivery, action, changed), action)
