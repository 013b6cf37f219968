"""Return flow 属地回流: after every load, rows of a city's dataset go back to the districts that they are about."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mumian.elements.catalog.api import Tables
from mumian.elements.protection.api import DatasetGrant, Gate, Limits, RowRequest
from mumian.elements.protection.api import Grant as GateGrant
from mumian.elements.sharing.delivery import hooks, pushing
from mumian.elements.sharing.delivery.pages import Page
from mumian.elements.sharing.events import Returned
from mumian.elements.sharing.models import ReturnFlowSpec, ReturnTarget
from mumian.elements.sharing.rules import cases
from mumian.elements.sharing.rules.questions import quoted
from mumian.foundation.identity.api import Caller, Identity
from mumian.foundation.ledger.api import Fault
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.errors import MumianError, NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Row, Session, Transaction

_PAUSE = 2.0
_EVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Part:
    """What of a flow goes to one district: all rows, or those of loads after `done`."""

    name: str
    spec: ReturnFlowSpec
    target: ReturnTarget
    holder: str
    done: int
    wanted: int
    whole: bool


class Flowing:
    """Looks every two seconds; what failed is tried again with longer and longer pauses, and nothing is lost."""

    name = "elements.sharing.flowing"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._loop = Loop(self.name, platform.clock, self.settle, lambda: platform.clock.real_seconds(_PAUSE))

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End after what is under way."""
        await self._loop.stop()

    def loaded(self, tx: Transaction, event: DeliveredEvent) -> None:
        """Rows came into a dataset: its flows are due."""
        for declared in self._platform.declarations.all("ReturnFlow"):
            if declared.spec.dataset != event.subject:
                continue
            for target in declared.spec.targets:
                tx.session.execute(
                    "INSERT INTO sharing_flow (flow, district, target, load, wanted, whole, attempts, next_at, error, time) "
                    "VALUES (:flow, :district, :target, 0, :load, 1, 0, :now, '', NULL) ON CONFLICT (flow, district) DO UPDATE "
                    "SET wanted = :load, next_at = :now, whole = CASE WHEN :whole = 1 OR sharing_flow.target <> :target "
                    "THEN 1 ELSE sharing_flow.whole END, target = :target",
                    flow=declared.name,
                    district=target.district,
                    target=_place(target),
                    load=event.data["load"],
                    whole=int(event.data["mode"] == "replace"),
                    now=tx.now_text,
                )

    async def settle(self) -> bool:
        """Let flow what is due now; True if there was anything."""
        now = iso(self._platform.clock.now())
        sql = "SELECT * FROM sharing_flow WHERE wanted > load AND next_at <= :now ORDER BY flow, district LIMIT 50"
        rows = await self._platform.records.read(lambda session: session.rows(sql, now=now))
        for row in rows:
            await self._one(row)
        return bool(rows)

    async def _one(self, row: Row) -> None:
        part = self._part(row)
        if part is None:
            await self._platform.records.write(lambda tx: _done(tx, row, None))
            return
        try:
            rows = await (self._into_dataset(part) if part.target.dataset else self._into_table(part))
        except (hooks.Refused, MumianError, OSError) as error:
            pause = timedelta(seconds=cases.pause(row["attempts"] + 1))
            following, reason = iso(self._platform.clock.now() + pause), str(error)[:300]
            await self._platform.records.write(lambda tx: _failed(tx, row, following, reason))
            return
        told = Returned(
            subject=part.name,
            dataset=part.spec.dataset,
            district=part.target.district,
            target=_place(part.target),
            load=part.wanted,
            rows=rows,
        )
        await self._platform.records.write(lambda tx: _done(tx, row, told))

    def _part(self, row: Row) -> _Part | None:
        """What is to be done; None when the flow, or its way to the district, is declared no more."""
        try:
            spec = self._platform.declarations.get("ReturnFlow", row["flow"]).spec
            target = next((each for each in spec.targets if each.district == row["district"]), None)
            if target is None:
                return None
            if target.dataset is not None:
                holder = self._platform.declarations.get("Dataset", target.dataset).spec.owner
            else:
                holder = self._platform.declarations.get("PushTarget", target.target or "").spec.holder
        except NotFound:
            return None
        return _Part(row["flow"], spec, target, holder, row["load"], row["wanted"], bool(row["whole"]))

    def _request(self, part: _Part, fields: list[str], whole: bool) -> RowRequest:
        """The district's rows, read for the district through the gate."""
        spec = part.spec
        terms = DatasetGrant(
            spec.dataset,
            tuple(fields),
            f"substr(\"{spec.field}\", 1, 6) = '{part.target.district}'",
            tokens=tuple((name, f"sharing.{part.holder}") for name in spec.tokens),
            plain=tuple(spec.plain),
        )
        grant = GateGrant(f"return-flow:{part.name}", (terms,), (spec.purpose,), part.holder, _EVER)
        decide = self._platform.get(Identity).decisions.allowed
        caller = Caller(Actor(f"return-flow:{part.name}", "system", (), part.holder), decide=decide)
        names = ", ".join(quoted(name) for name in fields)
        head = f"SELECT {names}" if part.target.dataset else f"SELECT _id, _load, {names}"
        sql = f"{head} FROM {quoted(spec.dataset)} WHERE _load <= $wanted"
        params: dict[str, Any] = {"wanted": part.wanted}
        if not whole:
            sql, params = f"{sql} AND _load > $done", params | {"done": part.done}
        if not part.target.dataset:
            sql += " ORDER BY _id"
        return RowRequest(caller, spec.purpose, sql, params, grant, Limits(rows=1 << 60, bytes=1 << 60, seconds=60.0))

    async def _into_dataset(self, part: _Part) -> int:
        assert part.target.dataset is not None
        target = self._platform.declarations.get("Dataset", part.target.dataset).spec
        there = {field.name for field in target.fields}
        fields = [name for name in self._fields(part.spec) if name in there]
        whole = part.whole or not target.key
        delivery = await self._platform.get(Gate).table_sql(self._request(part, fields, whole))

        def fill(work: LakeTransaction) -> str:
            work.execute(f"CREATE OR REPLACE TEMP TABLE sharing_flowing AS {delivery.sql}", **delivery.params)
            return "SELECT * FROM sharing_flowing"

        mode = "replace" if whole else "upsert"
        load = await self._platform.get(Tables).load(part.target.dataset, fill, mode, f"return-flow:{part.name}")  # type: ignore[arg-type]
        return load.rows or 0

    async def _into_table(self, part: _Part) -> int:
        spec = self._platform.declarations.get("PushTarget", part.target.target or "").spec
        key = tuple(self._platform.declarations.get("Dataset", part.spec.dataset).spec.key)
        place = pushing.Table(spec, part.target.table or "", key, f"{part.name}:{part.target.district}")
        count = 0
        request = self._request(part, self._fields(part.spec), part.whole)
        async for columns, rows in self._platform.get(Gate).stream(request):
            if rows:
                await asyncio.to_thread(pushing.write, place, Page(columns, rows))
                count += len(rows)
        if part.whole and part.done:
            await asyncio.to_thread(pushing.forget, place, part.wanted)
        return count

    def _fields(self, spec: ReturnFlowSpec) -> list[str]:
        declared = [field.name for field in self._platform.declarations.get("Dataset", spec.dataset).spec.fields]
        return [name for name in declared if not spec.fields or name in spec.fields]


def faults(session: Session) -> list[Fault]:
    """Flows that are further, or less far, than was told."""
    sql = "SELECT subject, payload FROM kernel_outbox WHERE type = :type ORDER BY id"
    told: dict[str, int] = {}
    for event in session.rows(sql, type=Returned.type):
        data = json.loads(event["payload"])
        told[f"{event['subject']} {data['district']}"] = data["load"]
    found = []
    for row in session.rows("SELECT flow, district, load, time FROM sharing_flow WHERE time IS NOT NULL"):
        name = f"{row['flow']} {row['district']}"
        if told.get(name) != row["load"]:
            found.append(Fault("sharing_flow", name, "load", str(told.get(name)), str(row["load"])))
    return found


def _place(target: ReturnTarget) -> str:
    return target.dataset or f"{target.target}/{target.table}"


def _done(tx: Transaction, row: Row, told: Returned | None) -> None:
    tx.session.execute(
        "UPDATE sharing_flow SET load = :wanted, attempts = 0, error = '', time = COALESCE(:time, time), "
        "whole = CASE WHEN wanted = :wanted THEN 0 ELSE whole END WHERE flow = :flow AND district = :district",
        wanted=row["wanted"],
        time=None if told is None else tx.now_text,
        flow=row["flow"],
        district=row["district"],
    )
    if told is not None:
        tx.emit(told)


def _failed(tx: Transaction, row: Row, following: str, reason: str) -> None:
    tx.session.execute(
        "UPDATE sharing_flow SET attempts = attempts + 1, next_at = :following, error = :reason "
        "WHERE flow = :flow AND district = :district",
        following=following,
        reason=reason,
        flow=row["flow"],
        district=row["district"],
    )
