"""Search of the catalogue at 100,000 datasets: words and facets at eight readers, beside a scan with LIKE in SQLite."""

import asyncio
import json
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

DATASETS = 100_000
READERS, SECONDS = 8, 10.0
ORGANISATIONS, THEMES = 60, 20
PLACES = ["天河", "越秀", "海珠", "荔湾", "白云", "黄埔", "番禺", "花都", "南沙", "从化", "增城"]
THINGS = {
    "企业": "enterprise", "人口": "population", "道路": "road", "学校": "school", "医院": "hospital", "排水": "drainage",
    "空气": "air", "房屋": "housing", "车辆": "vehicle", "事故": "accident", "许可": "licence", "处罚": "penalty",
    "监测": "monitoring", "价格": "price", "公园": "park", "桥梁": "bridge", "隧道": "tunnel", "井盖": "manhole",
    "消防": "fire", "养老": "elderly", "就业": "employment", "社保": "insurance", "税收": "tax", "水质": "water",
}  # fmt: skip
FORMS = {"名录": "list", "统计": "statistics", "台账": "ledger", "登记": "register", "年报": "yearbook", "实时数据": "realtime"}
Figure = dict[str, Any]


def run(data: Path | None) -> list[Figure]:
    """Fill a city with entries straight into its tables, and ask it as readers do. CKAN's Solr cannot be installed beside it."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    from mumian.app.platform import create_platform
    from mumian.elements.catalog.api import Catalog
    from mumian.kernel.settings import Settings

    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        platform = await asyncio.to_thread(create_platform, Settings(home=Path(folder), synchronous="normal"))
        await platform.start()
        try:
            for start in range(0, DATASETS, 10_000):
                await platform.records.write(lambda tx, s=start: _fill(platform, tx, s, s + 10_000))  # type: ignore[misc]
            catalog = platform.get(Catalog)
            questions = _questions()
            begun = time.perf_counter()
            await asyncio.to_thread(_ask, platform, catalog, questions[0])
            figures = [{"name": "catalogue-search-first", "value": round(time.perf_counter() - begun, 2), "unit": "s"}]
            latencies = await asyncio.to_thread(_readers, lambda question: _ask(platform, catalog, question), questions, SECONDS)
            scans = await asyncio.to_thread(_readers, lambda question: _scan(platform, question), questions, SECONDS / 2)
            return [*figures, _figure(latencies, scans)]
        finally:
            await platform.stop()


def _figure(latencies: list[float], scans: list[float]) -> Figure:
    """Searches a second and what a reader waits, beside the scan."""
    value, peer = len(latencies) / SECONDS, len(scans) / (SECONDS / 2)
    return {
        "name": "catalogue-search",
        "value": round(value),
        "unit": "searches/s",
        "size": f"{DATASETS} datasets, {READERS} readers, words and filters with 8 facets",
        "p50_ms": round(_percentile(latencies, 0.50), 2),
        "p99_ms": round(_percentile(latencies, 0.99), 2),
        "peer": "SQLite LIKE scan, no facets",
        "peer_value": round(peer, 1),
        "ratio": round(value / peer, 1),
    }


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _drafts(start: int, end: int) -> list[Any]:
    from mumian.elements.catalog.entries.rules import Draft

    chance, found = random.Random(start), []
    things, forms = list(THINGS), list(FORMS)
    for n in range(start, end):
        place, one, two, form = chance.choice(PLACES), chance.choice(things), chance.choice(things), chance.choice(forms)
        title = {"zh": f"{place}区{one}{two}{form}{n}", "en": f"{THINGS[one]} {THINGS[two]} {FORMS[form]} {n}".capitalize()}
        third = chance.choice(things)
        about = {
            "zh": f"{place}区各街道{one}与{two}的{form}数据，含{third}的基本信息、更新时间和统一社会信用代码。",
            "en": f"Data of {THINGS[one]} and {THINGS[two]} with {THINGS[third]}, by street, with codes and dates.",
        }
        found.append(
            Draft(
                name=f"ds-{n:06d}",
                kind="dataset",
                title=title,
                owner=f"office-{n % ORGANISATIONS}",
                theme=f"theme-{n * 7 % THEMES}",
                share=("unconditional", "conditional", "none")[n % 3],
                opened=("none", "unconditional", "conditional")[n % 5 % 3],
                frequency_seconds=(3_600, 86_400, None)[n % 3],
                formats=(("CSV", "JSON"), ("XLSX",), ())[n % 3],
                facts={"description": about, "keywords": [one, two]},
            )
        )
    return found


def _fill(platform: Any, tx: Any, start: int, end: int) -> None:
    from mumian.elements.catalog.entries import store
    from mumian.elements.catalog.entries.entering import SCOPE
    from mumian.foundation.search.api import Search

    search = platform.get(Search)
    for draft in _drafts(start, end):
        store.put(tx, draft.name, draft.columns(), 1, search.put(tx, SCOPE, draft.name, *draft.texts()))


def _questions() -> list[tuple[str, dict[str, tuple[str, ...]]]]:
    """As people ask: mostly two words, some broad, some mistyped, some only filters; always the same."""
    chance = random.Random(7)
    found: list[tuple[str, dict[str, tuple[str, ...]]]] = []
    things = list(THINGS)
    for n in range(400):
        one, two, place = chance.choice(things), chance.choice(things), chance.choice(PLACES)
        english = THINGS[one]
        mistyped = english[:2] + english[3] + english[2] + english[4:] if len(english) > 5 else english
        texts = [f"{place} {one}", f"{one}{two}", f"{english} {THINGS[two]}", one, "数据", mistyped, "", f"{place}区 {two} 名录"]
        filters: dict[str, tuple[str, ...]] = (
            {"theme": (f"theme-{n % THEMES}",)} if n % 3 == 0 else {"opened": ("unconditional",)} if n % 3 == 1 else {}
        )
        found.append((texts[n % len(texts)], filters))
    return found


def _ask(platform: Any, catalog: Any, question: tuple[str, dict[str, tuple[str, ...]]]) -> None:
    from mumian.elements.catalog.api import Question
    from mumian.elements.catalog.entries import store

    text, wanted = question
    asked = Question(text=text, wanted=wanted, order="relevance" if text else "name", every=True)

    def work(session: Any) -> Any:
        answer = catalog.finder.find(session, asked)
        rows = store.entries(session, [name for _, name in answer.hits])
        return catalog.describing.datasets(rows.values(), platform.clock.now())

    platform.records.read_now(work)


def _scan(platform: Any, question: tuple[str, dict[str, tuple[str, ...]]]) -> None:
    text, wanted = question
    words = [f"%{word}%" for word in text.split()]
    where = "".join(f" AND (title_zh LIKE :w{i} OR title_en LIKE :w{i} OR facts LIKE :w{i})" for i in range(len(words)))
    where += "".join(f" AND {facet} = :{facet}" for facet in wanted)
    given = {f"w{i}": word for i, word in enumerate(words)} | {facet: values[0] for facet, values in wanted.items()}
    sql = f"SELECT name, title_zh, facts FROM catalog_entry WHERE gone = 0{where} ORDER BY name LIMIT 20"
    total = f"SELECT COUNT(*) FROM catalog_entry WHERE gone = 0{where}"
    platform.records.read_now(lambda session: [json.loads(row["facts"]) for row in session.rows(sql, **given)])
    platform.records.read_now(lambda session: session.value(total, **given))


def _readers(ask: Any, questions: list[Any], seconds: float) -> list[float]:
    """What each of eight readers waits, in milliseconds; each begins elsewhere."""
    end = time.perf_counter() + seconds

    def reader(number: int) -> list[float]:
        waited, at = [], number * 53
        while (start := time.perf_counter()) < end:
            ask(questions[at % len(questions)])
            waited.append((time.perf_counter() - start) * 1000)
            at += 1
        return waited

    with ThreadPoolExecutor(READERS) as pool:
        return [each for waited in pool.map(reader, range(READERS)) for each in waited]
