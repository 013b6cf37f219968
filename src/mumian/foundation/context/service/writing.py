"""Writing: changes are gathered into groups, made durable in one commit, and only then seen and acknowledged."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mumian.foundation.context import store
from mumian.foundation.context.events import EntitiesChanged
from mumian.foundation.context.rules.entity import Entity, encode
from mumian.foundation.context.rules.history import Delta, difference
from mumian.foundation.context.rules.texts import microseconds
from mumian.foundation.context.service.evidence import digest
from mumian.foundation.context.service.memory import Memory
from mumian.kernel.unit_of_work import Actor, Records, Transaction

_MOST = 20_000
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class Change:
    """One entity before and after; `delta` says what the history tells of it."""

    id: str
    old: Entity | None
    new: Entity | None
    delta: Delta
    number: int = 0


@dataclass(slots=True, eq=False)
class _Job:
    changes: Sequence[Change]
    actor: Actor
    done: "asyncio.Future[None]"


Watch = Callable[[Sequence[Change]], list[dict[str, Any]]]


class Writer:
    """The one way by which entities change; `watch` gives the notices that a group of changes brings."""

    def __init__(self, records: Records, memory: Memory) -> None:
        self._records = records
        self._memory = memory
        self._ahead: dict[str, Entity | None] = {}
        self._waiting: list[_Job] = []
        self._task: asyncio.Task[None] | None = None
        self.next_number = 1
        self.watch: Watch = lambda changes: []
        self.after: Callable[[Sequence[dict[str, Any]]], None] = lambda notices: None

    def current(self, id_: str) -> Entity | None:
        """The entity as it will be when all that waits is durable."""
        if id_ in self._ahead:
            return self._ahead[id_]
        return self._memory.get(id_)

    def prepare(self, id_: str, new: Entity | None, now: str) -> Change:
        """A change of one entity to be submitted; others see it from now on as what will be."""
        old = self.current(id_)
        self._ahead[id_] = new
        return Change(id_, old, new, difference(old, new, now))

    def submit(self, changes: Sequence[Change], actor: Actor) -> "asyncio.Future[None]":
        """Make changes durable; when the future ends well, they are on disk and in memory."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not changes:
            done.set_result(None)
            return done
        for change in changes:
            change.number = self.next_number
            self.next_number += 1
        self._waiting.append(_Job(changes, actor, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return done

    async def settle(self) -> None:
        """Wait until nothing waits."""
        while self._task is not None:
            await self._task

    async def _run(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever is ready to submit now comes along
            while self._waiting:
                await self._commit(self._group())
        finally:
            self._task = None

    def _group(self) -> list[_Job]:
        """The jobs of the next commit; two actors never touch one entity in the same one."""
        taken: list[_Job] = []
        owner: dict[str, str] = {}
        size = 0
        for job in self._waiting:
            if size >= _MOST or any(owner.setdefault(c.id, job.actor.id) != job.actor.id for c in job.changes):
                break
            size += len(job.changes)
            taken.append(job)
        del self._waiting[: len(taken)]
        return taken

    async def _commit(self, jobs: list[_Job]) -> None:
        runs: dict[str, list[_Job]] = {}
        for job in jobs:
            runs.setdefault(job.actor.id, []).append(job)
        results = await asyncio.gather(*(self._write(run) for run in runs.values()), return_exceptions=True)
        for run, result in zip(runs.values(), results, strict=True):
            if isinstance(result, BaseException):
                self._failed(run, result)
            else:
                self._succeeded(run, result)

    async def _write(self, run: list[_Job]) -> list[dict[str, Any]]:
        changes = [change for job in run for change in job.changes]
        notices = self.watch(changes)

        def work(tx: Transaction) -> None:
            rows = [_row(change) for change in changes]
            store.save(tx, rows)
            store.add_notices(tx, notices)
            tx.emit(
                EntitiesChanged(
                    subject=changes[0].id,
                    numbers=[change.number for change in changes],
                    digests=[digest(row["number"], row["id"], row["body"]) for row in rows],
                    created=len([1 for change in changes if change.old is None and change.new is not None]),
                    deleted=len([1 for change in changes if change.new is None and change.old is not None]),
                )
            )

        await self._records.write(work, run[0].actor)
        return notices

    def _succeeded(self, run: list[_Job], notices: list[dict[str, Any]]) -> None:
        for job in run:
            for change in job.changes:
                if change.new is None:
                    self._memory.drop(change.id)
                else:
                    self._memory.put(change.new, change.number)
                if self._ahead.get(change.id) is change.new:
                    self._ahead.pop(change.id, None)
            if not job.done.done():
                job.done.set_result(None)
        if notices:
            self.after(notices)

    def _failed(self, run: list[_Job], error: BaseException) -> None:
        """What waits upon a change that failed fails with it: it was made of a state that never came to be."""
        gone = {change.id for job in run for change in job.changes}
        waiting, self._waiting = self._waiting, []
        for job in waiting:
            if any(change.id in gone for change in job.changes):
                gone |= {change.id for change in job.changes}
                run.append(job)
            else:
                self._waiting.append(job)
        for id_ in gone:
            self._ahead.pop(id_, None)
        for job in run:
            if not job.done.done():
                job.done.set_exception(error)


def _row(change: Change) -> dict[str, Any]:
    body = None if change.new is None else encode(change.new).decode()
    delta = body if change.delta.whole and body is not None else _encode(change.delta.form()).decode()
    time = microseconds(change.delta.time) or 0
    return {"number": change.number, "id": change.id, "time": time, "kind": change.delta.kind, "body": body, "delta": delta}
