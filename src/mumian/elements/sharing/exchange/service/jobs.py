"""Exchange jobs: drafted on the gate's terms, handed in, looked after until they end, signed and told to the ledger."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from mumian.elements.protection.api import Gate, RowRequest, Terms
from mumian.elements.sharing.exchange import checkpoints
from mumian.elements.sharing.exchange.checking import check
from mumian.elements.sharing.exchange.contracts import Field, Job, LakeSource, Mask, Order, Outcome, Record, Rule
from mumian.elements.sharing.exchange.events import ExchangeMoved
from mumian.elements.sharing.exchange.service import store
from mumian.elements.sharing.exchange.service.processes import Processes
from mumian.elements.sharing.exchange.statements import token_keys
from mumian.elements.sharing.settings import ExchangeSettings
from mumian.foundation.cryptography.api import Cryptography
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.background import Loop
from mumian.kernel.errors import Conflict, Invalid, NotFound, Stale
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

ENDED = ("done", "stopped", "cancelled", "failed")


class Exchange:
    """`platform.get(Exchange)`: whole datasets delivered as files by jobs that survive whatever befalls them."""

    name = "elements.sharing.exchange"

    def __init__(self, platform: Platform, settings: ExchangeSettings | None = None) -> None:
        self._platform = platform
        self._settings = settings or ExchangeSettings()
        self.processes = Processes(platform.home / "exchange")
        self._loop = Loop(self.name, platform.clock, self.look, self._settings.look_seconds)

    async def start(self) -> None:
        """Begin to look after jobs; those whose process outlived the last server are found again."""
        self._loop.start()

    async def stop(self) -> None:
        """End looking after them; their processes go on."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Wait until every job has ended."""
        busy = False
        while await self._platform.records.read(lambda session: store.in_states(session, ("queued", "running"))):
            busy = True
            if not await self.look():
                await asyncio.sleep(0.05)
        return busy

    async def draft(
        self, request: RowRequest, dataset: str, rules: Sequence[Rule] = (), fields: Sequence[str] = (), **options: Any
    ) -> Job:
        """A job that delivers a dataset as the gate lets it through for this request: masked, as tokens, only granted rows.

        `fields` narrows what is delivered; rules may look at all fields that may be seen in any form. `options` are further
        attributes of Job. Tokens are those of the gate (HMAC-SHA-256), so that they match what is queried, unless `tokens` says
        otherwise. Raises what the gate raises.
        """
        terms = await self._platform.get(Gate).terms(request, dataset)
        wanted = {name.casefold() for name in fields}
        unknown = wanted - {field.name.casefold() for field in terms.fields}
        if unknown:
            raise Invalid.field("fields", "field.reference", kind="field", name=", ".join(sorted(unknown)))
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        snapshot = await asyncio.to_thread(lake.snapshot)
        grant = "" if request.grant is None else request.grant.id
        return Job(
            id=new_id(),
            source=LakeSource(dataset=dataset, table=terms.table, condition=terms.rows, snapshot=snapshot),
            fields=_fields(terms, wanted, {name for rule in rules for name in rule.fields}),
            rules=tuple(rules),
            purpose=request.purpose,
            grant=grant,
            holder=request.caller.organisation or "",
            **{"tokens": "sha256", **options},
        )

    def submit(self, tx: Transaction, job: Job, organisation: str = "", person: str = "") -> Record:
        """Hand in a job; `organisation` gives the rows. Raises Invalid with every fault, Conflict where the id is taken."""
        check(job)
        job = msgspec.json.decode(job.canonical(), type=Job)  # as it will be read again
        if store.find(tx.session, job.id) is not None:
            raise Conflict(kind="exchange job", name=job.id)
        dataset = job.source.dataset if isinstance(job.source, LakeSource) else ""
        record = Record(
            id=job.id,
            version=1,
            state="queued",
            job=job,
            dataset=dataset,
            grant=job.grant,
            holder=job.holder,
            organisation=organisation,
            person=person,
            submitted=tx.now_text,
        )
        store.insert(tx.session, record)
        tx.emit(_told(record, ""))
        return record

    def find(self, session: Session, id_: str) -> Record:
        """The job of that id; raises NotFound."""
        found = store.find(session, id_)
        if found is None:
            raise NotFound(kind="exchange job", name=id_)
        return found

    def cancel(self, tx: Transaction, id_: str) -> Record:
        """End a job before its time; nothing of it is delivered. Raises NotFound, and Conflict when it has ended."""
        record = self.find(tx.session, id_)
        if record.state in ENDED:
            raise Conflict(kind="exchange job", name=id_)
        if record.state == "queued":
            return self._move(tx, record, "cancelled", ended=tx.now_text)
        return self._move(tx, record, record.state, cancelling=True)

    def files(self, record: Record) -> list[Path]:
        """What a job that is done delivered: parts, lists of faults, `manifest.json` and `signatures.json`."""
        return sorted((self.processes.folder(record.id) / "out").iterdir()) if record.state == "done" else []

    async def look(self) -> bool:
        """Look once after all jobs; True if anything moved."""
        records = self._platform.records
        moved = False
        for record in await records.read(lambda session: store.in_states(session, ("running",))):
            moved = await self._looked_after(record) or moved
        running = len(await records.read(lambda session: store.in_states(session, ("running",))))
        queued = await records.read(lambda session: store.in_states(session, ("queued",)))
        for record in queued[: max(self._settings.side_by_side - running, 0)]:
            await self._begin(record)
            moved = True
        return moved

    async def _looked_after(self, record: Record) -> bool:
        outcome = await asyncio.to_thread(self.processes.outcome, record.id)
        if outcome is not None:
            await self._end(record, outcome)
            return True
        if record.cancelling:
            await asyncio.to_thread(self.processes.cancel, record.id)
        if await asyncio.to_thread(self.processes.alive, record.id):
            return False
        if await asyncio.to_thread(self.processes.outcome, record.id) is not None:
            return True
        if record.attempts < self._settings.attempts:
            await self._begin(record)
        else:
            await self._end(record, Outcome(state="failed", reason=f"its process died {record.attempts} times"))
        return True

    async def _begin(self, record: Record) -> None:
        """Start the process first and note it then: should the server die between, the lock keeps a second one away."""

        def work(tx: Transaction) -> None:
            now = self.find(tx.session, record.id)
            self._move(tx, now, "running", attempts=now.attempts + 1, started=now.started or tx.now_text)

        await asyncio.to_thread(self.processes.begin, record.job, await asyncio.to_thread(self._order, record.job))
        await self._platform.records.write(work)

    def _order(self, job: Job) -> Order:
        keys = self._platform.get(Gate).keys
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        return Order(
            keys={name: keys.key(name).hex() for name in token_keys(job)},
            attach=tuple(lake.attaching(job.source.snapshot)) if isinstance(job.source, LakeSource) else (),
            engines=self._settings.engines,
            memory=self._settings.memory,
            search_memory=self._settings.search_memory,
        )

    async def _end(self, record: Record, outcome: Outcome) -> None:
        """Sign the manifest, then note the end: an end that was not noted is noted at the next look, over the same bytes."""
        folder = self.processes.folder(record.id)
        if outcome.manifest is not None:
            content = outcome.manifest.canonical()
            signatures = await asyncio.to_thread(self._platform.get(Cryptography).sign, content)
            await asyncio.to_thread(checkpoints.put, folder / "out" / "manifest.json", content)
            await asyncio.to_thread(checkpoints.put, folder / "out" / "signatures.json", msgspec.json.encode(signatures))
        await asyncio.to_thread(self.processes.tidy, record.id, outcome.state == "done")

        def work(tx: Transaction) -> None:
            self._move(tx, self.find(tx.session, record.id), outcome.state, outcome=outcome, ended=tx.now_text)

        await self._platform.records.write(work)

    def _move(self, tx: Transaction, record: Record, state: str, **changes: Any) -> Record:
        moved = msgspec.structs.replace(record, version=record.version + 1, state=state, **changes)
        if not store.update(tx.session, moved):
            raise Stale(expected=record.version, found="another")
        tx.emit(_told(moved, record.state))
        return moved


def _told(record: Record, source: str) -> ExchangeMoved:
    manifest = None if record.outcome is None else record.outcome.manifest
    return ExchangeMoved(
        subject=record.id,
        version=record.version,
        source=source,
        target=record.state,
        dataset=record.dataset,
        grant=record.grant,
        holder=record.holder,
        organisation=record.organisation,
        job=sha256(record.job.canonical()).hexdigest(),
        record=store.digest(record),
        reason="" if record.outcome is None else record.outcome.reason,
        read=0 if manifest is None else manifest.read,
        written=0 if manifest is None else manifest.written,
        rejected=0 if manifest is None else manifest.rejected,
        rules={} if manifest is None else manifest.rules,
        manifest="" if manifest is None else sha256(manifest.canonical()).hexdigest(),
        digest="" if manifest is None else manifest.digest,
    )


def _fields(terms: Terms, wanted: set[str], needed: set[str]) -> tuple[Field, ...]:
    """The fields of a job: those wanted (none named: all), and those that only rules look at."""
    found = []
    for one in terms.fields:
        omit = bool(wanted) and one.name.casefold() not in wanted
        if omit and one.name not in needed:
            continue
        type_: Any = one.type if one.type != "json" else "text"
        mask, token = None, one.token
        if one.mask is not None and one.mask.method == "hash":
            token = "hash"  # noqa: S105 - the name of the gate's key for hashes
        elif one.mask is not None:
            method: Any = one.mask.method
            mask = Mask(method=method, first=one.mask.first, last=one.mask.last, value=one.mask.value)
        found.append(Field(name=one.name, type=type_, mask=mask, token=token, omit=omit))
    return tuple(found)
