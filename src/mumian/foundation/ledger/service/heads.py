"""Heads: the tree is folded up to its newest entry and its root signed, when it has grown and time has passed."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from mumian.foundation.cryptography.api import Cryptography
from mumian.foundation.ledger import rules, store
from mumian.foundation.ledger.contracts import Head
from mumian.foundation.ledger.errors import LedgerDamaged
from mumian.foundation.ledger.settings import LedgerSettings
from mumian.kernel.background import Loop
from mumian.kernel.clock import Clock, iso, parse_iso
from mumian.kernel.unit_of_work import Records, Session, Transaction

_log = logging.getLogger("mumian.ledger")
_CHUNK = 64 * rules.TILE


@dataclass(frozen=True)
class _Growth:
    size: int
    root: str
    nodes: list[rules.Node]


class Heads:
    """Signs tree heads; nothing is signed over entries that do not continue the last head."""

    name = "ledger"

    def __init__(self, records: Records, clock: Clock, cryptography: Cryptography, settings: LedgerSettings) -> None:
        self._records = records
        self._clock = clock
        self._cryptography = cryptography
        self._settings = settings
        self._signing = asyncio.Lock()
        self._loop = Loop("ledger.heads", clock, self._attempt, self._pause)

    async def start(self) -> None:
        """Sign from time to time."""
        self._loop.start()

    async def stop(self) -> None:
        """Sign what is not yet, and end."""
        await self._loop.stop()
        try:
            await self._attempt()
        except Exception:
            _log.exception("no head was signed at the end")

    async def settle(self) -> bool:
        """Sign if the ledger has grown and the last head is old enough on the city's clock."""
        return await self._due() and await self._attempt()

    async def sign(self) -> Head:
        """The head over everything there is, signed now if it is not yet; raises LedgerDamaged."""
        async with self._signing:
            last, growth = await self._records.read(_grow)
            if growth is None:
                assert last is not None
                return last
            head = await asyncio.to_thread(self._signed, growth)
            return await self._records.write(lambda tx: _keep(tx, head, growth))

    def sign_now(self) -> Head:
        """`sign` for synchronous callers."""
        last, growth = self._records.read_now(_grow)
        if growth is None:
            assert last is not None
            return last
        head = self._signed(growth)
        return self._records.write_now(lambda tx: _keep(tx, head, growth))

    def _signed(self, growth: _Growth) -> Head:
        time = iso(self._clock.now())
        return Head(growth.size, growth.root, time, self._cryptography.sign(rules.head_message(growth.size, growth.root, time)))

    async def _due(self) -> bool:
        last, size = await self._records.read(lambda session: (store.head(session), store.count(session)))
        if last is None or last.size >= size:
            return last is None and size > 0
        passed = abs(self._clock.now() - parse_iso(last.time))
        return passed >= timedelta(seconds=self._settings.head_seconds)

    async def _attempt(self) -> bool:
        try:
            await self.sign()
        except LedgerDamaged as error:
            _log.error("%s", error)
            return False
        return True

    def _pause(self) -> float:
        return max(self._clock.real_seconds(self._settings.head_seconds), self._settings.head_pause)


def _keep(tx: Transaction, head: Head, growth: _Growth) -> Head:
    store.put_nodes(tx.session, growth.nodes)
    store.put_head(tx.session, head)
    return store.head(tx.session, head.size) or head


def _grow(session: Session) -> tuple[Head | None, _Growth | None]:
    """The last head, and what has grown since; None when nothing has."""
    last, size = store.head(session), store.count(session)
    if last is not None and last.size == size:
        return last, None
    if last is not None and last.size > size:
        raise LedgerDamaged(size=last.size)
    start = 0 if last is None else last.size - last.size % rules.TILE
    try:
        return last, _fold(session, last, start, size)
    except (LookupError, ValueError, TypeError) as error:
        raise LedgerDamaged(size=0 if last is None else last.size) from error


def _fold(session: Session, last: Head | None, start: int, size: int) -> _Growth:
    edge, nodes = rules.Frontier.at(store.fetch(session), start), []
    for first in range(start, size, _CHUNK):
        for leaf in store.fetch(session)(0, first, min(_CHUNK, size - first)):
            if last is not None and edge.size == last.size:
                _check(edge, last)
            nodes += edge.append(leaf)
    return _Growth(size, edge.root().hex(), nodes)


def _check(edge: rules.Frontier, last: Head) -> None:
    if edge.root().hex() != last.root:
        raise ValueError("the entries do not lead to the last head")
