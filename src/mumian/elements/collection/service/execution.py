"""Execution: one run from its first batch to the load, able to go on wherever it was cut off."""

import asyncio
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mumian.elements.catalog.api import Tables
from mumian.elements.catalog.contracts import Load
from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.collection import store
from mumian.elements.collection.contracts import Batch, Drift
from mumian.elements.collection.errors import Drifted, NothingFits, TooManyBad
from mumian.elements.collection.events import RunEnded, RunStarted, SchemaAccepted, SchemaDrifted
from mumian.elements.collection.models import ConnectorSpec
from mumian.elements.collection.rules import columns as rules
from mumian.elements.collection.rules import marks
from mumian.elements.collection.service.staging import Plan, Stage, Staged
from mumian.elements.collection.settings import CollectionSettings
from mumian.elements.collection.sources.context import Anew, Context, Halted
from mumian.elements.collection.sources.opening import open_source
from mumian.foundation.storage.contracts import LakeTransaction, Objects
from mumian.kernel.errors import Invalid, MumianError
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Row, Transaction

_log = logging.getLogger("mumian.collection")
_ANEW = 3


class Empty(Invalid):
    """The source has no rows now, though the dataset has some that it would replace."""

    key = "collection.empty"


class Execution:
    """One run; `halted` tells when to leave off, `cancelled` for good."""

    def __init__(self, platform: Platform, settings: CollectionSettings, row: Row, halted: Callable[[], bool]) -> None:
        self._platform = platform
        self._settings = settings
        self._row = row
        self.id: str = row["id"]
        self.spec = ConnectorSpec.model_validate_json(row["spec"])
        self.cancelled = False
        self._stopping = halted
        self._folder = folder_of(platform, self.id)
        self._stage = Stage(self._folder, extensions_of(platform), settings.memory)
        self._fields = tuple(self._dataset().fields)
        self.actor = SYSTEM if row["actor"] == SYSTEM.id else Actor(row["actor"], "person")

    async def run(self) -> None:
        """Read what is to be read, decide, and load; whatever goes wrong is written down."""
        try:
            if self.cancelled:
                raise Halted
            if self._row["state"] != "loading":
                await self._read()
                if not await self._decide():
                    return
            await self.load()
        except Halted:
            if self.cancelled:
                await self.end("cancelled")
        except MumianError as error:
            await self.end("stopped" if isinstance(error, TooManyBad | Drifted | NothingFits | Empty) else "failed", error)
        except Exception as error:
            _log.exception("the run %s of %s failed", self.id, self._row["connector"])
            await self.end("failed", MumianError(reason=type(error).__name__))

    def _halted(self) -> bool:
        return self.cancelled or self._stopping()

    def _dataset(self) -> DatasetSpec:
        spec: DatasetSpec = self._platform.declarations.get("Dataset", self._row["dataset"]).spec
        return spec

    async def _read(self) -> None:
        if self._row["state"] == "queued":
            await self._platform.records.write(self._begin, self.actor)
        for attempt in range(_ANEW):
            await asyncio.to_thread(self._stage.clear, self._row["batches"])
            if self._row["position"] is None and self._row["batches"]:
                await self._anew()
            try:
                await self._batches(await self._context())
                return
            except Anew:
                if attempt + 1 == _ANEW:
                    raise Invalid.field("source", "collection.changing") from None
                await self._anew()

    def _begin(self, tx: Transaction) -> None:
        store.change(tx, self.id, state="reading", started_at=self._row["started_at"] or tx.now_text, error=None)
        tx.emit(RunStarted(subject=self._row["connector"], run=self.id, dataset=self._row["dataset"]))

    async def _anew(self) -> None:
        await self._platform.records.write(lambda tx: store.begin_anew(tx, self.id), self.actor)
        await self._refresh()
        await asyncio.to_thread(self._stage.clear)

    async def _refresh(self) -> None:
        row = await self._platform.records.read(lambda session: store.whole(session, self.id))
        assert row is not None
        self._row = row

    async def _context(self) -> Context:
        connector = self._row["connector"]
        mark, taken = await self._platform.records.read(lambda s: (store.watermark(s, connector), store.taken(s, connector)))
        given = json.loads(self._row["given"]) if self._row["given"] else {}
        return Context(
            settings=self._settings,
            inbox=inbox_of(self._platform, self._settings),
            scratch=self._folder,
            objects=self._platform.get(Objects),  # type: ignore[type-abstract]
            watermark=mark if self.spec.watermark else None,
            position=json.loads(self._row["position"]) if self._row["position"] else None,
            taken=taken,
            given=given,
            extensions=extensions_of(self._platform),
            halted=self._halted,
        )

    async def _batches(self, context: Context) -> None:
        profile, guessed = json.loads(self._row["profile"]), json.loads(self._row["guessed"])
        kept = await self._platform.records.read(lambda session: store.fault_count(session, self.id))
        iterator = await asyncio.to_thread(open_source, self.spec, context)
        try:
            while (batch := await asyncio.to_thread(_next, iterator)) is not None:
                if self._halted():
                    raise Halted
                kept += await self._keep(batch, profile, guessed, kept)
        finally:
            await asyncio.to_thread(_close, iterator)

    async def _keep(self, batch: Batch, profile: dict[str, Any], guessed: dict[str, Any], kept: int) -> int:
        """Stage a batch, and remember in one commit that it is there; returns how many faults it added."""
        matches = rules.matched(batch.columns, self._fields, self.spec.fields)
        if batch.rows and not matches:
            raise NothingFits(columns=", ".join(batch.columns)[:500], fields=", ".join(f.name for f in self._fields)[:500])
        plan = Plan(self._fields, matches, self.spec.blanks, self.spec.zone, self.spec.watermark)
        number, left = self._row["batches"] + 1, max(0, self._settings.faults - kept)
        staged = await asyncio.to_thread(self._stage.keep, number, batch, plan, left)
        rules.add_profile(profile, batch.columns, staged.counts, bool((batch.told or {}).get("loose")))
        if batch.told is not None and len(guessed) < 50:
            guessed[batch.place] = {**batch.told, "matched": matches}
        changes = self._changes(batch, staged, number, profile, guessed)
        await self._platform.records.write(lambda tx: store.advance(tx, self.id, changes, staged.faults, kept + 1), self.actor)
        self._row = {**self._row, **changes}
        return len(staged.faults)

    def _changes(
        self, batch: Batch, staged: Staged, number: int, profile: dict[str, Any], guessed: dict[str, Any]
    ) -> dict[str, Any]:
        row = self._row
        return {
            "state": "reading",
            "batches": number,
            "position": None if batch.position is None else json.dumps(batch.position),
            "rows_read": row["rows_read"] + staged.good + staged.bad,
            "rows_good": row["rows_good"] + staged.good,
            "rows_bad": row["rows_bad"] + staged.bad,
            "rows_mended": row["rows_mended"] + batch.mended,
            "bytes_read": row["bytes_read"] + batch.bytes,
            "rows_total": batch.total if batch.total is not None else row["rows_total"],
            "watermark": _later(row["watermark"], staged.watermark),
            "profile": json.dumps(profile, ensure_ascii=False),
            "guessed": json.dumps(guessed, ensure_ascii=False),
        }

    async def _decide(self) -> bool:
        """Whether what was read may be loaded; drift is told whatever the policy says. Raises Drifted, TooManyBad, Empty."""
        row, connector = self._row, self._row["connector"]
        profile = json.loads(row["profile"])
        accepted = await self._platform.records.read(lambda session: store.schema(session, connector))
        found = rules.drift(accepted, profile, row["rows_read"]) if accepted else Drift()
        if found:
            await self._platform.records.write(lambda tx: self._tell(tx, found), self.actor)
            if self.spec.drift == "stop":
                raise Drifted(**{name: _listed(value) for name, value in found.__dict__.items()})
            if self.spec.drift == "quarantine":
                await self.end("quarantined")
                return False
        if row["rows_read"] and row["rows_bad"] > self.spec.most_bad * row["rows_read"]:
            raise TooManyBad(bad=row["rows_bad"], read=row["rows_read"])
        if row["rows_good"] == 0 and self.spec.mode == "replace":
            tables = self._platform.get(Tables)
            info = await self._platform.records.read(lambda session: tables.describe(session, row["dataset"]))
            if info is not None and info.rows:
                raise Empty(rows=info.rows)
        await self._platform.records.write(lambda tx: store.change(tx, self.id, state="loading"), self.actor)
        return True

    def _tell(self, tx: Transaction, found: Drift) -> None:
        row, changed = self._row, [list(each) for each in found.changed]
        told = {"new": list(found.new), "lost": list(found.lost), "changed": changed}
        store.change(tx, self.id, drift=json.dumps(told, ensure_ascii=False))
        tx.emit(
            SchemaDrifted(
                subject=row["connector"],
                run=self.id,
                dataset=row["dataset"],
                policy=self.spec.drift,
                new=list(found.new),
                lost=list(found.lost),
                changed=changed,
            )
        )

    async def load(self) -> None:
        """Bring the good rows into the dataset, once: a load that was done before the process ended is found by its source."""
        await self._refresh()
        tables, source = self._platform.get(Tables), f"connector {self._row['connector']} run {self.id}"
        loaded: Load | None = None
        if self._row["rows_good"]:
            for each in await tables.loads(self._row["dataset"]):
                if each.source == source and each.state == "done":
                    loaded = each
            if loaded is None:
                mark = marks.shown(self._row["watermark"])
                loaded = await tables.load(self._row["dataset"], self._fill, self.spec.mode, source, mark, self.actor)
        await self.end("done", load=loaded)
        await asyncio.to_thread(self._tidy)

    def _fill(self, work: LakeTransaction) -> str:
        pattern = str(self._folder / "good-*.parquet").replace("'", "''")
        return f"SELECT * FROM read_parquet('{pattern}')"

    async def end(self, state: str, error: MumianError | None = None, load: Load | None = None) -> None:
        """Write down how the run ended; when it is done, how far the connector came, what it took, and its columns."""
        told = None if error is None else {"key": error.key, "values": _plain(error.values), "faults": _faults(error)}

        def work(tx: Transaction) -> None:
            row = store.whole(tx.session, self.id)
            assert row is not None
            store.change(
                tx,
                self.id,
                state=state,
                ended_at=None if state == "quarantined" else tx.now_text,
                error=None if told is None else json.dumps(told, ensure_ascii=False),
                load_number=None if load is None else load.number,
            )
            if state == "done":
                self._conclude(tx, row)
            tx.emit(
                RunEnded(
                    subject=row["connector"],
                    run=self.id,
                    dataset=row["dataset"],
                    state=state,
                    read=row["rows_read"],
                    good=row["rows_good"],
                    bad=row["rows_bad"],
                    load=None if load is None else load.number,
                    watermark=row["watermark"],
                    error=None if error is None else error.key,
                )
            )

        await self._platform.records.write(work, self.actor)

    def _conclude(self, tx: Transaction, row: Row) -> None:
        connector = row["connector"]
        if row["watermark"] is not None and self.spec.watermark:
            store.keep_watermark(tx, connector, row["watermark"], self.id)
        position = json.loads(row["position"]) if row["position"] else None
        if isinstance(position, dict) and "files" in position and not row["given"]:
            store.keep_taken(tx, connector, position["files"], self.id)
        if row["rows_read"]:
            accept(tx, row)

    def _tidy(self) -> None:
        for path in self._folder.iterdir():
            if not path.name.startswith("bad-"):
                path.unlink(missing_ok=True)
        if not any(self._folder.iterdir()):
            self._folder.rmdir()
        given = json.loads(self._row["given"]) if self._row["given"] else {}
        if "path" in given:
            shutil.rmtree(Path(given["path"]).parent, ignore_errors=True)


def accept(tx: Transaction, row: Row) -> None:
    """Expect the columns of a run from now on; tells only what is new."""
    before = store.schema(tx.session, row["connector"])
    after = rules.accepted_after(before, json.loads(row["profile"]))
    if after != before:
        store.accept(tx, row["connector"], after, row["id"])
        tx.emit(SchemaAccepted(subject=row["connector"], run=row["id"], columns=after))


def folder_of(platform: Platform, run: str) -> Path:
    """The folder of a run's staged rows."""
    return platform.home / "collection" / "runs" / run


def extensions_of(platform: Platform) -> Path:
    """Where links to DuckDB's extensions are kept."""
    return platform.home / "collection" / "extensions"


def inbox_of(platform: Platform, settings: CollectionSettings) -> Path:
    """The folder below which connectors may read files."""
    return settings.inbox or platform.home / "inbox"


def _next(iterator: Iterator[Batch]) -> Batch | None:
    return next(iterator, None)


def _close(iterator: Iterator[Batch]) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()


def _later(before: str | None, now: str | None) -> str | None:
    if before is None or now is None:
        return now or before
    try:
        one, other = marks.read(before), marks.read(now)
        if isinstance(one, str):
            return before if _order(one) > _order(str(other)) else now
        return before if one > other else now
    except (TypeError, ValueError):
        return now


def _order(text: str) -> tuple[int, float, str]:
    from mumian.foundation.tables.contracts import as_number

    number = as_number(text)
    return (1, 0.0, text) if number is None else (0, number, "")


def _listed(value: Any) -> str:
    return ", ".join(" → ".join(each) if isinstance(each, tuple) else str(each) for each in value)[:500] or "–"


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | float | bool | None) else str(value)[:500] for name, value in values.items()}


def _faults(error: MumianError) -> list[dict[str, Any]]:
    return [{"field": f.field, "key": f.key, "values": _plain(f.values)} for f in error.faults[:20]]
