"""Tests of understanding as people meet it: texts read, incidents read when they are opened, corrections learned from."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from mumian.app.platform import create_platform
from mumian.brain.incidents.api import Incidents
from mumian.brain.incidents.api import Report as IncidentReport
from mumian.brain.understanding import endpoints
from mumian.brain.understanding.api import Understanding
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.models.api import Models
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.web import problems
from tests.foundation.engines import ENGINES, records_url
from tests.foundation.models.invented import tickets

DECLARED = """
{kind: Organisation, name: city, title: {zh: 市, en: City}, spec: {level: city}}
---
{kind: Role, name: clerk, title: {zh: 话务员, en: Clerk}, spec: {actions: ["text:*", "incident:read"], reach: city}}
---
{kind: IncidentType, name: report, title: {zh: 诉求, en: Report}, spec: {category: "01"}}
"""


class City:
    """The platform, and a clerk's client."""

    def __init__(self, platform: Platform, client: httpx.AsyncClient) -> None:
        self.platform = platform
        self.client = client

    async def opened(self, title: str, text: str, longitude: float | None = None, latitude: float | None = None) -> str:
        """The number of an incident that somebody reports."""
        report = IncidentReport(
            type="report",
            title={"zh": title, "en": title},
            severity="minor",
            description=text,
            longitude=longitude,
            latitude=latitude,
        )
        incident = await self.platform.records.write(lambda tx: self.platform.get(Incidents).open(tx, report))
        await self.platform.settle()
        return incident.number

    async def learned(self) -> None:
        """A category model in use."""
        models = self.platform.get(Models)
        await asyncio.to_thread(models.train_now, "ticket-category", tickets(90), {"source": "invented.csv"})
        await self.platform.records.write(lambda tx: models.approve(tx, "ticket-category", 1))


@pytest_asyncio.fixture(params=ENGINES)
async def city(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[City]:
    """The city on every engine."""
    url = records_url(request.param, "understanding_test")
    settings = Settings(
        home=tmp_path / "home", records=url, lake="local", objects="local", messages="outbox", synchronous="normal"
    )
    platform = create_platform(settings, clock)
    platform.declarations.apply_now(read_text(DECLARED.encode(), "texts.yaml"), "test")
    await platform.start()
    accounts = platform.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft("clerk", {"zh": "人", "en": "P"}, "city", ("clerk",)))
    _, secret = await accounts.create_token(person.id, "test", ["*"])
    app = FastAPI()
    app.state.platform = platform
    problems.install(app)
    app.include_router(endpoints.router)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=f"http://city{endpoints.router.prefix}",
        headers={"Accept-Language": "en", "Authorization": f"Bearer {secret}"},
    ) as client:
        yield City(platform, client)
    await platform.stop()


async def read(city: City, **body: Any) -> dict[str, Any]:
    """What the API says of a text."""
    answer = await city.client.post("/texts", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_without_a_model_everything_but_the_category_is_told(city: City) -> None:
    told = await read(city, text="昨天晚上8点枫林路12号起火，有人被困！！", time="2014-03-12T10:00:00+08:00")
    assert told["category"] == {"label": "", "levels": [], "candidates": [], "model": None}
    assert told["urgency"]["value"] == "critical"
    assert told["times"][0]["begins"] == "2014-03-11T20:00:00"
    assert told["places"][0]["words"].startswith("枫林路12号")
    assert told["same"] == []


async def test_an_incident_is_read_when_it_is_opened_and_stays_as_it_is(city: City) -> None:
    await city.learned()
    number = await city.opened("枫林路路灯不亮", "枫林路7号附近路灯不亮，已经5天了，夜里看不清路，请尽快处理。")
    told = (await city.client.get(f"/incidents/{number}")).json()
    assert told["category"]["label"] == "道路"
    assert told["category"]["model"] == "ticket-category@1"
    assert told["category"]["reasons"]
    assert told["category"]["similar"]
    incident = await city.platform.records.read(lambda session: city.platform.get(Incidents).find(session, number))
    assert (incident.type, incident.severity, incident.state) == ("report", "minor", "reported")
    empty = await city.opened("枫林路路灯不亮", "")
    assert (await city.client.get(f"/incidents/{empty}")).status_code == 404
    assert (await city.platform.get(Ledger).verify()).faults == ()


async def test_reports_of_one_event_are_found_and_ranked_as_a_hot_issue(city: City) -> None:
    first = await city.opened("东湖花园烧烤店油烟", "东湖花园三期楼下烧烤店油烟扰民，噪音到半夜", 113.30, 23.10)
    second = await city.opened("烧烤店扰民", "投诉东湖花园楼下烧烤店，油烟和噪音太大", 113.3003, 23.1002)
    await city.opened("转学", "咨询小学转学手续怎么办理", 113.40, 23.20)
    told = await read(city, text="东湖花园的烧烤店油烟又来了", longitude=113.3001, latitude=23.1001)
    assert {same["incident"] for same in told["same"]} == {first, second}
    assert told["same"][0]["metres"] < 50
    far = await read(city, text="东湖花园的烧烤店油烟又来了", longitude=113.6, latitude=23.4)
    assert far["same"] == []
    hot = (await city.client.get("/hot", params={"days": 7})).json()
    assert [sorted(issue["reports"]) for issue in hot] == [[first, second]]
    assert (await city.client.get(f"/incidents/{second}")).json()["same"][0]["incident"] == first


async def test_corrections_teach_a_new_version_that_was_tried_on_others(city: City) -> None:
    assert (await city.client.post("/retraining")).status_code == 404
    await city.learned()
    assert (await city.client.post("/retraining")).status_code == 422
    for number in range(50):
        body = {
            "title": f"第{number}个单车投诉",
            "text": f"共享单车乱停乱放，堵住盲道，已经{number}天",
            "label": "单车",
            "said": "道路",
        }
        assert (await city.client.post("/corrections", json=body)).status_code == 201
    page = (await city.client.get("/corrections", params={"limit": 30})).json()
    rest = (await city.client.get("/corrections", params={"cursor": page["next"]})).json()
    assert len(page["items"]) + len(rest["items"]) == 50
    made = (await city.client.post("/retraining")).json()
    assert made["state"] == "draft"
    assert made["compared"]["new"] > made["compared"]["old"]
    models = city.platform.get(Models)
    await city.platform.records.write(lambda tx: models.approve(tx, "ticket-category", made["number"]))
    told = await read(city, title="单车", text="共享单车乱停乱放，堵住盲道")
    assert told["category"]["candidates"][0]["label"] == "单车"
    assert (await city.platform.get(Ledger).verify()).faults == ()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "x" * 20_001}, "text"),
        ({"text": "x", "time": "yesterday"}, "time"),
        ({"text": "x", "time": "2014-01-01T00:00:00"}, "time"),
        ({"text": "x", "latitude": 91}, "latitude"),
        ({"text": "x", "extra": 1}, "extra"),
    ],
)
async def test_a_body_that_is_not_right_is_refused_by_field(city: City, body: dict[str, Any], field: str) -> None:
    answer = await city.client.post("/texts", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["errors"][0]["field"]


async def test_whatever_is_written_is_read(city: City) -> None:
    for text in ("\u0000", "\U0001f600" * 10, "路" * 20_000, "9" * 5000, "<script>", "年月日" * 2000, " "):
        await read(city, text=text)


async def test_what_was_changed_behind_its_back_is_told(city: City) -> None:
    await city.opened("路灯", "枫林路路灯不亮")
    await city.platform.records.write(lambda tx: tx.session.execute("UPDATE understanding_text SET text = 'x'"))
    assert any("understanding_text" in str(fault) for fault in (await city.platform.get(Ledger).verify()).faults)
    assert city.platform.get(Understanding).settings.category_model == "ticket-category"
