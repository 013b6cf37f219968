"""Tables: the rows of datasets in the lake, brought in by loads that happen wholly or not at all."""

import asyncio
from collections.abc import Callable

from mumian.elements.catalog import store
from mumian.elements.catalog.contracts import Load, LoadMode, TableInfo
from mumian.elements.catalog.errors import NoFields
from mumian.elements.catalog.events import DatasetLoaded
from mumian.elements.catalog.models import DatasetSpec
from mumian.foundation.ledger.api import LakeSeals
from mumian.foundation.storage.contracts import Column, Lake, LakeTransaction, Position, Table
from mumian.foundation.storage.contracts import Type as ColumnType
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Row, Session, Transaction

TYPES: dict[str, ColumnType] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIMESTAMP",
    "json": "VARCHAR",
}
Fill = Callable[[LakeTransaction], str]


class Tables:
    """`platform.get(Tables)`: where the rows of a dataset are, and how they get there."""

    name = "elements.catalog.tables"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def start(self) -> None:
        """Find out how loads ended during which the process did."""
        for row in await self._platform.records.read(store.started_loads):
            lake = self._platform.get(Lake)  # type: ignore[type-abstract]
            reached = await asyncio.to_thread(lake.position, _log(row["dataset"]))
            if reached >= row["number"]:
                await self._finish(_load(row))
            else:
                await self._platform.records.write(lambda tx, n=row["number"]: store.end_load(tx, n, "failed"))  # type: ignore[misc]

    async def stop(self) -> None:
        """Loads belong to whoever called for them; nothing runs by itself."""

    async def settle(self) -> bool:
        """There is never anything due."""
        return False

    def describe(self, session: Session, dataset: str) -> TableInfo | None:
        """The table of a dataset; None while it has no rows of its own. Raises NotFound if it is not declared."""
        spec: DatasetSpec = self._platform.declarations.get("Dataset", dataset).spec
        row = store.table(session, dataset)
        return None if row is None else _info(spec, row)

    @staticmethod
    def last_row(session: Session, dataset: str) -> int:
        """The highest `_id` that any row of a dataset ever had; 0 before the first load."""
        row = store.table(session, dataset)
        return 0 if row is None else int(row["last_row"])

    async def ensure(self, dataset: str) -> TableInfo:
        """Have a table in the lake for a declared dataset, with all its fields; raises NotFound and NoFields."""
        spec: DatasetSpec = self._platform.declarations.get("Dataset", dataset).spec
        if not spec.fields:
            raise NoFields(name=dataset)
        await self._platform.records.write(lambda tx: store.give_table(tx, dataset))
        row = await self._platform.records.read(lambda session: store.table(session, dataset))
        assert row is not None
        info = _info(spec, row)
        columns = tuple(Column(field.name, TYPES[field.type]) for field in spec.fields)
        await self._platform.get(LakeSeals).create(
            Table(info.name, (Column("_id", "BIGINT"), Column("_load", "BIGINT"), *columns), ("_id",))
        )
        return info

    async def load(
        self, dataset: str, fill: Fill, mode: LoadMode, source: str, watermark: str | None = None, actor: Actor = SYSTEM
    ) -> Load:
        """Bring rows into a dataset, all or none, and tell: `elements.catalog.loaded`.

        `fill` prepares in an open lake transaction whatever it needs (staged files, offered arrays, temporary tables) and returns
        a SELECT that gives the declared fields by name, in any order; fields that it leaves out become NULL. `append` adds
        the rows, `replace` puts them in the place of all, `upsert` in the place of those with the same key. A load that was cut
        off by the end of the process is finished or forgotten at the next start. Raises NotFound, NoFields, and whatever `fill`
        or the lake raises; then nothing changed.
        """
        info = await self.ensure(dataset)
        if mode == "upsert" and not info.key:
            raise NoFields(name=dataset)
        number = await self._platform.records.write(lambda tx: store.start_load(tx, dataset, mode, source, watermark), actor)
        rows = await self._platform.records.read(lambda session: store.table(session, dataset))
        assert rows is not None
        started = Load(number, dataset, mode, source, watermark, "started", "", None, None, None, actor.id)
        try:
            async with self._platform.get(LakeSeals).writing(f"dataset {dataset}"):
                await asyncio.to_thread(self._work, info, fill, mode, number, int(rows["last_row"]))
        except BaseException:
            await self._platform.records.write(lambda tx: store.end_load(tx, number, "failed"), actor)
            raise
        return await self._finish(started, actor)

    async def loads(self, dataset: str, before: int | None = None, limit: int = 100) -> list[Load]:
        """The loads of a dataset, newest first, older than number `before`."""
        rows = await self._platform.records.read(lambda session: store.loads(session, dataset, before, limit))
        return [_load(row) for row in rows]

    def _work(self, info: TableInfo, fill: Fill, mode: LoadMode, number: int, last: int) -> None:
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        with lake.transaction() as work:
            select = fill(work)
            work.execute(
                f"CREATE OR REPLACE TEMP TABLE catalog_incoming AS SELECT row_number() OVER () + {last} AS _id, "
                f"{number} AS _load, * FROM ({select})"
            )
            if mode == "replace":
                work.execute(f"DELETE FROM {info.name}")
            elif mode == "upsert":
                _upsert(work, info)
            work.execute(f"INSERT INTO {info.name} BY NAME SELECT * FROM catalog_incoming")
            work.execute("DROP TABLE catalog_incoming")
            work.advance(Position(_log(info.dataset), number))

    async def _finish(self, load: Load, actor: Actor = SYSTEM) -> Load:
        row = await self._platform.records.read(lambda session: store.table(session, load.dataset))
        assert row is not None
        lake, table = self._platform.get(Lake), _name(row)  # type: ignore[type-abstract]
        counts = f"SELECT count(*), count(*) FILTER (_load = {load.number}), coalesce(max(_id), 0) FROM {table}"
        total, added, last = (await asyncio.to_thread(lake.rows, counts))[0]

        def work(tx: Transaction) -> None:
            store.end_load(tx, load.number, "done", added, total)
            store.note_rows(tx, load.dataset, total, max(last, int(row["last_row"])))
            tx.emit(
                DatasetLoaded(
                    subject=load.dataset,
                    load=load.number,
                    mode=load.mode,
                    source=load.source,
                    rows=added,
                    total=total,
                    watermark=load.watermark,
                )
            )

        await self._platform.records.write(work, actor)
        found = await self._platform.records.read(lambda session: store.loads(session, load.dataset, load.number + 1, 1))
        return _load(found[0])


def _upsert(work: LakeTransaction, info: TableInfo) -> None:
    """Of incoming rows with one key the last counts; kept rows with a key that comes in are dropped."""
    names = ", ".join(f'"{name}"' for name in info.key)
    work.execute(
        f"DELETE FROM catalog_incoming WHERE _id NOT IN (SELECT max(_id) FROM catalog_incoming GROUP BY {names})",
    )
    same = " AND ".join(f't."{name}" IS NOT DISTINCT FROM i."{name}"' for name in info.key)
    work.execute(f"DELETE FROM {info.name} t USING catalog_incoming i WHERE {same}")


def _log(dataset: str) -> str:
    return f"catalog.load.{dataset}"


def _name(row: Row) -> str:
    return f"dataset_{row['number']}"


def _info(spec: DatasetSpec, row: Row) -> TableInfo:
    return TableInfo(row["dataset"], _name(row), tuple(spec.fields), tuple(spec.key), int(row["total_rows"]), row["loaded_at"])


def _load(row: Row) -> Load:
    return Load(
        number=row["number"],
        dataset=row["dataset"],
        mode=row["mode"],
        source=row["source"],
        watermark=row["watermark"],
        state=row["state"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        rows=row["added_rows"],
        total=row["total_rows"],
        actor=row["actor"],
    )
