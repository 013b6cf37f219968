"""Behaviour of indicators on a platform: measured when something happened, told only when they moved."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio

from mumian.app.web import create_asgi
from mumian.brain.incidents.events import IncidentClosed
from mumian.brain.vitals.events import VitalsEvaluated
from mumian.kernel.clock import ManualClock, iso
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform

RATE = "incidents.on-time-rate"


@pytest_asyncio.fixture
async def http(city: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A reader who is not signed in."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(city)), base_url="http://test") as client:
        yield client


async def _close(platform: Platform, number: str, on_time: bool) -> None:
    now = platform.clock.now()
    snapshot: dict[str, Any] = dict.fromkeys(
        "district organisation taken_at verified_at due_accept due_verify warning dispatched_at assignee".split()
    )
    snapshot |= {"number": number, "type": "air-pollution", "severity": "minor", "state": "closed", "supervised": 0}
    snapshot |= {"opened_at": iso(now - timedelta(hours=9)), "resolved_at": iso(now), "closed_at": iso(now)}
    snapshot["due_resolve"] = iso(now + timedelta(hours=1 if on_time else -1))
    event = IncidentClosed(
        subject=number, action="close", source="verified", target="closed", version=7, digest="", note="", incident=snapshot
    )
    await platform.records.write(lambda tx: tx.emit(event))
    await platform.settle()


async def _measured(platform: Platform, name: str) -> list[float]:
    rows = await platform.records.read(
        lambda s: s.rows(
            "SELECT payload FROM kernel_outbox WHERE type = 'mechanism.indicators.measured' AND subject = :n", n=name
        )
    )
    return [json.loads(row["payload"])["value"] for row in rows]


async def test_the_on_time_rate_follows_the_incidents_and_is_told_only_when_it_moves(
    city: Platform, clock: ManualClock, http: httpx.AsyncClient
) -> None:
    for number, on_time in (("X-1", True), ("X-2", True), ("X-3", False)):
        await _close(city, number, on_time)
        clock.advance(hours=1)
        await city.settle()
    assert await _measured(city, RATE) == [1.0, pytest.approx(2 / 3)]
    shown = (await http.get(f"/api/v1/mechanism/indicators/{RATE}")).json()
    assert shown["value"] == pytest.approx(2 / 3)
    assert (shown["previous"], shown["target"], shown["status"]) == (1.0, 0.9, "missed")
    assert [value for _, value in shown["series"]] == [1.0, pytest.approx(2 / 3)]


async def test_what_leaves_the_window_stops_counting_without_any_event(city: Platform, clock: ManualClock) -> None:
    await _close(city, "X-1", on_time=False)
    clock.advance(days=20)
    await _close(city, "X-2", on_time=True)
    clock.advance(days=11)
    await city.settle()
    assert await _measured(city, RATE) == [0.0, 0.5, 1.0]


async def test_the_share_of_good_days_counts_the_values_at_the_ends_of_the_citys_days(
    city: Platform, clock: ManualClock, http: httpx.AsyncClient
) -> None:
    midnight = datetime(2014, 1, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
    levels = ["good", "light", "excellent", None]
    values: list[dict[str, Any]] = [
        {"vital": "air-aqi", "key": "city", "time": iso(midnight + timedelta(days=i, hours=h)), "value": 80.0 if level else None}
        | {"level": level if h == 0 else "severe", "version": 1}
        for i, level in enumerate(levels)
        for h in (0, 5)
    ]
    clock.set(midnight + timedelta(days=5))
    event = VitalsEvaluated(subject="pm25", time=values[-1]["time"], count=len(values), digest="", values=values)
    await city.records.write(lambda tx: tx.emit(event))
    await city.settle()
    shown = (await http.get("/api/v1/mechanism/indicators/air.good-days-share")).json()
    assert shown["value"] == pytest.approx(2 / 3)


SHARE = "{theme: air, unit: ratio, direction: up, measure: {of: vital.share_of_days, vital: VITAL, levels: [good]}}"
DAILY = """
kind: Vital
name: dust-of-the-day
title: {zh: 日均粉尘, en: Dust of the day}
spec:
  theme: air
  unit: u
  owner: "OWNER"
  frequency_seconds: 86400
  source: {window: {observed_property: dust, hours: 24}}
  levels: [{name: good, title: {zh: 良, en: Good}, colour: "#00ff00", from: 0}]
"""


def _kpi(vital: str) -> str:
    return f"{{kind: Kpi, name: late, title: {{zh: 甲, en: A}}, spec: {SHARE.replace('VITAL', vital)}}}"


async def test_an_indicator_declared_after_the_days_still_counts_them(
    city: Platform, clock: ManualClock, http: httpx.AsyncClient
) -> None:
    midnight = datetime(2014, 1, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
    values: list[dict[str, Any]] = [
        {"vital": "new", "key": "city", "time": iso(midnight + timedelta(days=i)), "value": 1.0, "level": level, "version": 1}
        for i, level in enumerate(["good", "light"])
    ]
    clock.set(midnight + timedelta(days=3))
    event = VitalsEvaluated(subject="dust", time=values[-1]["time"], count=len(values), digest="", values=values)
    await city.records.write(lambda tx: tx.emit(event))
    await city.settle()
    vital = _daily(city, "new").replace("86400", "3600")
    await city.declarations.apply(read_text(f"{vital}\n---\n{_kpi('new')}".encode()), "test")
    await city.settle()
    assert (await http.get("/api/v1/mechanism/indicators/late")).json()["value"] == 0.5


async def test_a_vital_without_a_value_at_the_end_of_the_citys_days_is_refused_for_a_share_of_days(city: Platform) -> None:
    documents = read_text(f"{_daily(city, 'dust-of-the-day')}\n---\n{_kpi('dust-of-the-day')}".encode())
    with pytest.raises(Invalid) as refused:
        await city.declarations.apply(documents, "test")
    assert [(fault.field, fault.key) for fault in refused.value.faults] == [("spec.measure.vital", "indicators.no_day_end")]


def _daily(city: Platform, name: str) -> str:
    owner = city.declarations.all("Organisation")[0].name
    return DAILY.replace("OWNER", owner).replace("dust-of-the-day", name)


async def test_the_plans_indicators_stand_behind_the_measured_ones_with_their_kept_values(http: httpx.AsyncClient) -> None:
    items = (await http.get("/api/v1/mechanism/indicators")).json()["items"]
    assert [item["measured"] for item in items] == [True] * 3 + [False] * 27
    racks = next(item for item in items if item["name"] == "plan.standard-data-centre-racks")
    assert (racks["value"], racks["target"], racks["status"]) == (20, 60, "missed")
    assert racks["targets"] == {"2025": 60, "2027": 80}
    only = (await http.get("/api/v1/mechanism/indicators", params={"measured": "true"})).json()["items"]
    assert len(only) == 3


async def test_an_unknown_indicator_is_a_problem_and_not_a_failure(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/v1/mechanism/indicators/none")
    assert answer.status_code == 404
    assert answer.json()["key"] == "error.not_found"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("{theme: air, unit: h, direction: up, measure: {of: vital.share_of_days, vital: none, levels: [a]}}", "spec.measure"),
        ("{theme: air, unit: h, direction: up, measure: {of: vital.share_of_days, vital: air-aqi, levels: [a]}}", "levels[0]"),
        ("{theme: air, unit: h, direction: up, measure: {of: incidents.open, incident_types: [a]}}", "incident_types[0]"),
        ("{theme: air, unit: h, direction: up, measure: {of: nothing}}", "spec.measure"),
        ("{theme: air, unit: h, direction: up, target: 1, targets: {2025: 1}}", "spec"),
        ("{theme: air, unit: h, direction: up, series: {2025: 1}, measure: {of: incidents.open}}", "spec"),
    ],
)
async def test_a_kpi_that_cannot_be_measured_is_refused_naming_the_field(city: Platform, spec: str, field: str) -> None:
    documents = read_text(f"{{kind: Kpi, name: broken, title: {{zh: 甲, en: A}}, spec: {spec}}}".encode())
    with pytest.raises(Invalid) as refused:
        await city.declarations.apply(documents, "test")
    assert field in refused.value.faults[0].field
