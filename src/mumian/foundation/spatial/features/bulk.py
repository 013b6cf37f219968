"""Bulk: files brought into layers, and edits folded into the base, each as a fresh generation of rows in the lake."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

from mumian.foundation.ledger.api import LakeSeals
from mumian.foundation.spatial.contracts import Property
from mumian.foundation.spatial.errors import NotEditable
from mumian.foundation.spatial.events import LayerImported
from mumian.foundation.spatial.features.basing import FEATURES
from mumian.foundation.spatial.features.engine import listed, quoted
from mumian.foundation.spatial.features.layers import Layers
from mumian.foundation.spatial.features.tables import Table, arrange
from mumian.foundation.spatial.importing.job import Job, Report
from mumian.foundation.spatial.importing.running import demand, format_of, run_async
from mumian.foundation.spatial.rules.schema import MOST_PROPERTIES, wider
from mumian.foundation.spatial.settings import SpatialSettings
from mumian.foundation.spatial.store import features as store
from mumian.foundation.spatial.store.features import LayerRow
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.errors import Invalid
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor, Transaction

Told = Callable[[Transaction, str], None]
MODES = ("replace", "append", "upsert")
FOLD_FROM = 10_000


@dataclass(frozen=True)
class Options:
    """How a file is brought in; see the fields of the import's address."""

    mode: str = "replace"
    crs: str | None = None
    key: str | None = None
    sublayer: str | None = None
    encoding: str | None = None
    skip: bool = False
    repair: bool = False


class Bulk:
    """Brings files in and folds edits; one change of the lake at a time."""

    def __init__(self, platform: Platform, layers: Layers, settings: SpatialSettings) -> None:
        self._settings = settings
        self._platform = platform
        self._layers = layers

    async def bring_in(self, layer: str, path: Path, name: str, options: Options, actor: Actor) -> tuple[int, Report]:
        """Read a file and put its features into a layer, all or, where bad rows may be skipped, the good ones.

        Returns the layer's new version and the report. Raises BadFile naming rows, Invalid, NotEditable.
        """
        spec = self._layers.spec(layer)
        if not spec.editable:
            raise NotEditable(name=layer)
        if options.mode not in MODES:
            raise Invalid.field("mode", "field.choice", expected=", ".join(MODES))
        folder = Path(await asyncio.to_thread(mkdtemp, prefix="mumian-import-"))
        try:
            job = Job(path=str(path), format=format_of(name), out=str(folder / "read.parquet"), crs=options.crs)
            job.key, job.layer, job.encoding, job.repair = options.key, options.sublayer, options.encoding, options.repair
            job.most_rows = self._settings.import_rows
            report = demand(await run_async(job), "file", options.skip)
            async with self._layers.locks[layer]:
                version = await self._put(layer, job.out, name, options, report, actor)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return version, report

    async def _put(self, layer: str, rows: str, name: str, options: Options, report: Report, actor: Actor) -> int:
        table = await asyncio.to_thread(self._layers.table, layer)
        version = table.version + 1
        schema = _merged(table.properties, report.properties)
        sql = await asyncio.to_thread(self._rows, table, rows, options, version)

        def told(tx: Transaction, generation: str) -> None:
            tx.actor = actor
            store.keep_layer(tx, LayerRow(layer, version, f"lake:{generation}", version, schema, ""))
            store.add_import(tx, layer, version, name[:200], report.digest, options.mode, report.accepted, report.refused)
            counted = {"accepted": report.accepted, "refused": report.refused}
            tx.emit(
                LayerImported(subject=layer, version=version, file=name[:200], digest=report.digest, mode=options.mode, **counted)
            )

        await self._renew(layer, sql, told)
        return version

    def _rows(self, table: Table, rows: str, options: Options, version: int) -> str:
        """The rows that a layer has afterwards."""
        keyed = options.mode != "append" or options.key is not None
        fid = "fid" if keyed else f"'{version}-' || fid"
        fresh = f"SELECT {fid} AS fid, {version}::BIGINT AS ver, geometry, properties FROM read_parquet({quoted(rows)})"
        if options.mode == "replace":
            return fresh
        taken = f"SELECT fid FROM ({fresh})"
        kept = f"SELECT fid, ver, ST_AsWKB(geom) AS geometry, props AS properties FROM {table.name}"
        if options.mode == "append":
            twice = self._layers.cache.engine.rows(f"SELECT fid FROM {table.name} WHERE fid IN ({taken}) ORDER BY fid LIMIT 1")
            if twice:
                raise Invalid.field("file", "spatial.taken", name=twice[0][0])
            return f"{kept} UNION ALL {fresh}"
        return f"{kept} WHERE fid NOT IN ({taken}) UNION ALL {fresh}"

    async def fold(self, layer: str, least: int = FOLD_FROM) -> bool:
        """Put a layer's edits into a fresh base where there are at least `least`; versions and history stay."""
        row = await self._platform.records.read(lambda session: store.layer(session, layer))
        if row is None or row.version - row.base_version < least or row.base.startswith("declared:"):
            return False
        async with self._layers.locks[layer]:
            table = await asyncio.to_thread(self._layers.table, layer)
            sql = f"SELECT fid, ver, ST_AsWKB(geom) AS geometry, props AS properties FROM {table.name}"

            def told(tx: Transaction, generation: str) -> None:
                found = store.layer(tx.session, layer)
                assert found is not None
                store.keep_layer(tx, replace(found, base=f"lake:{generation}", base_version=table.version))

            await self._renew(layer, sql, told)
        return True

    async def _renew(self, layer: str, rows: str, told: Told) -> None:
        """A fresh generation in the lake, in force from the commit that seals it; older ones go with the next."""
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        seals = self._platform.get(LakeSeals)
        await seals.create(FEATURES)
        generation = new_id()
        file = str(Path(await asyncio.to_thread(mkdtemp, prefix="mumian-layer-")) / "rows.parquet")
        await asyncio.to_thread(arrange, self._layers.cache.engine, rows, file)
        bases = await self._platform.records.read(store.bases)
        async with seals.writing("foundation.spatial") as change:
            await asyncio.to_thread(self._write, lake, layer, generation, file, bases)
            await change.tell(lambda tx: told(tx, generation))
        self._layers.bases.ready[generation] = file
        self._layers.cache.changed()

    @staticmethod
    def _write(lake: Lake, layer: str, generation: str, file: str, bases: set[str]) -> None:
        live = [base.partition("#")[0].removeprefix("lake:") for base in bases if base.startswith("lake:")]
        with lake.transaction() as work:
            gone = f"WHERE generation NOT IN ({listed(live)})" if live else ""
            work.execute(f"DELETE FROM spatial_feature {gone}")
            chosen = "SELECT $layer, $generation, seq, fid, ver, geometry, properties"
            columns = "layer, generation, seq, fid, ver, geometry, properties"
            sql = f"INSERT INTO spatial_feature ({columns}) {chosen} FROM read_parquet({quoted(file)}) ORDER BY seq"
            work.execute(sql, layer=layer, generation=generation)

    async def settle(self) -> bool:
        """Fold every layer that has gathered enough edits."""
        return any([await self.fold(layer) for layer in self._layers.names()])


def _merged(known: tuple[Property, ...], found: list[tuple[str, str]]) -> tuple[Property, ...]:
    types = dict(found)
    made = [replace(p, type=wider(p.type, types.pop(p.name))) if p.name in types else p for p in known]
    made += [Property(name, type_) for name, type_ in types.items()]
    if len(made) > MOST_PROPERTIES:
        raise Invalid.field("file", "field.length", expected=f"≤ {MOST_PROPERTIES}")
    return tuple(made)
