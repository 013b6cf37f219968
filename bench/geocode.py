"""Addresses a second from text to point, in a library of a million standard addresses, with its memory and size on disk."""

import csv
import io
import os
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.addresses.divisions import names
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

ADDRESSES = int(os.environ.get("MUMIAN_BENCH_ADDRESSES", "1000000"))
QUERIES = 6_000
BATCH = 1_000
_FIRST = "东南西北新长安平福金龙凤明光华兴文德仁和永康建民解放江河湖海山林春秋"
_LAST = ("路", "大道", "街", "东路", "西路", "巷")
_COMPOUND = ("花园", "大厦", "小区", "广场", "公寓", "新村")


def run(data: Path | None) -> list[dict[str, Any]]:
    """Exact, partial and mistyped texts, a third each, in batches of a thousand; no peer: cpca does not start here."""
    from mumian.app.platform import create_platform

    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        platform = create_platform(Settings(home=Path(folder), records="sqlite"), ports=False)
        rows = list(_rows(random.Random(7)))
        began = time.perf_counter()
        report = platform.get(Addresses).import_now(io.StringIO(_csv(rows)), "bench")
        loaded = time.perf_counter() - began
        if report.added != ADDRESSES:
            raise RuntimeError(f"the import did not add up: {report.rows} {report.added} {report.faults[:2]}")
        figures = [_measure(platform, rows, kind) for kind in ("exact", "partial", "mistyped", "mixed")]
        disk = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) >> 20
        platform.records.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    size = f"{ADDRESSES} rows"
    figures.append({"name": "geocode-import", "value": round(ADDRESSES / loaded), "unit": "rows/s", "size": size})
    figures.append({"name": "geocode-memory", "value": memory, "unit": "MiB at most, the test data included", "size": size})
    return [*figures, {"name": "geocode-disk", "value": disk, "unit": "MiB", "size": size}]


def _rows(rng: random.Random) -> Any:
    """Roads with numbers on both sides; compounds with buildings, units and rooms."""
    streets = [code for code in names() if len(code) == 9 and code.startswith("31")][:170]
    made = 0
    while made < ADDRESSES:
        street = rng.choice(streets)
        road = "".join(rng.sample(_FIRST, 2)) + rng.choice(_LAST)
        compound = "".join(rng.sample(_FIRST, 3)) + rng.choice(_COMPOUND)
        x, y = 121 + rng.random(), 31 + rng.random()
        for number in range(1, 40):
            yield (f"b{made}", street, road, f"{number}号", "", "", "", f"{x + number / 4000:.6f}", f"{y:.6f}")
            made += 1
            if made == ADDRESSES:
                return
        for place in range(160):
            building, room = f"{place // 16 + 1}栋", f"{place % 16 // 4 + 1}0{place % 4 + 1}室"
            yield (f"b{made}", street, road, "40号", compound, building, room, f"{x + 0.01:.6f}", f"{y + place / 1e5:.6f}")
            made += 1
            if made == ADDRESSES:
                return


def _csv(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("code", "division", "road", "number", "poi", "building", "room", "longitude", "latitude"))
    writer.writerows(rows)
    return text.getvalue()


def _measure(platform: Platform, rows: list[tuple[str, ...]], kind: str) -> dict[str, Any]:
    rng = random.Random(11)
    asked = [rng.choice(rows) for _ in range(QUERIES)]
    kinds = ("exact", "partial", "mistyped")
    texts = [_text(row, kind if kind != "mixed" else kinds[i % 3], rng) for i, row in enumerate(asked)]
    addresses = platform.get(Addresses)
    seconds, right, times = 0.0, 0, []
    for start in range(0, QUERIES, BATCH):
        some = texts[start : start + BATCH]
        began = time.perf_counter()
        found = platform.records.read_now(lambda session, some=some: addresses.geocode(session, some))  # type: ignore[misc]
        times.append(time.perf_counter() - began)
        seconds += times[-1]
        near = zip(found, asked[start : start + BATCH], strict=True)
        right += sum(f is not None and abs(f.longitude - float(r[7])) + abs(f.latitude - float(r[8])) < 2e-3 for f, r in near)
    size = f"{QUERIES} texts, library of {ADDRESSES}; {100 * right / QUERIES:.1f} % within 200 m"
    return {"name": f"geocode-{kind}", "value": round(QUERIES / seconds), "unit": "addresses/s", "size": size}


def _text(row: tuple[str, ...], kind: str, rng: random.Random) -> str:
    _, street, road, number, compound, building, room, _, _ = row
    district, town = names()[street[:6]], names()[street]
    if kind == "exact":
        return f"上海市{district}{town}{road}{number}{compound}{building}{room}"
    if kind == "partial":
        return f"{district}{road}{number}" if not compound else f"{district}{compound}{building}{room}"
    name = compound or road
    position = rng.randrange(2)
    slip = name[:position] + rng.choice("天地玄黄") + name[position + 1 :]
    return f"{district}{slip}{building}{room}" if compound else f"{district}{slip}{number}"
