"""Proving: what goes out under grants is counted, has its receipt and its ledger entry in one commit, before it goes out."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from mumian.elements.sharing import store
from mumian.elements.sharing.contracts import Grant, Proof, Receipt, canonical
from mumian.elements.sharing.errors import NoSuchGrant, NotInForce, QuotaUsed
from mumian.elements.sharing.events import Answered
from mumian.elements.sharing.rules import cases, metering, receipts
from mumian.elements.sharing.rules.metering import PERIODS, Exceeded, Use
from mumian.elements.sharing.service.metering import store as meters
from mumian.elements.sharing.service.terms import Terms
from mumian.foundation.cryptography.api import Cryptography, Signature
from mumian.kernel.clock import iso, parse_iso
from mumian.kernel.errors import MumianError, NotFound
from mumian.kernel.events import Event
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Session, Transaction, next_value

_BATCH = 500
_FRESH = 1.0  # another process may change a grant; the commit looks again in any case
_MOST_KNOWN = 10_000


@dataclass(frozen=True)
class Part:
    """Something to be counted, and proven: `receipt` lacks its number, place and time; None while an answer is under way.

    What is `gone` out already is never refused.
    """

    grant: str
    use: Use
    receipt: Receipt | None
    events: Sequence[Event] = ()
    gone: bool = False


@dataclass
class _Waiting:
    part: Part
    done: "asyncio.Future[Proof | None]"


@dataclass
class _Lane:
    """What waits to be committed for one actor, whose name the ledger entries bear."""

    waiting: list[_Waiting] = field(default_factory=list)
    running: asyncio.Task[None] | None = None


@dataclass(frozen=True)
class _Tree:
    batch: int
    time: str
    leaves: list[bytes]
    root: str = ""


class Proving:
    """Parts that come while a commit is under way share the next one, with one Merkle tree and one signature for all."""

    def __init__(self, platform: Platform, terms: Terms) -> None:
        self._platform = platform
        self._terms = terms
        self._lanes: dict[Actor, _Lane] = {}
        self._known: dict[str, tuple[float, Grant, dict[str, Use]]] = {}

    async def opened(self, grant_id: str) -> tuple[Grant, int | None]:
        """A grant in force, and how many more rows it may give; raises NoSuchGrant, NotInForce, QuotaUsed."""
        known = self._known.get(grant_id)
        if known is None or time.monotonic() - known[0] > _FRESH or self._platform.clock.stepped:
            known = await self._platform.records.read(lambda session: self._look(session, grant_id))
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[grant_id] = known
        _, grant, used = known
        error = self._refusal(grant, used, Use(1, 1, 1))
        if error is not None:
            raise error
        return grant, metering.rows_left(grant.quota, used)

    async def commit(self, part: Part, actor: Actor) -> Proof | None:
        """Count and prove a part; durable when it returns. Raises NotInForce, QuotaUsed: then nothing of it happened."""
        lane = self._lanes.setdefault(actor, _Lane())
        waiting = _Waiting(part, asyncio.get_running_loop().create_future())
        lane.waiting.append(waiting)
        if lane.running is None:
            lane.running = asyncio.create_task(self._run(lane, actor))
        return await asyncio.shield(waiting.done)

    async def proof(self, number: str) -> Proof:
        """The proof of a receipt, signed anew; raises NotFound."""

        def work(session: Session) -> tuple[Receipt, _Tree]:
            row = meters.receipt(session, number)
            if row is None:
                raise NotFound(kind="receipt", name=number[:80])
            rows = meters.batch(session, row["batch"])
            leaves = [receipts.leaf(each["body"].encode()) for each in rows]
            tree = _Tree(row["batch"], row["time"], leaves, receipts.root(leaves).hex())
            return msgspec.json.decode(row["body"], type=Receipt), tree

        receipt, tree = await self._platform.records.read(work)
        signatures = await asyncio.to_thread(self._sign, tree)
        return self._proof(receipt, tree, receipts.paths(tree.leaves)[receipt.seq], signatures)

    async def used(self, grant_id: str) -> dict[str, Use]:
        """What of a grant is used in this day and month."""
        return await self._platform.records.read(lambda session: meters.used(session, grant_id, self._firsts()))

    async def short(self, grant: Grant, rows: int) -> MumianError:
        """The error that a grant has not as many rows left."""
        return self._refusal(grant, await self.used(grant.id), Use(1, rows)) or NoSuchGrant(grant=grant.id)

    def renews(self, period: str) -> str:
        """When the quota of a period renews, as ISO 8601 UTC."""
        return iso(metering.renews(period, self._platform.clock.now(), self._terms.zone))

    def forget(self, grant_id: str) -> None:
        """Look again at the next question: a grant changed here."""
        self._known.pop(grant_id, None)

    async def _run(self, lane: _Lane, actor: Actor) -> None:
        while lane.waiting:
            taken, lane.waiting = lane.waiting[:_BATCH], lane.waiting[_BATCH:]
            try:
                outcomes, tree, books = await self._platform.records.write(lambda tx, taken=taken: self._write(tx, taken), actor)  # type: ignore[misc]
                signatures = await asyncio.to_thread(self._sign, tree) if tree.leaves else ()
            except Exception as error:
                for one in taken:
                    one.done.set_exception(error)
                    one.done.exception()
                continue
            self._known |= {name: (time.monotonic(), book.grant, book.used) for name, book in books.items()}
            paths = receipts.paths(tree.leaves) if tree.leaves else []
            for one, outcome in zip(taken, outcomes, strict=True):
                self._resolve(one, outcome, tree, paths, signatures)
        lane.running = None
        if self._lanes.get(actor) is lane:
            del self._lanes[actor]

    def _resolve(
        self,
        one: _Waiting,
        outcome: Receipt | MumianError | None,
        tree: _Tree,
        paths: list[list[bytes]],
        signatures: tuple[Signature, ...],
    ) -> None:
        if isinstance(outcome, MumianError):
            one.done.set_exception(outcome)
            one.done.exception()
        else:
            one.done.set_result(None if outcome is None else self._proof(outcome, tree, paths[outcome.seq], signatures))

    def _write(
        self, tx: Transaction, taken: list[_Waiting]
    ) -> tuple[list[Receipt | MumianError | None], _Tree, dict[str, "_Book"]]:
        firsts = self._firsts()
        books = {name: book for name in sorted({one.part.grant for one in taken}) if (book := _book(tx, name, firsts))}
        outcomes: list[Receipt | MumianError | None] = []
        kept: list[Receipt] = []
        for one in taken:
            outcome = self._outcome(tx, books.get(one.part.grant), one.part, len(kept))
            if isinstance(outcome, Receipt):
                kept.append(outcome)
            outcomes.append(outcome)
        if kept:
            first = next_value(tx.session, "sharing.receipt", len(kept))
            numbers = {receipt.seq: f"R{first + receipt.seq:012}" for receipt in kept}
            kept = [replace(receipt, number=numbers[receipt.seq]) for receipt in kept]
            outcomes = [kept[each.seq] if isinstance(each, Receipt) else each for each in outcomes]
        return outcomes, self._close(tx, firsts, books, kept), books

    def _outcome(self, tx: Transaction, book: "_Book | None", part: Part, seq: int) -> Receipt | MumianError | None:
        if book is None:
            return NoSuchGrant(grant=part.grant[:80])
        error = None if part.gone else self._refusal(book.grant, book.used, part.use)
        if error is not None:
            return error
        book.had += part.use
        book.used = {period: book.used[period] + part.use for period in PERIODS}
        for event in part.events:
            tx.emit(event)
        return None if part.receipt is None else replace(part.receipt, seq=seq, time=tx.now_text)

    def _close(self, tx: Transaction, firsts: dict[str, str], books: dict[str, "_Book"], kept: list[Receipt]) -> _Tree:
        """Write down what was had, and what the tree of the receipts is."""
        had = {name: book for name, book in books.items() if book.had != Use()}
        for name, book in had.items():
            meters.add(tx, name, firsts, book.had)
        for dataset in sorted({book.grant.dataset for book in had.values()}):
            calls = sum(book.had.calls for book in had.values() if book.grant.dataset == dataset)
            if calls:
                meters.count_use(tx, dataset, calls)
        if not had and not kept:
            return _Tree(0, tx.now_text, [])
        bodies = [canonical(receipt) for receipt in kept]
        leaves = [receipts.leaf(body) for body in bodies]
        root = receipts.root(leaves).hex() if leaves else ""
        batch = next_value(tx.session, "sharing.batch")
        rows: list[dict[str, Any]] = [
            {"number": r.number, "seq": r.seq, "grant_id": r.grant, "time": r.time, "body": body.decode()}
            for r, body in zip(kept, bodies, strict=True)
        ]
        meters.keep(tx, batch, rows)
        tx.emit(
            Answered(
                subject=str(batch),
                size=len(leaves),
                root=root,
                calls={name: book.had.calls for name, book in had.items()},
                rows={name: book.had.rows for name, book in had.items()},
                bytes={name: book.had.bytes for name, book in had.items()},
            )
        )
        return _Tree(batch, tx.now_text, leaves, root)

    def _refusal(self, grant: Grant, used: dict[str, Use], more: Use) -> MumianError | None:
        now = self._platform.clock.now()
        if not cases.in_force(grant, iso(now)):
            state = "ended" if grant.state == "active" else grant.state
            return NotInForce(action="row:read", grant=grant.id, state=state, until=grant.until)
        found = metering.exceeded(grant.quota, used, more)
        return None if found is None else self._used_up(found)

    def _used_up(self, found: Exceeded) -> QuotaUsed:
        renews = self.renews(found.period)
        seconds = math.ceil((parse_iso(renews) - self._platform.clock.now()).total_seconds())
        return QuotaUsed(what=found.what, period=found.period, most=found.most, renews=renews, seconds=max(seconds, 1))

    def _look(self, session: Session, grant_id: str) -> tuple[float, Grant, dict[str, Use]]:
        grant = store.GRANTS.find(session, grant_id)
        if grant is None:
            raise NoSuchGrant(grant=grant_id[:80])
        return time.monotonic(), grant, meters.used(session, grant_id, self._firsts())

    def _firsts(self) -> dict[str, str]:
        now, zone = self._platform.clock.now(), self._terms.zone
        return {period: metering.start(period, now, zone).isoformat() for period in PERIODS}

    def _sign(self, tree: _Tree) -> tuple[Signature, ...]:
        return self._platform.get(Cryptography).sign(receipts.message(len(tree.leaves), tree.root, tree.time))

    @staticmethod
    def _proof(receipt: Receipt, tree: _Tree, path: list[bytes], signatures: tuple[Signature, ...]) -> Proof:
        steps = tuple(step.hex() for step in path)
        return Proof(receipt, tree.batch, len(tree.leaves), steps, tree.root, tree.time, signatures)


@dataclass
class _Book:
    """A grant as it is in this commit, what it used in each period, and what it has in this commit."""

    grant: Grant
    used: dict[str, Use]
    had: Use = field(default_factory=Use)


def _book(tx: Transaction, grant_id: str, firsts: dict[str, str]) -> _Book | None:
    grant = store.GRANTS.find(tx.session, grant_id)
    return None if grant is None else _Book(grant, meters.lock(tx, grant_id, firsts))


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(content).hexdigest()
