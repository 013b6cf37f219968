"""The datastore at 10 million rows: filters, order and total over CKAN's API, beside the SQL that CKAN sends to PostgreSQL."""

import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROWS = 10_000_000
REQUESTS, READERS = 40, 4
NAME, TABLE = "visits", "bench_datastore"
DISTRICTS, KINDS = 11, 40
Figure = dict[str, Any]
Ask = dict[str, Any]
_DECLARED = f"""
{{kind: Organisation, name: town, title: {{zh: 镇, en: Town}}, spec: {{level: city}}}}
---
kind: Policy
name: opening
title: {{zh: 开放, en: Open}}
spec: {{cedar: 'permit (principal, action in [Action::"open:read", Action::"open:download"], resource);'}}
---
kind: Dataset
name: {NAME}
title: {{zh: 记录, en: Records}}
spec:
  owner: town
  opened: unconditional
  fields:
    - {{name: district}}
    - {{name: kind}}
    - {{name: amount, type: integer}}
    - {{name: rate, type: number}}
    - {{name: day, type: date}}
    - {{name: note}}
"""
_COLUMNS = (
    f"'44010' || CAST(i * 7919 % {DISTRICTS} AS VARCHAR) AS district, 'kind ' || CAST(i * 104729 % {KINDS} AS VARCHAR) AS kind, "
    "CAST(i * 1299709 % 1000003 AS BIGINT) AS amount, CAST(i * 15485863 % 10007 AS DOUBLE PRECISION) / 100 AS rate, "
    "DATE '2014-01-01' + CAST(i % 3650 AS INTEGER) AS day, 'note ' || CAST(i AS VARCHAR) AS note"
)


def run(data: Path | None) -> list[Figure]:
    """Fill both with the same rows, and ask both the same questions, four readers at a time."""
    peer = _postgresql()
    found = asyncio.run(_measure())
    size = f"{ROWS} rows × 6, {READERS} readers, one or two filters, order by one field, 100 rows, total"
    figure = {"name": "datastore-search", "value": found["rate"], "unit": "searches/s", "size": size}
    figure |= {"p50_ms": found["p50_ms"], "p99_ms": found["p99_ms"]}
    if peer is None:
        return [figure]
    beside = {
        "peer": "PostgreSQL 15, CKAN's SQL and keys",
        "peer_value": peer["rate"],
        "ratio": round(found["rate"] / peer["rate"], 1),
    }
    slow = {"name": "datastore-search-postgresql", "value": peer["rate"], "unit": "searches/s", "size": size}
    return [figure | beside, slow | {"p50_ms": peer["p50_ms"], "p99_ms": peer["p99_ms"]}]


def _questions(seed: int) -> list[Ask]:
    chance, found = random.Random(seed), []
    for n in range(REQUESTS):
        filters: dict[str, Any] = {"district": f"44010{chance.randrange(DISTRICTS)}"}
        if n % 2:
            filters["kind"] = [f"kind {chance.randrange(KINDS)}", f"kind {chance.randrange(KINDS)}"]
        order = chance.choice(["amount desc", "day asc", "rate desc"])
        found.append({"filters": filters, "sort": order, "limit": 100, "offset": chance.choice([0, 0, 100])})
    return found


async def _measure() -> Figure:
    import httpx

    from mumian.app.platform import create_platform
    from mumian.app.server import serving
    from mumian.elements.catalog.api import Tables
    from mumian.kernel.declarations.documents import read_text
    from mumian.kernel.settings import Settings

    os.environ |= {"MUMIAN_OPENING_ANONYMOUS_PER_MINUTE": "1000000", "MUMIAN_OPENING_SECONDS": "120"}
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        platform = await asyncio.to_thread(create_platform, Settings(home=Path(folder), synchronous="normal"))
        async with serving(platform, "127.0.0.1", 0) as address:
            await platform.declarations.apply(read_text(_DECLARED.encode()), "bench")
            fill = f"SELECT {_COLUMNS} FROM (SELECT range AS i FROM range({ROWS}))"
            await platform.get(Tables).load(NAME, lambda _: fill, "append", "bench")
            await platform.settle()

            async def one(seed: int) -> list[float]:
                latencies = []
                async with httpx.AsyncClient(base_url=address, timeout=120) as client:
                    for question in _questions(seed):
                        begun = time.perf_counter()
                        answer = await client.post("/api/3/action/datastore_search", json={"resource_id": NAME, **question})
                        latencies.append(time.perf_counter() - begun)
                        if answer.status_code != 200 or not answer.json()["result"]["total"]:
                            raise RuntimeError(answer.text[:500])
                return latencies

            begun = time.perf_counter()
            rounds = await asyncio.gather(*(one(seed) for seed in range(READERS)))
            return _told([each for latencies in rounds for each in latencies], time.perf_counter() - begun)


def _told(latencies: list[float], seconds: float) -> Figure:
    ordered = sorted(latencies)
    p50, p99 = (round(ordered[int(len(ordered) * share)] * 1000, 1) for share in (0.5, 0.99))
    return {"rate": round(len(ordered) / seconds, 2), "p50_ms": p50, "p99_ms": p99}


def _postgresql() -> Figure | None:
    """The same in PostgreSQL as CKAN's datastore keeps it: a serial `_id` as key, no index on what nobody declared one for."""
    url = os.environ.get("MUMIAN_TEST_POSTGRESQL")
    if not url:
        return None
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {TABLE}".encode())
        rows = f"SELECT i + 1 AS _id, {_COLUMNS} FROM generate_series(0::bigint, {ROWS - 1}) AS i"
        connection.execute(f"CREATE TABLE {TABLE} AS {rows}".encode())
        connection.execute(f"ALTER TABLE {TABLE} ADD PRIMARY KEY (_id)".encode())
        connection.execute(f"VACUUM ANALYZE {TABLE}".encode())
        try:
            return _asked(lambda seed: _searches(url, seed))
        finally:
            connection.execute(f"DROP TABLE {TABLE}".encode())


def _searches(url: str, seed: int) -> list[float]:
    import psycopg

    latencies = []
    with psycopg.connect(url) as connection:
        for question in _questions(seed):
            where = " AND ".join(f'"{name}" = ANY(%s)' for name in question["filters"])
            values = [value if isinstance(value, list) else [value] for value in question["filters"].values()]
            fields = '"_id", "district", "kind", "amount", "rate", "day", "note"'
            rows = (
                f'SELECT {fields} FROM "{TABLE}" WHERE {where} ORDER BY {question["sort"]} LIMIT 100 OFFSET {question["offset"]}'
            )
            begun = time.perf_counter()
            connection.execute(f"SELECT array_to_json(array_agg(j))::text FROM ({rows}) AS j".encode(), values).fetchall()
            connection.execute(f'SELECT count(*) FROM "{TABLE}" WHERE {where}'.encode(), values).fetchall()
            latencies.append(time.perf_counter() - begun)
    return latencies


def _asked(search: Callable[[int], list[float]]) -> Figure:
    from concurrent.futures import ThreadPoolExecutor

    begun = time.perf_counter()
    with ThreadPoolExecutor(READERS) as pool:
        rounds = list(pool.map(search, range(READERS)))
    return _told([each for latencies in rounds for each in latencies], time.perf_counter() - begun)


if __name__ == "__main__":
    print("\n".join(json.dumps(figure) for figure in run(None)))
