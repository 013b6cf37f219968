"""Reading under a grant: through the gate, for the purpose, within the quota, counted and proven before anything goes out."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from mumian.elements.protection.api import Answer, DatasetGrant, Gate, Limits, RowRequest
from mumian.elements.protection.api import Grant as GateGrant
from mumian.elements.protection.contracts import AnswerColumn
from mumian.elements.sharing.contracts import Grant, Proof, Receipt
from mumian.elements.sharing.errors import NoSuchGrant
from mumian.elements.sharing.rules.metering import Use
from mumian.elements.sharing.rules.questions import Question
from mumian.elements.sharing.service.granting import holds
from mumian.elements.sharing.service.metering.proving import Part, Proving
from mumian.foundation.identity.api import Caller
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform

Rows = list[tuple[Any, ...]]
Write = Callable[[Answer], bytes]
Writer = Callable[[tuple[AnswerColumn, ...], Rows], bytes]


@dataclass(frozen=True)
class Asked:
    """Who asks under which grant for what purpose; `request` is the digest of the request as it came."""

    caller: Caller
    grant: str
    purpose: str
    request: str


class Reading:
    """The rows of granted datasets."""

    def __init__(self, platform: Platform, proving: Proving) -> None:
        self._platform = platform
        self._proving = proving

    async def open(self, caller: Caller, grant_id: str) -> tuple[Grant, int | None]:
        """A grant that a caller may use now, and how many more rows; raises NoSuchGrant, NotInForce, QuotaUsed."""
        grant, left = await self._proving.opened(grant_id)
        if not holds(caller, grant):
            raise NoSuchGrant(grant=grant_id[:80])
        return grant, left

    async def query(
        self,
        asked: Asked,
        sql: str,
        limits: Limits,
        write: Write,
        params: Mapping[str, Any] | None = None,
        match: Mapping[str, Any] | None = None,
    ) -> tuple[bytes, Proof]:
        """The answer to one question, written by `write`; raises what the gate raises, and NotInForce, QuotaUsed."""
        grant, left = await self.open(asked.caller, asked.grant)
        out: list[tuple[bytes, Proof]] = []

        async def keep(events: list[Any], answer: Answer) -> None:
            content = write(answer)
            out.append((content, await self.settle(asked, grant, content, len(answer.rows), events)))

        request = RowRequest(asked.caller, asked.purpose, sql, params or {}, gate_grant(grant, left), limits, match or {})
        await self._platform.get(Gate).query(request, keep)
        return out[0]

    async def stream(self, asked: Asked, question: Question, limits: Limits, writer: Writer) -> AsyncIterator[bytes]:
        """A whole answer bit by bit, each counted before it is given; when it ends, however it ends, it has its receipt.

        Raises QuotaUsed before anything is given when there are more rows than may be had: half an answer looks like a whole one.
        """
        opened = await self.open(asked.caller, asked.grant)
        await self.affordable(asked, opened, question, limits)
        grant = opened[0]
        request = RowRequest(asked.caller, asked.purpose, question.sql, question.params, gate_grant(grant, None), limits)
        whole, calls, given, size = sha256(), 1, 0, 0
        try:
            async for columns, rows in self._platform.get(Gate).stream(request):
                content = writer(columns, rows)
                await self._proving.commit(Part(grant.id, Use(calls, len(rows), len(content)), None), asked.caller.actor)
                calls, given, size = 0, given + len(rows), size + len(content)
                whole.update(content)
                yield content
        finally:
            if not calls:
                receipt = _receipt(asked, grant, whole.hexdigest(), given, size)
                await self._proving.commit(Part(grant.id, Use(), receipt, (), gone=True), asked.caller.actor)

    async def affordable(self, asked: Asked, opened: tuple[Grant, int | None], question: Question, limits: Limits) -> None:
        """Raise QuotaUsed if a whole answer has more rows than are left."""
        grant, left = opened
        if left is None:
            return
        sql = f"SELECT count(*) AS n FROM ({question.sql}) AS q"
        request = RowRequest(asked.caller, asked.purpose, sql, question.params, gate_grant(grant, None), limits)
        answer = await self._platform.get(Gate).query(request)
        if int(answer.rows[0][0]) > left:
            raise await self._proving.short(grant, int(answer.rows[0][0]))

    async def collect(
        self, asked: Asked, grant: Grant, question: Question, limits: Limits
    ) -> AsyncIterator[tuple[tuple[AnswerColumn, ...], Rows]]:
        """All rows of an answer that goes out later: `settle` it before it does."""
        request = RowRequest(asked.caller, asked.purpose, question.sql, question.params, gate_grant(grant, None), limits)
        async for columns, rows in self._platform.get(Gate).stream(request):
            yield columns, rows

    async def settle(self, asked: Asked, grant: Grant, content: bytes, rows: int, events: list[Any]) -> Proof:
        """Count and prove an answer whose bytes are all there."""
        receipt = _receipt(asked, grant, sha256(content).hexdigest(), rows, len(content))
        proof = await self._proving.commit(Part(grant.id, Use(1, rows, len(content)), receipt, events), asked.caller.actor)
        assert proof is not None
        return proof

    async def hand_out(
        self, asked: Asked, work: Callable[[Grant, int | None], Awaitable[tuple[bytes, int]]]
    ) -> tuple[bytes, Proof]:
        """Whatever bytes `work` makes under a grant, with the number of rows in them."""
        grant, left = await self.open(asked.caller, asked.grant)
        if asked.purpose != grant.purpose:
            raise Invalid.field("purpose", "sharing.other_purpose", purpose=grant.purpose)
        content, rows = await work(grant, left)
        return content, await self.settle(asked, grant, content, rows, [])


def _receipt(asked: Asked, grant: Grant, digest: str, rows: int, size: int) -> Receipt:
    """A receipt that still lacks its number, place and time."""
    return Receipt(
        number="",
        seq=0,
        time="",
        grant=grant.id,
        dataset=grant.dataset,
        holder=grant.holder,
        caller=asked.caller.actor.id,
        purpose=asked.purpose,
        request=asked.request,
        answer=digest,
        rows=rows,
        bytes=size,
    )


def gate_grant(grant: Grant, left: int | None) -> GateGrant:
    """A grant as the gate knows it; tokens of one holder are alike in all datasets and unlike those of other holders."""
    item = grant.item
    terms = DatasetGrant(
        grant.dataset,
        item.fields or None,
        item.rows,
        tokens=tuple((name, f"sharing.{grant.holder}") for name in item.tokens),
        lookup=item.lookup,
        plain=item.plain,
    )
    holder = None if grant.holder.startswith("person:") else grant.holder
    return GateGrant(grant.id, (terms,), (grant.purpose,), holder, datetime.fromisoformat(grant.until), left)
