"""Recording: runs leave edges that can be walked both ways, labels travel along them, and OpenLineage is spoken."""

import json
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.elements.catalog.api import Tables
from mumian.elements.lineage.api import Column, Lineage
from mumian.elements.lineage.service.sending import NotAllowed, target
from mumian.elements.protection import store as labels_store
from mumian.elements.protection.api import Decision, Labels
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.engines import ENGINES, records_url

DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
kind: Dataset
name: people
title: {zh: 人口, en: People}
spec: {owner: town, fields: [{name: id, personal: personal}, {name: district}, {name: income, type: number, personal: sensitive}]}
---
kind: Dataset
name: paid
title: {zh: 收入, en: Paid}
spec: {owner: town, fields: [{name: who}, {name: district}]}
---
kind: Dataset
name: sums
title: {zh: 合计, en: Sums}
spec: {owner: town, fields: [{name: district}, {name: total, type: number}]}
"""


@pytest_asyncio.fixture(params=ENGINES)
async def town(request: pytest.FixtureRequest, settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """A town with three datasets, of which two come from the first."""
    url = records_url(request.param, "test_lineage")
    platform = create_platform(settings.model_copy(update={"records": url}), clock)
    await platform.start()
    await platform.declarations.apply(read_text(DECLARED.encode()), "town")
    lineage = platform.get(Lineage)
    await lineage.record("pay", "SELECT id AS who, district FROM people", ["people"], "paid")
    await lineage.record("sum", "SELECT district, sum(income) AS total FROM people GROUP BY 1", ["people"], "sums")
    await platform.settle()
    yield platform
    await platform.stop()


async def test_impact_is_found_both_ways_and_proven(town: Platform) -> None:
    lineage = town.get(Lineage)
    down = await lineage.downstream(Column("people", "income"))
    assert {(str(e.source), str(e.target), e.kind) for e in down.edges} == {("people#income", "sums#total", "aggregation")}
    up = await lineage.upstream(Column("paid"), depth=1)
    assert {str(node) for node in up.nodes} == {"paid", "people", "people#id", "people#district", "paid#who", "paid#district"}
    assert (await town.get(Ledger).verify()).sound
    sql = "UPDATE lineage_edge SET source_field = 'district' WHERE source_field = 'income'"
    await town.records.write(lambda tx: tx.session.execute(sql))
    assert any(fault.table == "lineage_edge" for fault in (await town.get(Ledger).verify()).faults)


async def test_labels_travel_until_a_person_says_otherwise(town: Platform) -> None:
    rows = await town.records.read(lambda session: labels_store.labels(session, {}, None, 10))
    found = {(r["dataset"], r["field"]): (r["personal"], r["origin"], json.loads(r["evidence"])["from"]) for r in rows}
    assert found == {
        ("paid", "who"): ("personal", "lineage", "people#id"),
        ("sums", "total"): ("sensitive", "lineage", "people#income"),
    }
    labels = town.get(Labels)
    await town.records.write(lambda tx: labels.decide(tx, "sums", "total", Decision(None, "sums of many")))
    await town.get(Lineage).record("sum", "SELECT district, sum(income) AS total FROM people GROUP BY 1", ["people"], "sums")
    await town.get(Lineage).record("again", "SELECT who AS district FROM paid", ["paid"], "sums")
    await town.settle()
    rows = await town.records.read(lambda session: labels_store.labels(session, {"dataset": "sums"}, None, 10))
    assert {row["field"]: row["state"] for row in rows} == {"total": "rejected", "district": "proposed"}


async def test_sql_that_cannot_be_followed_leaves_what_is_known(town: Platform) -> None:
    run = await town.get(Lineage).record("odd", "CALL something()", ["people"], "paid")
    assert (run.analysed, run.state) == (False, "completed")
    graph = await town.get(Lineage).upstream(Column("paid", ""), depth=1)
    assert any(edge.kind == "dataset" and edge.job == "odd" for edge in graph.edges)


async def test_a_load_is_a_run(town: Platform) -> None:
    def fill(work: LakeTransaction) -> str:
        return "SELECT 'a' AS who, 'b' AS district"

    await town.get(Tables).load("paid", fill, "append", "pay.csv")
    await town.settle()
    graph = await town.get(Lineage).upstream(Column("paid"), depth=1)
    assert ("source/pay.csv", "load.paid") in {(edge.source.dataset, edge.job) for edge in graph.edges}


def run_event(**more: Any) -> dict[str, Any]:
    source = {"namespace": "postgres://db", "name": "public.pay", "field": "person"}
    facet = {"columnLineage": {"fields": {"who": {"inputFields": [source]}}}}
    return {
        "eventType": "COMPLETE",
        "eventTime": "2014-01-01T00:00:00.000Z",
        "producer": "https://example.org/etl",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": str(uuid4())},
        "job": {"namespace": "etl", "name": "nightly"},
        "inputs": [{"namespace": "postgres://db", "name": "public.pay"}],
        "outputs": [{"namespace": "mumian", "name": "paid", "facets": facet}],
        **more,
    }


async def test_openlineage_events_come_in_as_marquez_takes_them(town: Platform) -> None:
    from mumian.elements.lineage.rules import openlineage

    lineage = town.get(Lineage)
    body = run_event()
    start = openlineage.read({**body, "eventType": "START", "outputs": []}, "mumian")
    event = openlineage.read(body, "mumian")
    numbers = [await town.records.write(lambda tx, e=e: lineage.told(tx, e)) for e in (start, event, event)]  # type: ignore[misc]
    assert len(set(numbers)) == 1
    graph = await lineage.upstream(Column("paid", "who"), depth=1)
    assert "postgres://db/public.pay#person" in {str(node) for node in graph.nodes}
    assert (await town.get(Ledger).verify()).sound


async def test_what_goes_out_can_be_read_back(town: Platform) -> None:
    from mumian.elements.lineage.rules import openlineage

    graph = await town.get(Lineage).downstream(Column("people", "income"))
    written = openlineage.write(str(uuid4()), "sum", "2014-01-01T00:00:00Z", ["people"], "sums", graph.edges, "mumian")
    event = openlineage.read(json.loads(json.dumps(written)), "mumian")
    assert [(str(e.source), str(e.target), e.kind) for e in event.edges] == [("people#income", "sums#total", "aggregation")]


async def test_events_are_sent_in_order_to_the_address_of_the_settings(
    settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MUMIAN_LINEAGE_URL", f"http://127.0.0.1:{server.server_port}/api/v1/lineage")
    monkeypatch.setenv("MUMIAN_LINEAGE_TARGETS", '["127.0.0.0/8"]')
    platform = create_platform(settings, clock)
    await platform.start()
    await platform.declarations.apply(read_text(DECLARED.encode()), "town")
    for job in ("one", "two"):
        await platform.get(Lineage).record(job, "SELECT id AS who FROM people", ["people"], "paid")
    await platform.settle()
    await platform.stop()
    server.shutdown()
    server.server_close()
    assert [event["job"]["name"] for event in came] == ["one", "two"]
    assert came[0]["outputs"][0]["facets"]["columnLineage"]["fields"]["who"]["inputFields"][0]["field"] == "id"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/latest", "http://[::1]:80/", "ftp://example.org/", "http://u@127.0.0.1/"]
)
async def test_private_addresses_are_not_told_unless_named(url: str) -> None:
    with pytest.raises(NotAllowed):
        await target(url, ["10.0.0.0/8"])
