"""Running: registers are brought up to date, one at a time, on a thread of their own, after loads, decisions and declarations."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from mumian.elements.catalog.api import TableInfo, Tables
from mumian.elements.registers import store
from mumian.elements.registers.contracts import Model
from mumian.elements.registers.events import EntityChanged, RegisterLearned, RegisterMatched
from mumian.elements.registers.models import RegisterSpec
from mumian.elements.registers.service import outcome
from mumian.elements.registers.service.golden import Golden
from mumian.elements.registers.service.grouping import Grouping
from mumian.elements.registers.service.layout import Layout
from mumian.elements.registers.service.scoring import Scoring
from mumian.elements.registers.service.staging import Staging
from mumian.elements.registers.service.standard import Standard
from mumian.foundation.addresses.api import Addresses
from mumian.foundation.ledger.api import LakeSeals
from mumian.foundation.storage.contracts import Lake, LakeTransaction
from mumian.kernel.background import Loop
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction, next_value

T = TypeVar("T")
_log = logging.getLogger("mumian.registers")
_PAUSE = 1.0
KIND = "Register"


class Running:
    """Background work; `settle` brings every register up to date that something changed for."""

    name = "elements.registers"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._loop = Loop(self.name, platform.clock, self.settle, _PAUSE)
        self._thread = ThreadPoolExecutor(1, "registers")
        self._running = asyncio.Lock()

    @property
    def _lake(self) -> Lake:
        return self._platform.get(Lake)  # type: ignore[type-abstract]

    async def start(self) -> None:
        """Find out how runs ended during which the process did, and begin to watch."""
        for row in await self._platform.records.read(store.started):
            await self._recover(row)
        self._loop.start()

    async def stop(self) -> None:
        """End after the run under way."""
        await self._loop.stop()
        self._thread.shutdown(wait=True)

    async def settle(self) -> bool:
        """Bring registers up to date until none is due; False if there was nothing to do.

        A register whose run fails waits until something changes again: the run says why.
        """
        async with self._running:
            done = False
            for row in await self._platform.records.read(store.due):
                done = True
                try:
                    await self._run(row)
                except Exception as error:
                    _log.exception("the register %s was not brought up to date", row["name"])
                    await self._platform.records.write(lambda tx, r=row, e=error: self._failed(tx, r, e))  # type: ignore[misc]
            return done

    def loaded(self, tx: Transaction, event: DeliveredEvent) -> None:
        """A dataset was loaded: the registers that it is a source of are due."""
        for declared in self._platform.declarations.all(KIND):
            if any(source.dataset == event.subject for source in declared.spec.sources):
                store.want(tx, declared.name)

    def applied(self, tx: Transaction, event: DeliveredEvent) -> None:
        """A register was declared or changed: it is due."""
        for change in event.data["changes"]:
            if change["kind"] == KIND and change["action"] != "delete":
                store.want(tx, change["name"])

    def layout(self, name: str, number: int) -> Layout:
        """The layout of a declared register."""
        spec: RegisterSpec = self._platform.declarations.get(KIND, name).spec
        return Layout(name, number, spec)

    async def _run(self, row: Row) -> None:
        records, name = self._platform.records, row["name"]
        try:
            declared: Declared[RegisterSpec] = self._platform.declarations.get(KIND, name)
        except NotFound:
            await records.write(lambda tx: store.reached(tx, name, row["wanted"], ""))
            return
        layout = Layout(name, row["number"], declared.spec)
        tables = self._platform.get(Tables)
        sources: list[tuple[Any, TableInfo]] = []
        for source in layout.spec.sources:
            info = await records.read(lambda session, s=source: tables.describe(session, s.dataset))  # type: ignore[misc]
            if info is not None:
                sources.append((source, info))
        golden = await tables.ensure(layout.spec.golden)
        await self._tables(layout)
        whole = row["fingerprint"] != layout.fingerprint or bool(row["relearn"])
        run = await records.write(lambda tx: store.start_run(tx, name, row["wanted"], whole))
        taken = await self._stage(layout, sources, run)
        waiting = await records.read(lambda session: store.waiting(session, name, row["wanted"]))
        if whole or waiting or not await self._do(lambda: outcome.still(self._lake, layout)):
            model, whole = await self._model(layout, row, whole)
            await self._match(layout, golden, run, model, whole, waiting)
        await self._finish(layout, row["wanted"], run, taken)

    async def _tables(self, layout: Layout) -> None:
        """Have the register's tables in the lake."""
        lake = self._lake
        missing = await self._do(lambda: [table for table in layout.tables if not lake.has(table)])
        if missing:
            async with self._platform.get(LakeSeals).writing(f"register {layout.name}"):
                await self._do(lambda: [lake.create(table) for table in missing])

    async def _stage(self, layout: Layout, sources: list[tuple[Any, TableInfo]], run: int) -> int:
        lake, seals = self._lake, self._platform.get(LakeSeals)
        parse = self._platform.get(Addresses).parse
        staging = Staging(lake, layout, Standard(parse))
        await self._do(lambda: staging.gone([source.dataset for source in layout.spec.sources]))
        taken = gone = 0
        for source, info in sources:
            count, gone = await self._do(lambda s=source, i=info: staging.compare(s, i))  # type: ignore[misc]
            pieces = staging.pieces(source, info, run, count)
            taken += count
            while (piece := await self._do(lambda p=pieces: next(p, None))) is not None:  # type: ignore[misc]
                async with seals.writing(f"register {layout.name}"):
                    await self._do(lambda p=piece: staging.write(p, run))  # type: ignore[misc]
        if gone:
            async with seals.writing(f"register {layout.name}"):
                await self._do(lambda: staging.end(run))
        return taken

    async def _model(self, layout: Layout, row: Row, whole: bool) -> tuple[Model, bool]:
        """The model in force, and whether all is to be matched anew: a model is learned where there is none for what is declared,
        when it is asked for, and when a source is new or the register is twice as large as when it was learned."""
        lake = self._lake
        scoring = Scoring(lake, layout)
        known = store.model(row) if store.learned_for(row) == layout.learning else None
        count, datasets = await self._do(lambda: outcome.size(lake, layout))
        grown = known is not None and (count >= 2 * max(known.records, 1) or bool(datasets - set(known.datasets)))
        if known is not None and not grown and not row["relearn"]:
            await self._do(scoring.recall)
            await self._do(lambda: scoring.meet(whole))
            await self._do(scoring.levels)
            return known, whole
        decided = await self._platform.records.read(lambda session: store.decisions(session, layout.name))
        judged = {
            "a": np.array([d["a"] for d in decided], dtype=np.int64),
            "b": np.array([d["b"] for d in decided], dtype=np.int64),
            "same": np.array([int(d["verdict"] == "same") for d in decided], dtype=np.int64),
        }
        number = 1 + (previous.number if (previous := store.model(row)) else 0)
        await self._do(lambda: scoring.meet(True))
        await self._do(scoring.levels)
        model = await self._do(lambda: scoring.teach(judged, count, number))
        terms = await self._do(scoring.terms)
        async with self._platform.get(LakeSeals).writing(f"register {layout.name}"):
            await self._do(lambda: outcome.keep_terms(lake, layout, terms))

        def work(tx: Transaction) -> None:
            store.keep_model(tx, layout.name, model, layout.learning)
            tx.emit(RegisterLearned(subject=layout.name, model=model.__dict__))

        await self._platform.records.write(work)
        return model, True

    async def _match(self, layout: Layout, golden: TableInfo, run: int, model: Model, whole: bool, waiting: list[int]) -> None:
        records, lake = self._platform.records, self._lake
        scoring, grouping = Scoring(lake, layout), Grouping(lake, layout)
        decided = await records.read(lambda session: store.decisions(session, layout.name))
        pairs = {v: [(d["a"], d["b"]) for d in decided if d["verdict"] == v] for v in ("same", "different")}
        await self._do(lambda: scoring.weigh(model))
        await self._do(lambda: grouping.touch(waiting, whole))
        grouped = await self._do(lambda: grouping.group(pairs["same"], pairs["different"]))
        fresh = [cluster for cluster, entity in grouped.names.of.items() if entity is None]
        sequence, count = f"registers.entity.{layout.number}", len(fresh)
        first = await records.write(lambda tx: next_value(tx.session, sequence, count)) if count else 0
        entities = {cluster: entity for cluster, entity in grouped.names.of.items() if entity is not None}
        entities |= {cluster: first + index for index, cluster in enumerate(fresh)}
        now = round(self._platform.clock.now().timestamp() * 1_000_000)
        writer = Golden(lake, layout, golden, now)
        found = await self._do(lambda: writer.compute(grouped, entities))

        def fill(work: LakeTransaction) -> str:
            return writer.write(work, run, self._thread.submit)

        if found.versions:
            await self._platform.get(Tables).load(layout.spec.golden, fill, "upsert", f"register {layout.name}")
        elif found.touched:
            async with self._platform.get(LakeSeals).writing(f"register {layout.name}"):
                await asyncio.to_thread(_inside, lake, fill)
        await self._do(lambda: outcome.forget(lake))

    async def _finish(self, layout: Layout, wanted: int, run: int, taken: int) -> None:
        lake = self._lake
        counts = {**await self._do(lambda: outcome.counts(lake, layout, run)), "taken": taken}
        changes = await self._do(lambda: outcome.changes(lake, layout, run))

        def work(tx: Transaction) -> None:
            store.end_run(tx, layout.name, run, "done", counts)
            store.waited(tx, layout.name, wanted)
            store.reached(tx, layout.name, wanted, layout.fingerprint)
            told = {key: counts.get(key, 0) for key in ("records", "entities", "taken", *outcome.STATES)}
            tx.emit(RegisterMatched(subject=layout.name, run=run, **told))
            for change in changes:
                fields = {**change.__dict__, "subject": f"{layout.name}/{change.entity}", "run": run}
                fields.pop("entity")
                tx.emit(EntityChanged(**fields))

        await self._platform.records.write(work)

    def _failed(self, tx: Transaction, row: Row, error: Exception) -> None:
        for run in store.started(tx.session):
            if run["register"] == row["name"]:
                store.end_run(tx, row["name"], run["number"], "failed", {}, f"{type(error).__name__}: {error}"[:500])
        tx.session.execute(
            "UPDATE registers_register SET done = :wanted WHERE name = :name", name=row["name"], wanted=row["wanted"]
        )

    async def _recover(self, row: Row) -> None:
        """A run that was cut off: if the lake has it, it is told now; else the register is due again."""
        name, number = row["register"], row["number"]
        lake = self._lake
        reached = await asyncio.to_thread(lake.position, f"registers.{name}")
        kept = await self._platform.records.read(lambda session: store.register(session, name))
        declared = {each.name for each in self._platform.declarations.all(KIND)}
        if reached >= number and kept is not None and name in declared:
            await self._finish(self.layout(name, kept["number"]), row["wanted"], number, 0)
            return

        def work(tx: Transaction) -> None:
            store.end_run(tx, name, number, "failed", {}, "the process ended")
            store.want(tx, name)

        await self._platform.records.write(work)

    async def _do(self, work: Callable[[], T]) -> T:
        """Do `work` on the one thread whose connection holds the temporary tables."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _inside(lake: Lake, fill: Callable[[LakeTransaction], str]) -> None:
    """Write what concerns the register alone: no golden record changed."""
    with lake.transaction() as work:
        fill(work)
