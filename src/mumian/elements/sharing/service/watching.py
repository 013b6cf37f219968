"""Watching: what is overdue is noted, what was returned and never supplied lapses, grants end, and use is told."""

from mumian.elements.sharing import store
from mumian.elements.sharing.contracts import Application
from mumian.elements.sharing.events import Used
from mumian.elements.sharing.rules import applications
from mumian.elements.sharing.service.applying import Applying
from mumian.elements.sharing.service.demanding import Demanding
from mumian.elements.sharing.service.granting import Granting
from mumian.elements.sharing.service.metering import store as meters
from mumian.elements.sharing.service.objecting import Objecting
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_PAUSE = 20.0
_MANY = 200


class Watching:
    """Looks every twenty seconds."""

    name = "elements.sharing.watching"

    def __init__(
        self, platform: Platform, applying: Applying, granting: Granting, objecting: Objecting, demanding: Demanding
    ) -> None:
        self._platform = platform
        self._applying = applying
        self._granting = granting
        self._objecting = objecting
        self._demanding = demanding
        self._loop = Loop(self.name, platform.clock, self.settle, lambda: platform.clock.real_seconds(_PAUSE))

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the look under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Do what is due now; True if there was anything."""
        due = await self._platform.records.read(lambda session: self._due(session, iso(self._platform.clock.now())))
        if not due:
            return False
        return await self._platform.records.write(self._work) > 0

    def _due(self, session: Session, now: str) -> bool:
        """Whether anything is due, without a write."""
        open_, waiting = {"missed": 0, "state": applications.OPEN}, {"missed": 0}
        return bool(
            store.APPLICATIONS.due(session, "due", open_, now, 1)
            or store.OBJECTIONS.due(session, "due", waiting, now, 1)
            or store.DEMANDS.due(session, "due", waiting, now, 1)
            or store.GRANTS.due(session, "until", {"state": ("active", "suspended")}, now, 1)
            or meters.untold(session)
        )

    def _work(self, tx: Transaction) -> int:
        now, done = tx.now_text, 0
        for application in store.APPLICATIONS.due(tx.session, "due", {"missed": 0, "state": applications.OPEN}, now, _MANY):
            self._late(tx, application)
            done += 1
        for objection in store.OBJECTIONS.due(tx.session, "due", {"missed": 0}, now, _MANY):
            self._objecting.miss(tx, objection)
            done += 1
        for demand in store.DEMANDS.due(tx.session, "due", {"missed": 0}, now, _MANY):
            self._demanding.miss(tx, demand)
            done += 1
        for grant in store.GRANTS.due(tx.session, "until", {"state": ("active", "suspended")}, now, _MANY):
            self._granting.move(tx, grant, "end", grant.reason)
            done += 1
        for row in meters.untold(tx.session):
            if meters.tell(tx, row["dataset"], row["told"], row["calls"]):
                tx.emit(Used(subject=row["dataset"], count=row["calls"] - row["told"]))
                done += 1
        return done

    def _late(self, tx: Transaction, application: Application) -> None:
        if application.state == "returned":
            self._applying.lapse(tx, application)
        else:
            self._applying.miss(tx, application)
