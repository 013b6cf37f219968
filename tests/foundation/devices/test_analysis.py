"""Analysis over the API: duplicate building between departments, gaps of coverage, and the list of products."""

import csv
import io

import httpx
import numpy as np

from mumian.foundation.sensing.api import Observations, microseconds
from tests.foundation.devices.conftest import BASE, Town, commissioned, gauge

DEGREE = 111_195.08  # metres of a degree of latitude on the mean sphere


async def place(client: httpx.AsyncClient, code: str, owner: str, metres: float, **fields: object) -> None:
    """A gauge that stands so many metres north of the first."""
    body = gauge(code, owner=owner, latitude=23.02 + metres / DEGREE, **fields)
    assert (await client.post(BASE, json=body)).status_code == 201


async def test_devices_of_one_kind_by_different_departments_are_found_and_priced(admin: httpx.AsyncClient) -> None:
    await place(admin, "A", "water", 0, state="in_service", installed="2010-01-01")
    await place(admin, "B", "parks", 40, state="in_service", installed="2012-01-01")
    await place(admin, "C", "roads", 85, state="planned")
    await place(admin, "D", "water", 10, state="in_service")
    await place(admin, "E", "parks", 20, kind="rain-gauge")
    await place(admin, "F", "parks", 30, state="retired", installed="2010-01-01", retired="2011-01-01")
    await place(admin, "G", "roads", 1000)
    found = (await admin.get(f"{BASE}/duplicates?metres=50&years=10")).json()
    assert (found["clusters"], found["devices"], found["spared"]) == (1, 4, 1)
    cluster = found["items"][0]
    assert (cluster["members"], cluster["owners"]) == (["A", "B", "C", "D"], ["parks", "roads", "water"])
    assert (cluster["spared"], cluster["saving"], cluster["nearest"]) == (["B"], 10_000, 30.0)
    wider = (await admin.get(f"{BASE}/duplicates?metres=90&years=10")).json()["items"][0]
    assert (wider["spared"], wider["saving"]) == (["B", "C"], 10_000 + 10_000 + 20_000)
    by_category = (await admin.get(f"{BASE}/duplicates?metres=50&by=category")).json()["items"][0]
    assert "E" in by_category["members"]
    assert (await admin.get(f"{BASE}/duplicates?metres=29")).json()["clusters"] == 0
    assert (await admin.get(f"{BASE}/duplicates?district=110102")).json()["clusters"] == 0
    assert (await admin.get(f"{BASE}/duplicates?only=camera")).json()["clusters"] == 0
    table = (await admin.get(f"{BASE}/exports/duplicates.csv?metres=50")).text.removeprefix("\ufeff")
    assert [(row["device"], row["spare"]) for row in csv.DictReader(io.StringIO(table))] == [
        ("A", "false"),
        ("B", "true"),
        ("C", "false"),
        ("D", "false"),
    ]


async def test_a_device_that_moved_or_retired_is_no_duplicate_any_more(admin: httpx.AsyncClient) -> None:
    await place(admin, "A", "water", 0)
    await place(admin, "B", "parks", 10)
    assert (await admin.get(f"{BASE}/duplicates")).json()["clusters"] == 1
    await admin.patch(f"{BASE}/B", json={"longitude": 113.29, "latitude": 23.09}, headers={"If-Match": '"1"'})
    assert (await admin.get(f"{BASE}/duplicates")).json()["clusters"] == 0
    await admin.patch(f"{BASE}/B", json={"longitude": 113.25, "latitude": 23.02}, headers={"If-Match": '"2"'})
    await admin.post(f"{BASE}/A/steps", json={"step": "retire"}, headers={"If-Match": '"1"'})
    assert (await admin.get(f"{BASE}/duplicates")).json()["clusters"] == 0


async def test_districts_with_too_few_devices_come_first(admin: httpx.AsyncClient) -> None:
    for number in range(3):
        await commissioned(admin, f"W-{number}", longitude=113.25 + number / 100)
    await commissioned(admin, "E-0", longitude=113.35)
    await admin.post(BASE, json=gauge("PLAN", longitude=113.36))
    found = (await admin.get(f"{BASE}/coverage?kind=level-gauge&density=0.02")).json()
    assert (found["areas"], found["gaps"], found["missing"]) == (2, 1, 2)
    first = found["items"][0]
    assert (first["code"], first["devices"], first["missing"], first["gap"]) == ("110102", 1, 2, True)
    assert 113 < first["area"] < 115
    assert len((await admin.get(f"{BASE}/coverage?kind=level-gauge&density=0.02&gaps=true")).json()["items"]) == 1
    by_category = (await admin.get(f"{BASE}/coverage?category=water&density=0.02")).json()
    assert by_category["missing"] == 2


async def test_the_share_of_an_area_within_a_radius_is_that_of_the_circles(admin: httpx.AsyncClient) -> None:
    await commissioned(admin, "W-0")
    items = (await admin.get(f"{BASE}/coverage?kind=level-gauge&radius=2000&share=0.5")).json()["items"]
    covered = {item["code"]: item["covered"] for item in items}
    circle, district = 3.14159 * 4, next(item["area"] for item in items if item["code"] == "110101")
    assert abs(covered["110101"] - circle / district) < 0.01
    assert covered["110102"] == 0
    cells = (await admin.get(f"{BASE}/coverage?kind=level-gauge&radius=2000&resolution=7&limit=1000")).json()
    assert 30 < cells["areas"] < 60
    assert cells["areas"] - cells["gaps"] in range(1, 5)


async def test_a_declared_target_is_asked_for_by_its_name(admin: httpx.AsyncClient, town: Town) -> None:
    from mumian.kernel.declarations.documents import read_text

    declared = b"{kind: CoverageTarget, name: gauges, title: {zh: \xe7\x9b\xae, en: T}, spec: {kind: level-gauge, density: 0.02}}"
    town.platform.declarations.apply_now(read_text(declared), "target")
    found = (await admin.get(f"{BASE}/coverage?target=gauges")).json()
    assert (found["areas"], found["missing"]) == (2, 6)
    assert (await admin.get(f"{BASE}/exports/coverage.csv?target=gauges")).text.count("\n") == 3


async def test_bad_questions_are_refused_by_name(admin: httpx.AsyncClient) -> None:
    for query, status in (
        ("coverage", 422),
        ("coverage?kind=level-gauge&category=water", 422),
        ("coverage?kind=nothing", 404),
        ("coverage?target=nothing", 404),
        ("coverage?kind=level-gauge&layer=nothing", 404),
        ("coverage?kind=level-gauge&radius=nan", 422),
        ("coverage?kind=level-gauge&resolution=15", 422),
        ("duplicates?metres=-1", 422),
        ("duplicates?metres=inf", 422),
    ):
        answer = await admin.get(f"{BASE}/{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), query


async def test_products_tell_what_is_offered_how_fresh_and_how_shared(admin: httpx.AsyncClient, town: Town) -> None:
    for code in ("A", "B"):
        await commissioned(admin, code)
    await commissioned(admin, "C", owner="parks", share="none")
    await town.platform.settle()
    now = microseconds(town.clock.now())
    ids = [town.sensing.stream(f"device.{code}.level").id for code in "AB"]
    await town.sensing.record(Observations(np.array(ids), np.array([now, now - 600_000_000]), np.array([1.0, 2.0])))
    await town.platform.settle()
    products = {(p["owner"], p["share"]): p for p in (await admin.get(f"{BASE}/products")).json()}
    own = products["water", "open"]
    assert (own["devices"], own["streams"], own["online"], own["unit"], own["frequency_seconds"]) == (2, 2, 1, "m", 60)
    assert (own["latest"], own["age_seconds"], own["fresh"]) == ("2014-01-01T00:00:00.000000Z", 300, 0.5)
    assert (products["parks", "none"]["latest"], products["parks", "none"]["fresh"]) == (None, 0)
    assert len((await admin.get(f"{BASE}/products?share=open")).json()) == 1
    assert (await admin.get(f"{BASE}/exports/products.csv?owner=parks")).text.count("\n") == 2
    totals = (await admin.get(f"{BASE}/statistics")).json()
    assert sum(row["devices"] for row in totals) == 3
