"""Examining: after each load an opened dataset is profiled and checked; what needs a check is withheld until it has passed."""

import asyncio
import json
import logging
from hashlib import sha256
from typing import Any

from mumian.elements.catalog.api import TableInfo, Tables
from mumian.elements.opening.events import Checked
from mumian.elements.opening.rules import privacy
from mumian.elements.opening.rules.asking import quoted
from mumian.elements.opening.service import checking, profiling
from mumian.elements.opening.store import checks
from mumian.elements.protection.api import DatasetGrant, Delivery, Gate, Grant, Labels, RowRequest
from mumian.foundation.identity.api import Caller
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.background import Loop
from mumian.kernel.errors import MumianError, NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Session, Transaction

CONSUMER = "elements.opening"
_PAUSE = 2.0
_PURPOSE = "opening-check"
_log = logging.getLogger("mumian.opening")


class Examining:
    """Looks at what was loaded or declared anew, and tells the gate what must wait."""

    name = CONSUMER

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._loop = Loop(self.name, platform.clock, self.settle, _PAUSE)

    def subscribe(self) -> None:
        """Listen to all that changes what the public sees."""
        on = self._platform.subscribe
        on("elements.catalog.loaded", CONSUMER, lambda tx, event: self._mark(tx, event.subject))
        on("declarations.applied", CONSUMER, self._applied)
        for label in ("proposed", "decided"):
            on(f"elements.protection.{label}", CONSUMER, lambda tx, event: self._mark(tx, event.subject.partition("#")[0]))
        self._platform.afterwards(lambda: self._platform.get(Gate).withhold(checks.withheld))

    async def start(self) -> None:
        """Begin with what is due."""
        self._loop.start()

    async def stop(self) -> None:
        """Finish the dataset under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Look at all that is due."""
        worked = False
        while due := await self._platform.records.read(checks.due):
            worked = True
            for row in due:
                try:
                    await self.examine(row["dataset"], row["since"])
                except MumianError as error:
                    _log.warning("%s could not be examined: %s", row["dataset"], error)
                    await self._platform.records.write(lambda tx, n=row["dataset"]: self._give_up(tx, n))  # type: ignore[misc]
        return worked

    async def examine(self, dataset: str, since: str | None = None) -> None:
        """Profile and check a dataset now; raises NotFound."""
        info = await self._platform.records.read(lambda session: self._info(session, dataset))
        if info is None:
            await self._platform.records.write(lambda tx: checks.forget(tx, dataset))
            return
        load = (await self._platform.get(Tables).loads(dataset, limit=1))[0].number
        delivery = await self._public(info)
        plan = await self._platform.records.read(lambda session: self._plan(session, info, delivery))
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        profile = await asyncio.to_thread(profiling.profile, lake, delivery, delivery.columns)
        exempt = self._rule(dataset)
        result: dict[str, Any] = {} if exempt is None or exempt.exempt is None else {"exempt": exempt.exempt}
        if plan is not None:
            result = await asyncio.to_thread(checking.check, lake, delivery, plan)
        state = "exempt" if plan is None else "failed" if result["reasons"] else "passed"

        def work(tx: Transaction) -> None:
            checks.keep_profile(tx, dataset, load, json.dumps(profile, ensure_ascii=False))
            self._keep(tx, dataset, state, load, result)
            checks.unmark(tx, dataset, since)

        await self._platform.records.write(work)
        self._platform.get(Gate).look_again()

    def needs(self, session: Session, dataset: str) -> bool:
        """Whether a dataset has to pass a check before it may be opened."""
        rule = self._rule(dataset)
        if rule is not None:
            return rule.exempt is None
        labels = self._platform.get(Labels).in_force(session, dataset)
        spec = self._platform.declarations.get("Dataset", dataset).spec
        return any(privacy.suggested([privacy.Field(f.name, f.type, labels[f.name].personal) for f in spec.fields]))

    def _keep(self, tx: Transaction, dataset: str, state: str, load: int, result: dict[str, Any]) -> None:
        text = json.dumps(result, ensure_ascii=False, sort_keys=True)
        digest = sha256(text.encode()).hexdigest()
        checks.put(tx, dataset, state, load, digest, text)
        tx.emit(Checked(subject=dataset, load=load, state=state, digest=digest, result=result))

    def _give_up(self, tx: Transaction, dataset: str) -> None:
        """What cannot be examined is not opened, if it needs a check."""
        try:
            held = self.needs(tx.session, dataset)
        except NotFound:
            checks.forget(tx, dataset)
            return
        if held:
            self._keep(tx, dataset, "failed", 0, {"reasons": [{"rule": "unreadable"}]})
        checks.unmark(tx, dataset)

    def _applied(self, tx: Transaction, event: DeliveredEvent) -> None:
        for change in event.data["changes"]:
            if change["kind"] == "Dataset":
                self._mark(tx, change["name"])
            elif change["kind"] == "ReleaseRule":
                self._mark_ruled(tx, change["name"])
            elif change["kind"] == "MaskRule":
                for declared in self._platform.declarations.all("Dataset"):
                    self._mark(tx, declared.name)

    def _mark_ruled(self, tx: Transaction, name: str) -> None:
        """A rule came or went: all datasets that it may be about."""
        try:
            self._mark(tx, self._platform.declarations.get("ReleaseRule", name).spec.dataset)
        except NotFound:
            for declared in self._platform.declarations.all("Dataset"):
                self._mark(tx, declared.name)

    def _mark(self, tx: Transaction, dataset: str) -> None:
        try:
            info = self._info(tx.session, dataset)
        except NotFound:
            info = None
        if info is None:
            checks.forget(tx, dataset)
            return
        checks.mark(tx, dataset, self.needs(tx.session, dataset))
        self._platform.get(Gate).look_again()

    def _info(self, session: Session, dataset: str) -> TableInfo | None:
        """The table of a dataset that is opened in any way and has rows."""
        try:
            spec = self._platform.declarations.get("Dataset", dataset).spec
        except NotFound:
            return None
        info = self._platform.get(Tables).describe(session, dataset) if spec.opened != "none" and spec.fields else None
        return info if info is not None and info.loaded_at is not None else None

    async def _public(self, info: TableInfo) -> Delivery:
        """The rows as anybody would see them, were they opened: general data only, personal fields masked."""
        labels = await self._platform.records.read(lambda session: self._platform.get(Labels).in_force(session, info.dataset))
        general = tuple(field.name for field in info.fields if labels[field.name].grade == "general")
        grant = Grant(_PURPOSE, (DatasetGrant(info.dataset, general),), (_PURPOSE,))
        sql = f"SELECT {', '.join(quoted(name) for name in general) or '1 AS n'} FROM {quoted(info.dataset)}"
        return await self._platform.get(Gate).table_sql(RowRequest(Caller(SYSTEM), _PURPOSE, sql, grant=grant))

    def _plan(self, session: Session, info: TableInfo, delivery: Delivery) -> privacy.Plan | None:
        """What to check: as declared, else as suggested; None where nothing needs to be."""
        if not self.needs(session, info.dataset):
            return None
        rule, labels = self._rule(info.dataset), self._platform.get(Labels).in_force(session, info.dataset)
        fields = [privacy.Field(c.name, c.type, labels[c.name].personal) for c in delivery.columns if c.name in labels]
        shown = {field.name for field in fields}
        quasi, sensitive = privacy.suggested(fields)
        if rule is not None:
            quasi = tuple(rule.quasi) if rule.quasi is not None else quasi
            sensitive = tuple(rule.sensitive) if rule.sensitive is not None else sensitive
        kept = tuple(n for n in quasi if n in shown and n not in sensitive), tuple(n for n in sensitive if n in shown)
        if not kept[0]:
            return None
        return privacy.Plan(*kept) if rule is None else privacy.Plan(*kept, rule.k, rule.l, rule.t, rule.tolerated)

    def _rule(self, dataset: str) -> Any:
        return next((d.spec for d in self._platform.declarations.all("ReleaseRule") if d.spec.dataset == dataset), None)
