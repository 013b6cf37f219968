"""Housekeeping: pictures and clips whose time is over are deleted, and that they were is told."""

import asyncio
from datetime import timedelta

from mumian.foundation.storage.contracts import Objects
from mumian.foundation.video import store
from mumian.foundation.video.events import PicturesExpired
from mumian.foundation.video.service.directory import Directory
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction

_PAUSE = timedelta(minutes=10)
_BATCH = 200


class Housekeeping:
    """A background job that looks every ten minutes; its first round also reads the directory, so that nobody waits for it."""

    name = "video.housekeeping"

    def __init__(self, platform: Platform, directory: Directory) -> None:
        self._platform = platform
        self._directory = directory
        self._loop = Loop("video.housekeeping", platform.clock, self._round, _PAUSE.total_seconds())

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the round under way."""
        await self._loop.stop()

    async def _round(self) -> None:
        await asyncio.to_thread(self._directory.count, [])
        await self.settle()

    async def settle(self) -> bool:
        """Delete all that is due; True if there was anything.

        An object goes before its row forgets it: a crash in between leaves a row whose object is gone, and it is deleted again.
        """
        done = False
        while True:
            now = iso(self._platform.clock.now())
            due = await self._platform.records.read(lambda session, n=now: store.expired(session, n, _BATCH))  # type: ignore[misc]
            if not due:
                return done
            await asyncio.to_thread(self._delete, due)
            await self._platform.records.write(lambda tx, rows=due: _forget(tx, rows))  # type: ignore[misc]
            done = True

    def _delete(self, rows: list[Row]) -> None:
        objects = self._platform.get(Objects)  # type: ignore[type-abstract]
        for row in rows:
            objects.delete(row["object"])


def _forget(tx: Transaction, rows: list[Row]) -> None:
    for row in rows:
        store.forget_object(tx.session, row["kind"], row["id"])
    items = [{name: row[name] for name in ("kind", "id", "sha256")} for row in rows]
    tx.emit(PicturesExpired(subject="retention", items=items))
