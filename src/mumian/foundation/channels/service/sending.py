"""Sending: what waits goes out at least once, tried again with growing pauses; each channel waits for itself alone."""

import asyncio
import logging
from datetime import timedelta

from mumian.foundation.channels import rules, store
from mumian.foundation.channels.contracts import Outgoing, Sent
from mumian.foundation.channels.errors import Refused
from mumian.foundation.channels.events import MessageGivenUp, MessageSent
from mumian.foundation.channels.service.queueing import GIVEN_UP, SENT
from mumian.foundation.channels.service.ways import Ways
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.errors import MumianError, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction

_PAUSE = 0.5
_PAGE = 200
_AT_ONCE = 8
_log = logging.getLogger("mumian.channels")


class Sender:
    """The background job of channels."""

    name = "foundation.channels"

    def __init__(self, platform: Platform, ways: Ways | None = None) -> None:
        self._platform = platform
        self._ways = ways or Ways()
        self._busy = asyncio.Lock()
        self._loop = Loop(self.name, platform.clock, self.settle, _PAUSE)

    async def start(self) -> None:
        """Take up what waited when the city stopped."""
        self._loop.start()

    async def stop(self) -> None:
        """End after what is being sent; the rest waits in the records."""
        await self._loop.stop()
        await self._ways.close()

    async def settle(self) -> bool:
        """Try all that is due; True if anything was tried."""
        async with self._busy:
            now = iso(self._platform.clock.now())
            rows = await self._platform.records.read(lambda session: store.due(session, now, _PAGE))
            by_channel: dict[str, list[Row]] = {}
            for row in rows:
                by_channel.setdefault(row["channel"], []).append(row)
            gate = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(self._serve(several, gate) for several in by_channel.values()))
            return bool(rows)

    async def _serve(self, rows: list[Row], gate: asyncio.Semaphore) -> None:
        """Send what waits for one channel, in order; after one that fails for now the others wait as long."""
        async with gate:
            pause = 0.0
            for row in rows:
                if pause:
                    await self._later(row, pause)
                    continue
                pause = await self._try(row)

    async def _try(self, row: Row) -> float:
        """Try one message; returns how long its channel should rest, 0 if it need not."""
        tries = row["tries"] + 1
        try:
            channel = self._platform.declarations.get("Channel", row["channel"])
            sent = await self._ways.send(channel.spec, _outgoing(row, channel.spec.language))
        except (Refused, NotFound) as error:
            await self._give_up(row, tries, str(error))
            return 0.0
        except MumianError as error:
            if tries >= channel.spec.tries:
                await self._give_up(row, tries, str(error))
                return 0.0
            pause, problem = rules.pause(tries), str(error)[:500]
            _log.warning("the channel %s does not take messages: %s", row["channel"], error)
            again = iso(self._platform.clock.now() + timedelta(seconds=pause))
            await self._platform.records.write(
                lambda tx: store.change(tx.session, row["id"], tries=tries, next_try=again, problem=problem)
            )
            return pause
        await self._platform.records.write(lambda tx: _sent(tx, row, tries, sent))
        return 0.0

    async def _later(self, row: Row, pause: float) -> None:
        again = iso(self._platform.clock.now() + timedelta(seconds=pause))
        await self._platform.records.write(lambda tx: store.change(tx.session, row["id"], next_try=again))

    async def _give_up(self, row: Row, tries: int, reason: str) -> None:
        def work(tx: Transaction) -> None:
            values = {"state": GIVEN_UP, "tries": tries, "next_try": None, "problem": reason[:500], "done_at": tx.now_text}
            store.change(tx.session, row["id"], **values)
            event = MessageGivenUp(
                subject=row["id"], channel=row["channel"], topic=row["topic"], tries=tries, reason=reason[:500]
            )
            tx.emit(event)

        await self._platform.records.write(work)


def _sent(tx: Transaction, row: Row, tries: int, sent: Sent) -> None:
    store.change(tx.session, row["id"], state=SENT, tries=tries, next_try=None, problem="", done_at=tx.now_text)
    tx.emit(
        MessageSent(subject=row["id"], channel=row["channel"], topic=row["topic"], tries=tries, reference=sent.reference[:200])
    )


def _outgoing(row: Row, language: str) -> Outgoing:
    return Outgoing(
        id=row["id"],
        to=row["recipient"],
        subject=rules.written(row["subject"], language),
        body=rules.written(row["body"], language),
        about=row["about"],
        topic=row["topic"],
        urgency=row["urgency"],
        created=row["created"],
    )
