"""Eight quality rules over 10 M rows, judged in one shared scan, beside pandera with vectorised checks on the same rows."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROWS = int(os.environ.get("MUMIAN_BENCH_ROWS", "10000000"))
ADDED = max(1000, ROWS // 100)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DISTRICTS = [f"4401{i:02d}" for i in range(3, 15)]
_DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
kind: Dataset
name: people
title: {zh: 人口, en: People}
spec:
  owner: town
  fields:
    - {name: id_card}
    - {name: name}
    - {name: phone}
    - {name: employer}
    - {name: district}
    - {name: age, type: integer}
    - {name: begun, type: date}
    - {name: ended, type: date}
---
kind: QualityRule
name: people
title: {zh: 质量, en: Quality}
spec:
  dataset: people
  rules:
    - {id: named, check: not_null, field: name}
    - {id: unique, check: unique, fields: [id_card]}
    - {id: id-card, check: format, field: id_card, format: id_card}
    - {id: phone, check: format, field: phone, format: mobile}
    - {id: employer, check: format, field: employer, format: credit_code}
    - {id: district, check: codes, field: district, values: [DISTRICTS]}
    - {id: age, check: range, field: age, least: 0, most: 120}
    - {id: dates, check: condition, sql: "ended >= begun"}
"""
Figure = dict[str, Any]


def run(data: Path | None) -> list[Figure]:
    """Load made people, judge all of them and then a hundredth more, and let pandera say the same of the same rows.

    Each part is a process of its own, so that peak memory is its own; pandera's time is without reading its rows.
    """
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        _child("load", folder)
        ours, peer = _child("judge", folder), _child("pandera", folder)
    if ours["failing"] != peer["failing"]:
        raise RuntimeError(f"{ours['failing']} is not what pandera finds: {peer['failing']}")
    size = f"{ROWS:,} rows × 8 rules, 2 % of rows with a fault"
    own, other = ROWS / ours["seconds"], ROWS / peer["seconds"]
    return [
        {
            "name": "quality",
            "value": round(own),
            "unit": "rows/s",
            "size": size,
            "peer": "pandera on pandas",
            "peer_value": round(other),
            "ratio": round(own / other, 1),
        },
        {
            "name": "quality-memory",
            "value": round(ours["memory"]),
            "unit": "MB",
            "size": f"peak of the whole process, {size}",
            "peer": "pandera on pandas",
            "peer_value": round(peer["memory"]),
            "ratio": round(peer["memory"] / ours["memory"], 1),
        },
        {"name": "quality-added", "value": round(ours["added"], 2), "unit": "s", "size": f"{ADDED:,} rows added to {ROWS:,}"},
    ]


def _child(what: str, folder: str) -> Any:
    code = f"import bench.quality as b; b.child({what!r}, {folder!r})"
    measured = Path(folder, f"{what}.measured.json")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(measured.read_text("utf-8"))


def child(what: str, folder: str) -> None:
    """One part, in a process of its own; leaves what it measured in a file."""
    found = _pandera(Path(folder)) if what == "pandera" else asyncio.run(_ours(Path(folder), what))
    memory = _peak_bytes() / 2**20
    Path(folder, f"{what}.measured.json").write_text(json.dumps(found | {"memory": memory}), "utf-8")


async def _ours(folder: Path, what: str) -> dict[str, Any]:
    from mumian.app.platform import create_platform
    from mumian.elements.catalog.api import Tables
    from mumian.kernel.clock import ManualClock, SystemClock
    from mumian.kernel.declarations.documents import read_text
    from mumian.kernel.settings import Settings

    settings = Settings(home=folder, records="sqlite", lake="local", objects="local", messages="outbox", synchronous="normal")
    platform = await asyncio.to_thread(create_platform, settings, ManualClock(SystemClock().now()))
    await platform.start()
    try:
        if what == "load":
            districts = ", ".join(f'"{each}"' for each in _DISTRICTS)
            await platform.declarations.apply(read_text(_DECLARED.replace("DISTRICTS", districts).encode()), "bench")
            await platform.get(Tables).load("people", lambda lake: _made(0, ROWS), "append", "bench")
            return {}
        seconds = await _judged(platform)
        failing = await _failing(platform)
        _export(platform, folder / "people.parquet")
        await platform.get(Tables).load("people", lambda lake: _made(ROWS, ROWS + ADDED), "append", "bench")
        return {"seconds": seconds, "failing": failing, "added": await _judged(platform)}
    finally:
        await platform.stop()


async def _judged(platform: Any) -> float:
    """Let the load be told, then judge: seconds of the judging alone, all that is kept of it included."""
    job = next(job for job in platform.jobs if job.name == "elements.quality")
    await platform.bus.settle()
    begun = time.perf_counter()
    if not await job.settle():
        raise RuntimeError("nothing was judged")
    return time.perf_counter() - begun


async def _failing(platform: Any) -> dict[str, int]:
    from mumian.elements.quality.store import runs

    state = await platform.records.read(lambda session: runs.state(session, "people"))
    found = await platform.records.read(lambda session: runs.outcomes(session, state["run"]))
    return {name.split(":")[1]: int(outcome.failing or 0) for name, outcome in sorted(found.items())}


def _export(platform: Any, file: Path) -> None:
    from mumian.foundation.storage.contracts import Lake

    with platform.get(Lake).transaction() as lake:
        lake.execute(f"COPY (SELECT * EXCLUDE (_id, _load) FROM lake.main.dataset_1) TO '{file}' (FORMAT parquet)")


def _made(first: int, end: int) -> str:
    """People who do not exist, in no order; each kind of fault in a quarter of a percent of rows."""
    digits = " + ".join(f"{w} * CAST(substr(body, {i + 1}, 1) AS INTEGER)" for i, w in enumerate(_WEIGHTS))
    employers = ", ".join(f"'{_employer(i)}'" for i in range(500))
    bodies = (
        "SELECT *, '440103' || strftime(DATE '1950-01-01' + CAST(n // 1000 AS INTEGER), '%Y%m%d') || printf('%03d', n % 1000) "
        f"AS body FROM (SELECT {first} + (range * 7919) % {end - first} AS n FROM range({end - first}))"
    )
    return (
        f"SELECT body || substr('10X98765432', 1 + ({digits} + CASE WHEN n % 400 = 1 THEN 1 ELSE 0 END) % 11, 1) AS id_card, "
        "CASE WHEN n % 400 = 2 THEN ' ' ELSE '张' || n END AS name, "
        "CASE WHEN n % 400 = 3 THEN '1280000000' ELSE printf('138%08d', n) END AS phone, "
        f"CASE WHEN n % 400 = 4 THEN '91440101MA5ABCDEFI' ELSE list_extract([{employers}], n % 500 + 1) END AS employer, "
        "CASE WHEN n % 400 = 5 THEN '440199' ELSE printf('4401%02d', 3 + n % 12) END AS district, "
        "CASE WHEN n % 400 = 6 THEN 140 ELSE n % 100 END AS age, DATE '2010-01-01' AS begun, "
        "DATE '2010-01-01' + CASE WHEN n % 400 = 7 THEN -1 ELSE CAST(n % 1000 AS INTEGER) END AS ended "
        f"FROM ({bodies})"
    )


def _employer(number: int) -> str:
    body = f"91440101MA5{number:06d}"
    total = sum(_CREDIT.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _CREDIT[(31 - total % 31) % 31]


def _pandera(folder: Path) -> dict[str, Any]:
    """The same eight rules as checks on whole columns, checksums by numpy; lazily, so that all faults are found."""
    import duckdb
    import numpy as np
    import pandas as pd  # type: ignore[import-untyped]
    import pandera.pandas as pa

    frame = duckdb.connect().execute(f"SELECT * FROM read_parquet('{folder}/people.parquet')").df()

    def id_card(column: Any) -> Any:
        signs = np.array(column, dtype="S18").view("u1").reshape(-1, 18).astype(np.int16) - 48
        check = np.where(np.isin(signs[:, 17], (40, 72)), 10, signs[:, 17])
        right = (signs[:, :17] @ np.array(_WEIGHTS, np.int16) + check) % 11 == 1
        shape = column.str.fullmatch(r"[1-8]\d{16}[\dXx]").to_numpy(bool)
        days = pd.to_datetime(column.str.slice(6, 14), format="%Y%m%d", errors="coerce").notna().to_numpy()
        return pd.Series(right & shape & days, index=column.index)

    def credit_code(column: Any) -> Any:
        table = np.full(256, -1000, np.int16)
        table[np.frombuffer(_CREDIT.encode(), "u1")] = np.arange(31)
        signs = table[np.array(column, dtype="S18").view("u1").reshape(-1, 18)]
        weights = np.array([pow(3, i, 31) for i in range(17)] + [1], np.int16)
        shape = column.str.fullmatch(r"[159AEYNX][0-9A-HJ-NP-RTUWXY]\d{6}[0-9A-HJ-NP-RTUWXY]{10}").to_numpy(bool)
        return pd.Series((signs.astype(np.int32) @ weights % 31 == 0) & shape, index=column.index)

    def check(name: str, test: Any) -> Any:
        return pa.Check(test, name=name)

    schema = pa.DataFrameSchema(
        {
            "name": pa.Column(checks=check("named", lambda c: c.str.strip() != "")),
            "id_card": pa.Column(checks=[check("unique", lambda c: ~c.duplicated(keep=False)), check("id-card", id_card)]),
            "phone": pa.Column(checks=check("phone", lambda c: c.str.fullmatch(r"1[3-9]\d{9}"))),
            "employer": pa.Column(checks=check("employer", credit_code)),
            "district": pa.Column(checks=check("district", lambda c: c.isin(_DISTRICTS))),
            "age": pa.Column(checks=check("age", lambda c: c.between(0, 120))),
        },
        checks=check("dates", lambda f: f["ended"] >= f["begun"]),
    )
    failing = dict.fromkeys(("age", "dates", "district", "employer", "id-card", "named", "phone", "unique"), 0)
    begun = time.perf_counter()
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.groupby("check")["index"].nunique()
        failing |= {str(name): int(count) for name, count in cases.items()}
    return {"seconds": time.perf_counter() - begun, "failing": failing}


def _peak_bytes() -> int:
    from mumian.elements.sharing.exchange.running import peak_bytes

    return peak_bytes()
