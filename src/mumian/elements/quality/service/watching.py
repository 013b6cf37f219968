"""Watching: what was loaded or declared is judged soon, what grows old is looked at in time, deadlines are reminded of."""

import logging
from datetime import timedelta
from typing import Any

from mumian.elements.quality.errors import BeingLoaded, NoRules
from mumian.elements.quality.models import Consistent, Query, Reference
from mumian.elements.quality.service.judging import Judging
from mumian.elements.quality.service.reading import Reader
from mumian.elements.quality.service.tickets import Tickets
from mumian.elements.quality.store import runs
from mumian.elements.quality.store import tickets as ticket_store
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.errors import NotFound, Unavailable
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

CONSUMER = "elements.quality"
_PAUSE = 2.0
_AT_ONCE = 20
_log = logging.getLogger("mumian.quality")


class Watching:
    """Remembers in the records what waits to be judged, so that nothing is lost with the process."""

    name = "elements.quality"

    def __init__(self, platform: Platform, judging: Judging, tickets: Tickets, reader: Reader) -> None:
        self._platform = platform
        self._judging = judging
        self._tickets = tickets
        self._reader = reader
        self._stopping = False
        self._loop = Loop(self.name, platform.clock, self._work, _PAUSE)

    def subscribe(self) -> None:
        """Listen to loads and declarations."""
        self._platform.subscribe("elements.catalog.loaded", CONSUMER, self._loaded)
        self._platform.subscribe("declarations.applied", CONSUMER, self._declared)

    async def start(self) -> None:
        """Begin with what is waiting."""
        self._stopping = False
        self._loop.start()

    async def stop(self) -> None:
        """End; a judgement under way is broken off and made again after the next start."""
        self._stopping = True
        self._reader.interrupt()
        await self._loop.stop()

    async def settle(self) -> bool:
        """Do all that is due now."""
        done = False
        while await self._work():
            done = True
        return done

    async def _work(self) -> bool:
        """Some of what is due; whether anything was done."""
        waiting = await self._platform.records.read(lambda session: runs.wanted(session, _AT_ONCE))
        done = False
        for row in waiting:
            done = await self._judge(row["dataset"], row["trigger_name"], row["stamp"]) or done
        now = iso(self._platform.clock.now())
        for dataset in await self._platform.records.read(lambda session: runs.due(session, now)):
            done = await self._judge(dataset, "schedule", None) or done
        return await self._deadlines(now) or done

    async def _deadlines(self, now: str) -> bool:
        def any_due(session: Session) -> bool:
            calm = iso(self._platform.clock.now() - _days(self._tickets.terms.calm))
            return bool(ticket_store.to_remind(session, now) or ticket_store.holding(session, calm))

        if not await self._platform.records.read(any_due):
            return False
        return bool(await self._platform.records.write(lambda tx: self._tickets.close_calm(tx) + self._tickets.remind(tx)))

    async def _judge(self, dataset: str, trigger: str, stamp: int | None) -> bool:
        """Judge one dataset; False if it has to wait."""
        if self._stopping:
            return False
        try:
            await self._judging.judge(dataset, trigger)
        except (NotFound, NoRules):
            await self._platform.records.write(lambda tx: runs.forget(tx, dataset))
        except (Unavailable, BeingLoaded) as error:
            _log.info("%s is judged later: %s", dataset, error)
            if stamp is None:
                await self._platform.records.write(lambda tx: self._later(tx, dataset))
            return False
        if stamp is not None:
            await self._platform.records.write(lambda tx: runs.done(tx, dataset, stamp))
        return True

    def _later(self, tx: Transaction, dataset: str) -> None:
        runs.put_due(tx, dataset, iso(tx.now + _days(1 / 24)))

    def _loaded(self, tx: Transaction, event: DeliveredEvent) -> None:
        """The dataset itself is judged, and every other whose rules speak of it."""
        runs.want(tx, event.subject, "loaded")
        for declared in self._platform.declarations.all("QualityRule"):
            spec = declared.spec
            if spec.dataset != event.subject and any(_speaks(check, event.subject) for check in spec.rules):
                runs.want(tx, spec.dataset, "target")

    def _declared(self, tx: Transaction, event: DeliveredEvent) -> None:
        """What changed for a dataset's rules: they themselves, its declaration, or a code list."""
        wanted: set[str] = set()
        for change in event.data["changes"]:
            kind, name = change["kind"], change["name"]
            if kind == "Dataset":
                wanted.add(name)
            elif kind == "QualityRule":
                wanted |= self._datasets_of(tx, name)
            elif kind == "CodeList":
                wanted |= {d.name for d in self._platform.declarations.all("Dataset") if _takes(d.spec, name)}
                wanted |= {
                    d.spec.dataset
                    for d in self._platform.declarations.all("QualityRule")
                    if any(getattr(check, "code_list", None) == name for check in d.spec.rules)
                }
        for dataset in sorted(wanted):
            runs.want(tx, dataset, "declared")

    def _datasets_of(self, tx: Transaction, document: str) -> set[str]:
        """The dataset of a rule document, now and in its last runs."""
        found = {d.spec.dataset for d in self._platform.declarations.all("QualityRule") if d.name == document}
        rows = tx.session.rows(
            "SELECT DISTINCT s.dataset FROM quality_state s JOIN quality_result r ON r.run = s.run WHERE r.rule LIKE :rule",
            rule=f"{document}:%",
        )
        return found | {row["dataset"] for row in rows}


def _speaks(check: Any, dataset: str) -> bool:
    if isinstance(check, Reference | Consistent):
        return check.dataset == dataset
    return isinstance(check, Query) and dataset in check.sql


def _takes(spec: Any, code_list: str) -> bool:
    return any(field.code_list == code_list for field in spec.fields)


def _days(days: float) -> timedelta:
    return timedelta(days=days)
