"""Warnings go out as CAP 1.2 that the standard's own schema accepts; messages of others come in whole, once, or not at all."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from mumian.brain.warnings.cap import publishing, receiving, rules
from mumian.brain.warnings.cap.contracts import Alert, Area, Info
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid, Malformed
from mumian.kernel.platform import Platform
from tests.brain.conftest import Observe, rows

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parent / "CAP-v1.2.xsd")))
GATE = """
kind: Policy
name: authorities
title: {zh: 预警发布单位, en: Alerting authorities}
spec: {cedar: 'permit (principal in Role::"operator", action == Action::"warning:receive", resource);'}
"""
texts = st.text(max_size=40)
words = st.text(
    st.characters(exclude_categories=["Cs", "Zs", "Cc"], exclude_characters=",<&\u2028\u2029\x85"), min_size=1, max_size=30
)
times = (
    st.datetimes()
    .map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%S") if t.year > 999 else "2026-01-01T00:00:00")
    .map(lambda t: t + "+08:00")
)
areas = st.builds(
    Area,
    texts.filter(str.strip),
    st.just(("23.1,113.2 23.2,113.2 23.2,113.3 23.1,113.2",)),
    st.just(("23.1,113.2 0",)),
    st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
)
infos = st.builds(
    Info,
    st.sampled_from(["zh-CN", "en"]),
    st.lists(st.sampled_from(rules.CATEGORIES), min_size=1, max_size=2).map(tuple),
    texts.filter(lambda t: rules._CONTROLS.sub("", t).strip()),
    st.sampled_from(rules.URGENCIES),
    st.sampled_from(rules.SEVERITIES),
    st.sampled_from(rules.CERTAINTIES),
    onset=st.none() | times,
    headline=texts,
    description=texts,
    parameters=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
    areas=st.lists(areas, max_size=2).map(tuple),
)
alerts = st.builds(
    Alert,
    words,
    words,
    times,
    st.sampled_from(rules.STATUS),
    st.just("Alert"),
    st.just("Public"),
    infos=st.lists(infos, max_size=2).map(tuple),
)


@settings(max_examples=60)
@given(alerts)
def test_whatever_is_written_fits_the_schema_and_is_read_back(alert: Alert) -> None:
    content = rules.written(alert)
    SCHEMA.assertValid(etree.fromstring(content))
    found = rules.read(ET.fromstring(content))
    assert (found.reference, len(found.infos)) == (alert.reference, len(alert.infos))
    assert rules.written(rules.read(ET.fromstring(rules.written(found)))) == rules.written(found)


async def test_a_warning_goes_out_updates_itself_and_is_cancelled(
    town: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    for hour, dust in enumerate([60, 60, 60, 120, 120, 120, 0, 0, 0, 0, 0]):
        await observe(hour, north=float(dust))
    messages = rows(town, "SELECT * FROM warnings_cap ORDER BY number")
    assert [row["message_type"] for row in messages] == ["Alert", "Update", "Update", "Cancel"]
    for row in messages:
        answer = await client.get(f"/cap/{row['identifier']}.xml")
        assert answer.headers["content-type"] == "application/cap+xml"
        SCHEMA.assertValid(etree.fromstring(answer.content))
        assert list(rules.faults(rules.read(ET.fromstring(answer.content)))) == []
    last = rules.read(ET.fromstring(messages[3]["content"]))
    assert last.references == tuple(row["reference"] for row in messages[:3])
    update = rules.read(ET.fromstring(messages[1]["content"]))
    assert [(info.language, info.severity, info.categories) for info in update.infos] == [
        ("zh-CN", "Extreme", ("Env",)),
        ("en", "Extreme", ("Env",)),
    ]
    assert update.infos[0].areas[0].circles == ("50.00000,10.00000 0",)
    assert list(town.records.read_now(publishing.faults)) == []
    await town.records.write(lambda tx: tx.session.execute("UPDATE warnings_cap SET content = content || ' ' WHERE number = 2"))
    assert [fault.entry for fault in town.records.read_now(publishing.faults)] == [messages[1]["identifier"]]
    assert update.status == "Test", "nobody is to act upon a city that was not told to publish"


async def test_the_feed_lists_every_message_and_leads_to_it(town: Platform, observe: Observe, client: httpx.AsyncClient) -> None:
    for hour in range(4):
        await observe(hour, north=60.0, south=60.0)
    feed = ET.fromstring((await client.get("/cap/feed.atom")).content)
    atom = {"a": "http://www.w3.org/2005/Atom"}
    links = [link.attrib["href"] for link in feed.findall("a:entry/a:link", atom)]
    assert len(links) == 2
    assert {(await client.get(link)).status_code for link in links} == {200}
    assert all(feed.findtext(f"a:{name}", None, atom) for name in ("id", "title", "updated"))
    assert (await client.get("/cap/none.xml")).status_code == 404


STORM = Alert(
    "WX-1",
    "weather@example.org",
    "2014-01-01T08:00:00+08:00",
    "Actual",
    "Alert",
    "Public",
    infos=(
        Info(
            "zh-CN",
            ("Met",),
            "暴雨",
            "Immediate",
            "Severe",
            "Likely",
            expires="2014-01-01T14:00:00+08:00",
            headline="暴雨橙色预警",
        ),
    ),
)


@pytest.fixture
async def gate(town: Platform) -> Platform:
    await town.declarations.apply(read_text(GATE.encode()), "gate")
    return town


async def send(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await client.post("/cap", content=content, headers={"Content-Type": "application/cap+xml"})


async def test_a_message_of_another_authority_is_taken_once_and_replaced_by_its_cancellation(
    gate: Platform, clock: ManualClock, client: httpx.AsyncClient
) -> None:
    list_ = "/api/v1/brain/warnings/received"
    assert [(await send(client, rules.written(STORM))).status_code for _ in range(2)] == [201, 200]
    (known,) = (await client.get(list_, params={"active": True})).json()["items"]
    assert (known["headline"], known["severity"], known["replaced_by"]) == ("暴雨橙色预警", "Severe", None)
    changed = await send(client, rules.written(replace(STORM, note="other")))
    assert (changed.status_code, "WX-1" in changed.json()["detail"]) == (409, True)
    stranger = replace(STORM, identifier="Z", sender="else@example.org", message_type="Cancel", references=(STORM.reference,))
    assert (await send(client, rules.written(stranger))).status_code == 201
    assert len((await client.get(list_, params={"active": True})).json()["items"]) == 1, "nobody cancels another's message"
    cancel = replace(STORM, identifier="WX-2", message_type="Cancel", references=(STORM.reference,))
    assert (await send(client, rules.written(cancel))).status_code == 201
    assert (await client.get(list_, params={"active": True})).json()["items"] == []
    first = (await client.get(list_, params={"limit": 1})).json()
    rest = (await client.get(list_, params={"cursor": first["next"]})).json()["items"]
    assert len(rest) == 2
    assert len(rows(gate, "SELECT id FROM kernel_outbox WHERE type = 'brain.warnings.received'")) == 3


async def test_a_message_ends_by_itself(gate: Platform, clock: ManualClock, client: httpx.AsyncClient) -> None:
    await send(client, rules.written(STORM))
    clock.advance(hours=7)
    assert (await client.get("/api/v1/brain/warnings/received", params={"active": True})).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sent": "2014-01-01T00:00:00Z"}, "sent"),
        ({"sent": "2014-13-01T00:00:00+08:00"}, "sent"),
        ({"identifier": "a b"}, "identifier"),
        ({"status": "Real"}, "status"),
        ({"message_type": "Update"}, "references"),
        ({"message_type": "Update", "references": ("x",)}, "references[0]"),
        ({"scope": "Restricted"}, "restriction"),
        ({"infos": (replace(STORM.infos[0], severity="Red"),)}, "info[0].severity"),
        ({"infos": (replace(STORM.infos[0], areas=(Area("x", polygons=("1,1 2,2 3,3 4,4",)),)),)}, "info[0].area[0].polygon"),
    ],
)
def test_a_message_that_breaks_the_standard_is_refused_at_the_element(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        receiving.parse(rules.written(replace(STORM, **change)))  # type: ignore[arg-type]
    assert field in [fault.field for fault in refused.value.faults]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<alert",
        b"\xff\xfe<alert/>",
        b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.1'/>",
        b"<a>" * 100_000,
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed):
        receiving.parse(content)
