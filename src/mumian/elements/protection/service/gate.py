"""The gate: the one way to rows; it rewrites what is asked by policy, runs it in bounds, and proves looks at labelled data."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from mumian.elements.protection.contracts import Answer, AnswerColumn, Delivery, FieldTerms, Limits, RowRequest, Terms
from mumian.elements.protection.errors import GrantEnded, WrongPurpose
from mumian.elements.protection.events import RowsRead
from mumian.elements.protection.rules.masking import quoted
from mumian.elements.protection.rules.parsing import parse_condition, text
from mumian.elements.protection.service.keys import TokenKeys, short
from mumian.elements.protection.service.known import Known
from mumian.elements.protection.service.reading import Reading
from mumian.elements.protection.settings import ProtectionSettings
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_PURPOSE_MOST = 200
Keep = Callable[[list[RowsRead], Answer], Awaitable[None]]


class Gate:
    """`platform.get(Gate)`: what nobody may see never leaves DuckDB, whatever SQL comes in.

    Every method raises BadQuery (SQL that is not let through, with the reason), NotFound (no such dataset), NotGranted,
    GrantEnded, WrongPurpose, TooMuch (time or memory), GateBusy.
    """

    def __init__(self, platform: Platform, known: Known, reading: Reading, keys: TokenKeys, settings: ProtectionSettings) -> None:
        self._platform = platform
        self._known = known
        self._reading = reading
        self.keys = keys
        self.settings = settings
        self._planner: Any = None

    async def query(self, request: RowRequest, keep: Keep | None = None) -> Answer:
        """The answer to one question, as long as its limits allow; the evidence is durable when it returns.

        Who has more to prove gives `keep`: it gets the events and the answer, and makes them durable in a commit of its own.
        """
        from mumian.elements.protection.service import answers

        limits = _bounded(request)
        plan = await self._plan(request, limits.rows + 1)
        sql, params = plan.bound(request)

        async with self._reading.cursor() as cursor:

            def work() -> tuple[tuple[AnswerColumn, ...], list[tuple[Any, ...]], bool]:
                cursor.execute(sql, params)
                return (answers.columns(cursor), *answers.rows(cursor, limits))

            columns, rows, truncated = await self._reading.work(cursor, limits.seconds, work)
        answer = Answer(columns, rows, truncated)
        if keep is not None:
            await keep(self._evidence(request, plan, len(rows)), answer)
        else:
            await self._prove(request, plan, len(rows))
        if request.match and plan.cold:
            await self._reading.plan(lambda: self._known.asked([one.dataset for one in plan.touched], tuple(request.match)))
        return answer

    async def stream(self, request: RowRequest) -> AsyncIterator[tuple[tuple[AnswerColumn, ...], list[tuple[Any, ...]]]]:
        """A long answer in batches of (columns, rows), at least one; `limits.seconds` bounds each batch, `limits.rows` them all.

        That reading began is proven before the first batch is given, and how many rows were given when it ends.
        """
        from mumian.elements.protection.service import answers

        limits = _bounded(request)
        plan = await self._plan(request, limits.rows)
        await self._prove(request, plan, None)
        given = 0
        async with self._reading.cursor() as cursor:
            try:
                await self._reading.work(cursor, limits.seconds, lambda: cursor.execute(*plan.bound(request)))
                columns, source = answers.columns(cursor), answers.batches(cursor, 10_000)
                batch = await self._reading.work(cursor, limits.seconds, lambda: next(source, []))
                yield columns, batch
                while batch:
                    given += len(batch)
                    batch = await self._reading.work(cursor, limits.seconds, lambda: next(source, []))
                    if batch:
                        yield columns, batch
            finally:
                await self._prove(request, plan, given)

    async def table_sql(self, request: RowRequest) -> Delivery:
        """The question rewritten, for set-based work that runs it in a lake transaction; `limits.rows` does not apply.

        The tables are named `lake.main.<table>`. That it was handed out is proven; who runs it tells how many rows went where.
        """
        from mumian.elements.protection.service import answers

        limits = _bounded(request)
        plan = await self._plan(request, None)
        sql, params = plan.bound(request)

        async with self._reading.cursor() as cursor:

            def work() -> tuple[AnswerColumn, ...]:
                cursor.execute(f"SELECT * FROM ({sql}) AS q LIMIT 0", params)
                return answers.columns(cursor)

            columns = await self._reading.work(cursor, limits.seconds, work)
        await self._prove(request, plan, None)
        labelled = tuple(f"{one.dataset}#{name}" for one in plan.touched for name in one.labelled)
        return Delivery(sql, params, columns, labelled)

    async def terms(self, request: RowRequest, dataset: str) -> Terms:
        """How the rows of one dataset may leave by this request, for set-based work such as exchange jobs; `sql` does not matter.

        Whoever asks sees to it that nothing leaves otherwise, and tells how many rows went where. That it was told is proven.
        """
        asked = replace(request, sql="SELECT * FROM " + quoted(dataset), params={}, match={})
        plan = await self._plan(asked, None)
        policy = await self._reading.plan(lambda: self._known.policy(dataset, asked))
        await self._prove(asked, plan, None)
        shown = [one for one in policy.fields if not one.field.name.startswith("_")]
        fields = tuple(FieldTerms(one.field.name, one.field.type, one.mask, one.key) for one in shown)
        rows = "" if policy.rows is None else text(parse_condition(policy.rows))
        return Terms(dataset, policy.table, fields, rows)

    def withhold(self, datasets: Callable[[Session], Iterable[str]]) -> None:
        """Let a component say which datasets the public must not read yet, though they are declared open; asked each second."""
        self._known.withholders.append(datasets)

    def look_again(self) -> None:
        """Ask at the next question what is withheld: it changed here."""
        self._known.forget()

    def close(self) -> None:
        """Let go of the lake."""
        self._known.hot.close()
        self._reading.close()

    async def _plan(self, request: RowRequest, most: int | None) -> Any:
        self._admit(request)
        if self._planner is None:
            from mumian.elements.protection.service.planning import Planner

            self._planner = Planner(self._known, self.keys, self._reading)
        if self._known.stale:
            await self._reading.plan(self._known.refresh)
        plan = self._planner.find(request, most) or await self._reading.plan(lambda: self._planner.make(request, most))
        if plan.labelled and not request.purpose.strip():
            raise Invalid.field("purpose", "field.missing")
        return plan

    def _admit(self, request: RowRequest) -> None:
        """A grant must be in force, be used by its holder, and for a purpose that it names."""
        if len(request.purpose) > _PURPOSE_MOST:
            raise Invalid.field("purpose", "field.length", expected=f"≤ {_PURPOSE_MOST}")
        grant = request.grant
        if grant is None:
            return
        over = grant.expires is not None and grant.expires <= self._platform.clock.now()
        if over or (grant.quota is not None and grant.quota <= 0):
            raise GrantEnded(action="row:read", grant=grant.id)
        if request.purpose not in grant.purposes or (grant.holder is not None and grant.holder != request.caller.organisation):
            raise WrongPurpose(action="row:read", purpose=request.purpose, purposes=", ".join(grant.purposes))

    async def _prove(self, request: RowRequest, plan: Any, rows: int | None) -> None:
        events = self._evidence(request, plan, rows)
        if not events:
            return

        def work(tx: Transaction) -> None:
            for event in events:
                tx.emit(event)

        await self._platform.records.write(work, request.caller.actor)

    def _evidence(self, request: RowRequest, plan: Any, rows: int | None) -> list[RowsRead]:
        """What is told of a look: an event for each dataset of which labelled fields are touched."""
        values: str | None = None
        if request.params or request.match:
            given = json.dumps([dict(request.params), dict(request.match)], sort_keys=True, ensure_ascii=False)
            values = self.keys.token("evidence", given)
        query = short(request.sql.encode())
        return [
            RowsRead(
                subject=one.dataset,
                organisation=request.caller.organisation,
                purpose=request.purpose,
                grant=None if request.grant is None else request.grant.id,
                fields=list(one.fields),
                labelled=one.labelled,
                rows=rows,
                query=query,
                values=values,
            )
            for one in plan.labelled
        ]


def _bounded(request: RowRequest) -> Limits:
    """The limits of a request, narrowed by what is left of the quota."""
    quota = None if request.grant is None else request.grant.quota
    return request.limits if quota is None else replace(request.limits, rows=min(request.limits.rows, max(quota, 0)))
