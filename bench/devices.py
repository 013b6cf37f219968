"""The device ledger at 100,000 devices: import, lists and search, duplicates beside PostGIS, coverage, presence."""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

DEVICES = 100_000
IMPORTED = 10_000
METRES = 50.0
KINDS, OWNERS = 20, 12
WEST, SOUTH, EAST, NORTH = 112.95, 22.55, 114.05, 23.95
_KIND = "{{kind: DeviceKind, name: kind-{n}, title: {{zh: 类{n}, en: Kind {n}}}, spec: {{category: c, upkeep: 1}}}}"
_OWNER = "{{kind: Organisation, name: owner-{n}, title: {{zh: 局{n}, en: Office {n}}}, spec: {{level: department}}}}"
Figure = dict[str, Any]


def run(data: Path | None) -> list[Figure]:
    """Measure imports and everything else in cities of their own, on SQLite."""
    return asyncio.run(_in_a_city(_import)) + asyncio.run(_in_a_city(_measure))


async def _in_a_city(work: Callable[[Any], Awaitable[list[Figure]]]) -> list[Figure]:
    from mumian.app.platform import create_platform
    from mumian.foundation.devices.api import Devices
    from mumian.kernel.declarations.documents import read_text
    from mumian.kernel.settings import Settings

    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        platform = await asyncio.to_thread(create_platform, Settings(home=Path(folder), synchronous="full"))
        declared = [_KIND.format(n=n) for n in range(KINDS)] + [_OWNER.format(n=n) for n in range(OWNERS)]
        await platform.declarations.apply(read_text("\n---\n".join(declared).encode()), "bench")
        await platform.start()
        try:
            return await work(platform.get(Devices))
        finally:
            await platform.stop()


async def _measure(devices: Any) -> list[Figure]:
    await devices.platform.records.write(_fill)
    figures = await _lists(devices)
    return [*figures, _duplicates(devices), _coverage(devices), _presence()]


async def _import(devices: Any) -> list[Figure]:
    from mumian.foundation.devices.api import Source

    columns = _columns(IMPORTED)
    lines = [
        f"I{n:06d},kind-{k},导入设备{n},owner-{o},{x:.6f},{y:.6f},planned"
        for n, (x, y, k, o) in enumerate(zip(*columns, strict=True))
    ]
    content = "\n".join(["code,kind,name,owner,longitude,latitude,state", *lines]).encode()
    start = time.perf_counter()
    report = await devices.importing.run(Source(content, "bench.csv"), lambda _: True)
    seconds = time.perf_counter() - start
    if report.created != IMPORTED:
        raise RuntimeError(f"{report.created} of {IMPORTED} devices were created: {report.faults[:3]}")
    return [
        {"name": "devices-import", "value": round(IMPORTED / seconds), "unit": "devices/s", "size": f"{IMPORTED} rows of CSV"}
    ]


def _columns(count: int) -> tuple[Any, Any, Any, Any]:
    """Positions (half of them near one of a hundred centres, as in a city), kinds and owners, always the same."""
    chance = np.random.default_rng(42)
    x, y = chance.uniform(WEST, EAST, count), chance.uniform(SOUTH, NORTH, count)
    near = chance.random(count) < 0.5
    centres = chance.integers(0, 100, count)
    cx, cy = chance.uniform(113.1, 113.5, 100), chance.uniform(22.9, 23.3, 100)
    x = np.where(near, cx[centres] + chance.normal(0, 0.01, count), x)
    y = np.where(near, cy[centres] + chance.normal(0, 0.01, count), y)
    return x, y, chance.integers(0, KINDS, count), chance.integers(0, OWNERS, count)


def _fill(tx: Any) -> None:
    """A hundred thousand devices, straight into the table: what is measured here is reading."""
    from mumian.foundation.devices import store
    from mumian.foundation.devices.contracts import Device
    from mumian.foundation.devices.rules.device import searched

    rows = []
    for n, (x, y, k, o) in enumerate(zip(*_columns(DEVICES), strict=True)):
        device = Device(
            code=f"D{n:06d}",
            kind=f"kind-{k}",
            name=f"第{n}号设备 Device {n}",
            owner=f"owner-{o}",
            longitude=float(x),
            latitude=float(y),
            state="in_service",
            changed=tx.now_text,
        )
        row: dict[str, Any] = {name: getattr(device, name) for name in store.FIELDS} | {"properties": "{}", "streams": "{}"}
        rows.append(row | {"digest": "", "search": searched(device), "stamp": 1_000_000 + n})
    names = list(rows[0])
    tx.session.execute_many(f"INSERT INTO devices_device ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})", rows)


async def _lists(devices: Any) -> list[Figure]:
    from mumian.foundation.devices import store

    async def timed(name: str, filters: Callable[[int], dict[str, Any]], after: Callable[[int], str], rounds: int) -> Figure:
        latencies = []
        for n in range(rounds):
            start = time.perf_counter()
            await devices.platform.records.read(lambda s, n=n: store.page(s, filters(n), after(n), 101))
            latencies.append((time.perf_counter() - start) * 1000)
        latencies.sort()
        p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
        size = f"pages of 100 of {DEVICES} devices"
        return {
            "name": name,
            "value": round(1000 / p50),
            "unit": "pages/s",
            "size": size,
            "p50_ms": round(p50, 2),
            "p99_ms": round(p99, 2),
        }

    def anywhere(n: int) -> str:
        return f"D{n * 7919 % DEVICES:06d}"

    return [
        await timed("devices-list", lambda n: {"owner": f"owner-{n % OWNERS}"}, anywhere, 300),
        await timed("devices-lookup", lambda n: {"text": anywhere(n)}, lambda n: "", 100),
        await timed("devices-search", lambda n: {"text": f"第{n} 设备"}, lambda n: "", 100),
    ]


def _duplicates(devices: Any) -> Figure:
    from mumian.foundation.devices.api import Search

    devices.roster.placed()
    start = time.perf_counter()
    found = devices.analysis.duplicates(Search(METRES))
    seconds = time.perf_counter() - start
    figure = {"name": "devices-duplicates", "value": round(DEVICES / seconds), "unit": "devices/s"}
    figure["size"] = f"{DEVICES} devices of {KINDS} kinds and {OWNERS} owners within {METRES:g} m: {len(found)} clusters"
    peer = _postgis({code for cluster in found for code in cluster.members})
    return figure if peer is None else figure | {"peer": "PostGIS ST_DWithin", "peer_value": peer}


def _postgis(expected: set[str]) -> int | None:
    """The same pairs by PostGIS, with a GiST index on a metric projection, where a server with PostGIS is named."""
    dsn = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not dsn:
        return None
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        with suppress(psycopg.Error):
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        connection.execute("DROP TABLE IF EXISTS bench_devices")
        connection.execute("CREATE TABLE bench_devices (code TEXT, kind INT, owner INT, place geography(Point))")
        with connection.cursor().copy("COPY bench_devices (code, kind, owner, place) FROM STDIN") as copy:
            for n, (x, y, k, o) in enumerate(zip(*_columns(DEVICES), strict=True)):
                copy.write_row((f"D{n:06d}", int(k), int(o), f"SRID=4326;POINT({x} {y})"))
        connection.execute("CREATE INDEX ON bench_devices USING gist (place)")
        connection.execute("ANALYZE bench_devices")
        start = time.perf_counter()
        rows = connection.execute(
            "SELECT a.code, b.code FROM bench_devices a JOIN bench_devices b ON a.kind = b.kind AND a.owner <> b.owner "
            "AND a.code < b.code AND ST_DWithin(a.place, b.place, %s, false)",
            (METRES,),
        ).fetchall()
        seconds = time.perf_counter() - start
        connection.execute("DROP TABLE bench_devices")
    different = {code for row in rows for code in row} ^ expected
    if len(different) > len(expected) / 1000:
        raise RuntimeError(f"PostGIS finds other devices: {sorted(different)[:5]}")
    return round(DEVICES / seconds)


def _coverage(devices: Any) -> Figure:
    from shapely.geometry import box

    from mumian.foundation.devices.rules.coverage import Target
    from mumian.foundation.devices.service import analysis

    placed = devices.roster.placed()
    place = np.column_stack([placed.longitude, placed.latitude])
    start = time.perf_counter()
    cells = analysis.cells([box(WEST, SOUTH, EAST, NORTH)], place, Target(density=1.0, radius=500.0), 8)
    seconds = time.perf_counter() - start
    size = f"{DEVICES} devices, {len(cells)} H3 cells of resolution 8, 1 per km² and 500 m"
    return {"name": "devices-coverage", "value": round(DEVICES / seconds), "unit": "devices/s", "size": size}


def _presence() -> Figure:
    from mumian.foundation.devices.rules.presence import NEVER, Rhythm, Watch, judge

    chance = np.random.default_rng(1)
    rhythm = Rhythm(*(np.full(DEVICES, value, np.int64) for value in (90_000_000, 180_000_000, 2)))
    watch = Watch(np.zeros(DEVICES, np.int8), np.full(DEVICES, NEVER), np.zeros(DEVICES, np.int64))
    begun, rounds = np.zeros(DEVICES, np.int64), 100
    start = time.perf_counter()
    for n in range(rounds):
        now = n * 5_000_000
        heard = np.where(chance.random(DEVICES) < 0.1, now, NEVER)
        watch = judge(watch, heard, now, begun, rhythm)
    seconds = time.perf_counter() - start
    size = f"{DEVICES} devices, {rounds} rounds, a tenth heard in each"
    return {"name": "devices-presence", "value": round(DEVICES * rounds / seconds), "unit": "devices judged/s", "size": size}
