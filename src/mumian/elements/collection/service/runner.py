"""Runner: queues what is due, runs a few connectors at a time, goes on with what the end of the process cut off."""

import asyncio
import json
import logging
import shutil
import time
from pathlib import Path
from typing import Any

from mumian.elements.collection import store
from mumian.elements.collection.errors import NotInState
from mumian.elements.collection.models import ConnectorSpec
from mumian.elements.collection.service.execution import Execution, accept, folder_of
from mumian.elements.collection.settings import CollectionSettings
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import Conflict, MumianError, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Row, Session, Transaction

_log = logging.getLogger("mumian.collection")
_PAUSE = 1.0
_SWEEP_SECONDS = 3600.0


class Runner:
    """`platform.get(Runner)`: all runs of the city's connectors."""

    name = "elements.collection"

    def __init__(self, platform: Platform, settings: CollectionSettings) -> None:
        self._platform = platform
        self.settings = settings
        self._loop = Loop(self.name, platform.clock, self._dispatch, _PAUSE)
        self._active: dict[str, tuple[Execution | None, asyncio.Task[None]]] = {}
        self._stopping = False
        self._swept = 0.0

    async def start(self) -> None:
        """Begin."""
        self._stopping = False
        self._loop.start()

    async def stop(self) -> None:
        """Leave off after the batches under way; the runs go on at the next start."""
        self._stopping = True
        await self._loop.stop()
        await asyncio.gather(*(task for _, task in self._active.values()), return_exceptions=True)
        self._active.clear()

    async def settle(self) -> bool:
        """Do all runs that are due."""
        started = await self._dispatch()
        await asyncio.gather(*(task for _, task in self._active.values()))
        return started

    async def _dispatch(self) -> bool:
        await self._enqueue_due()
        waiting = await self._platform.records.read(store.open_runs)
        started = False
        for id_ in waiting:
            self._active = {key: each for key, each in self._active.items() if not each[1].done()}
            if id_ not in self._active and len(self._active) < self.settings.parallel and not self._stopping:
                row = await self._platform.records.read(lambda session, i=id_: store.whole(session, i))  # type: ignore[misc]
                if row is not None:
                    self._start(row)
                    started = True
        await self._sweep()
        return started

    def _start(self, row: Row) -> None:
        try:
            execution: Execution | None = Execution(self._platform, self.settings, row, lambda: self._stopping)
        except (MumianError, ValueError) as error:
            execution = None
            task = asyncio.create_task(self._impossible(row, error))
        else:
            assert execution is not None
            execution.cancelled = bool(row["cancelled"])
            task = asyncio.create_task(execution.run(), name=f"collection {row['id']}")
        task.add_done_callback(lambda _: self._loop.wake())
        self._active[row["id"]] = (execution, task)

    async def _impossible(self, row: Row, error: Exception) -> None:
        key = error.key if isinstance(error, MumianError) else "error.invalid"
        told = json.dumps({"key": key, "values": {}, "faults": []})
        await self._platform.records.write(
            lambda tx: store.change(tx, row["id"], state="failed", error=told, ended_at=tx.now_text)
        )

    async def _enqueue_due(self) -> None:
        scheduled = [d for d in self._platform.declarations.all("Connector") if d.spec.every_seconds]
        if not scheduled:
            return
        last = await self._platform.records.read(store.last_queued)
        now = self._platform.clock.now()
        for declared in scheduled:
            at = last.get(declared.name)
            if at is None or (now - parse_iso(at)).total_seconds() >= declared.spec.every_seconds:
                await self._again(declared)

    async def _again(self, declared: Declared[ConnectorSpec]) -> None:
        """Go on with a scheduled run whose source had failed on the way, or queue a new one."""
        spec = declared.spec.model_dump_json()

        def work(tx: Transaction) -> None:
            if store.under_way(tx.session, declared.name) is not None or _quarantined(tx.session, declared.name):
                return
            found = store.runs(tx.session, declared.name, None, None, 1)
            row = store.whole(tx.session, found[0].id) if found else None
            if row is not None and _may_go_on(row) and row["spec"] == spec:
                store.change(tx, row["id"], state="queued", queued_at=tx.now_text, ended_at=None, error=None)
            else:
                store.queue(tx, _queued(declared, spec, "schedule", None))

        await self._platform.records.write(work)

    def queue(
        self, tx: Transaction, connector: str, trigger: str, given: dict[str, Any] | None = None, everything: bool = False
    ) -> str:
        """Queue a run of a declared connector; returns its id. `everything`: forget how far it came. Raises NotFound, Conflict.

        Call `wake` after the commit.
        """
        declared: Declared[ConnectorSpec] = self._platform.declarations.get("Connector", connector)
        busy = store.under_way(tx.session, connector)
        if busy is not None:
            raise _Busy(run=busy)
        if everything:
            store.forget_watermark(tx, connector)
        run = _queued(declared, declared.spec.model_dump_json(), trigger, given)
        store.queue(tx, run)
        return str(run["id"])

    def queue_spec(self, tx: Transaction, name: str, spec: ConnectorSpec, trigger: str) -> str:
        """Queue a run of a connector that is not declared, such as one that fetches a harvested dataset once."""
        busy = store.under_way(tx.session, name)
        if busy is not None:
            raise _Busy(run=busy)
        run = {"id": new_id(), "connector": name, "dataset": spec.dataset, "spec": spec.model_dump_json(), "given": None}
        store.queue(tx, {**run, "trigger": trigger})
        return str(run["id"])

    def wake(self) -> None:
        """Look for queued runs now."""
        self._loop.wake()

    async def cancel(self, id_: str, by: Actor = SYSTEM) -> None:
        """End a run that is queued or reading; raises NotFound, NotInState."""

        def work(tx: Transaction) -> str:
            row = _found(tx.session, id_, "queued", "reading")
            store.change(tx, id_, cancelled=1)
            return str(row["state"])

        await self._platform.records.write(work, by)
        execution = self._active.get(id_, (None, None))[0]
        if execution is not None:
            execution.cancelled = True
        self.wake()

    async def resume(self, id_: str, by: Actor = SYSTEM) -> None:
        """Go on with a run that failed, from its last batch; raises NotFound, NotInState."""

        def work(tx: Transaction) -> None:
            row = _found(tx.session, id_, "failed")
            busy = store.under_way(tx.session, row["connector"])
            if busy is not None:
                raise _Busy(run=busy)
            store.change(tx, id_, state="queued", ended_at=None, error=None)

        await self._platform.records.write(work, by)
        self.wake()

    async def accept(self, id_: str, by: Actor = SYSTEM) -> None:
        """Accept the columns of a run that drifted: rows kept aside are loaded; of a run that was stopped there are none."""

        def work(tx: Transaction) -> None:
            row = _found(tx.session, id_, "quarantined", "stopped")
            if row["drift"] is None:
                raise NotInState(state=row["state"])
            accept(tx, row)
            if row["state"] == "quarantined":
                store.change(tx, id_, state="loading")

        await self._platform.records.write(work, by)
        self.wake()

    async def discard(self, id_: str, by: Actor = SYSTEM) -> None:
        """Drop rows that were kept aside; the columns stay as they were accepted before."""

        row = await self._platform.records.read(lambda session: _found(session, id_, "quarantined"))
        execution = Execution(self._platform, self.settings, row, lambda: False)
        execution.actor = by
        await execution.end("discarded")
        await asyncio.to_thread(shutil.rmtree, folder_of(self._platform, id_), True)

    async def _sweep(self) -> None:
        """Remove what runs, uploads and previews left behind longer ago than the settings keep it."""
        if self._platform.clock.stepped or time.monotonic() - self._swept < _SWEEP_SECONDS:
            return
        self._swept = time.monotonic()
        waiting = set(await self._platform.records.read(_kept))
        await asyncio.to_thread(_remove_old, self._platform.home / "collection", self.settings.keep_days * 86_400, waiting)


class _Busy(Conflict):
    """A run of the connector is under way: `run`."""

    key = "collection.busy"


def _queued(declared: Declared[ConnectorSpec], spec: str, trigger: str, given: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": str((given or {}).get("run") or new_id()),
        "connector": declared.name,
        "dataset": declared.spec.dataset,
        "spec": spec,
        "given": None if given is None else json.dumps(given, ensure_ascii=False),
        "trigger": trigger,
    }


def _found(session: Session, id_: str, *states: str) -> Row:
    row = store.whole(session, id_)
    if row is None:
        raise NotFound(kind="run", name=id_)
    if row["state"] not in states:
        raise NotInState(state=row["state"])
    return row


def _quarantined(session: Session, connector: str) -> bool:
    """Whether rows of a connector wait for a decision: nothing is fetched over their heads."""
    return bool(store.runs(session, connector, "quarantined", None, 1))


def _may_go_on(row: Row) -> bool:
    error = json.loads(row["error"]) if row["error"] else {}
    return row["state"] == "failed" and error.get("key") == "collection.source_failed" and row["position"] is not None


def _kept(session: Session) -> list[str]:
    rows = session.rows("SELECT id FROM collection_run WHERE state IN ('queued', 'reading', 'loading', 'quarantined')")
    return [row["id"] for row in rows]


def _remove_old(folder: Path, seconds: float, waiting: set[str]) -> None:
    for part in ("runs", "uploads", "previews"):
        for path in (folder / part).glob("*"):
            if path.name not in waiting and time.time() - path.stat().st_mtime > seconds:
                shutil.rmtree(path, ignore_errors=True)


def due_at(declared: Declared[ConnectorSpec], last: str | None) -> str | None:
    """When a scheduled connector runs next; None where it has no schedule or runs at once."""
    from datetime import timedelta

    if declared.spec.every_seconds is None or last is None:
        return None
    return iso(parse_iso(last) + timedelta(seconds=declared.spec.every_seconds))
