"""Pending: texts of opened incidents are read beside the records' writer, which never waits for it."""

import asyncio
from hashlib import sha256
from typing import Any

import msgspec

from mumian.brain.understanding import store
from mumian.brain.understanding.contracts import Report
from mumian.brain.understanding.events import IncidentRead
from mumian.brain.understanding.service.reading import Reading
from mumian.kernel.background import Loop
from mumian.kernel.clock import parse_iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction

_AT_ONCE = 50
_PAUSE_SECONDS = 1.0


class Pending:
    """Background work: what was opened is read soon after, once."""

    name = "brain.understanding"

    def __init__(self, platform: Platform, reading: Reading) -> None:
        self._records = platform.records
        self._reading = reading
        self._loop = Loop(self.name, platform.clock, self.settle, _PAUSE_SECONDS)

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the texts under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Read what waits; True if anything did."""
        anything = False
        while rows := await self._records.read(lambda session: store.unread(session, _AT_ONCE)):
            anything = True
            told = await asyncio.to_thread(self._read, rows)
            await self._records.write(lambda tx, rows=rows, told=told: _keep(tx, rows, told))  # type: ignore[misc]
        return anything

    def _read(self, rows: list[Row]) -> list[dict[str, Any]]:
        found = []
        for row in rows:
            place = (row["longitude"], row["latitude"])
            report = Report(number=row["incident"], time=parse_iso(row["time"]), longitude=place[0], latitude=place[1])
            understood = self._reading.understand_now(row["title"], row["text"], report)
            told: dict[str, Any] = msgspec.to_builtins(understood)
            found.append(told)
        return found


def _keep(tx: Transaction, rows: list[Row], told: list[dict[str, Any]]) -> None:
    for row, each in zip(rows, told, strict=True):
        if not store.tell(tx.session, row["incident"], each):
            continue
        short = {
            "category": each["category"]["label"],
            "model": each["category"]["model"],
            "urgency": each["urgency"]["value"],
            "emotion": each["emotion"]["value"],
            "same": [same["incident"] for same in each["same"]],
        }
        digest = sha256(f"{row['title']}\n{row['text']}".encode("utf-8", "replace")).hexdigest()
        tx.emit(IncidentRead(subject=row["incident"], sha256=digest, told=short))
