"""Collection over HTTP: uploads stream, previews show what was guessed, runs show progress, and each by those who may."""

import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from mumian.app.web import create_asgi
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from tests.elements.collection.conftest import BASE, Answer, Server, connect, declare, held, inbox, run

MESSY = '年度报表\n\n编号|名称|开业\n1|甲|2024/1/2\n2|"乙|2024/1/3\n3||2024/1/4\n'


async def parts(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    """A body that comes bit by bit, its length unknown."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def test_a_file_is_looked_at_corrected_confirmed_and_becomes_a_dataset(town: Platform, admin: httpx.AsyncClient) -> None:
    answer = await admin.post(f"{BASE}/uploads", params={"file": "C:\\data\\报表.csv"}, content=parts(MESSY.encode("gb18030")))
    assert answer.status_code == 201, answer.text
    place = f"{BASE}/previews/{answer.json()['preview']}"
    told = (await admin.get(place)).json()
    assert (told["file"], told["format"]) == ("报表.csv", "csv")
    assert told["reading"] == {
        "encoding": "gb18030", "delimiter": "|", "quote": '"', "escape": "", "table": 0, "format": "csv", "header": 3,
    }  # fmt: skip
    assert told["columns"] == [
        {"name": "编号", "type": "integer"},
        {"name": "名称", "type": "text"},
        {"name": "开业", "type": "date"},
    ]
    assert (told["notes"], told["mended"]) == ([[1, "年度报表"]], [5])
    assert told["sample"][1] == ["2", '"乙', "2024/1/3"]
    assert told["alternatives"]["encodings"][0]["encoding"] == "gb18030"
    other = (await admin.get(place, params={"delimiter": ";", "header": 0})).json()
    assert (other["reading"]["delimiter"], other["columns"][0]["name"]) == (";", "col_0")
    body = {
        "name": "report",
        "title": {"zh": "报表", "en": "Report"},
        "owner": "town",
        "key": ["编号"],
        "reading": told["reading"],
    }
    documents = (await admin.post(f"{place}/declarations", json=body | {"reading": told["reading"]})).json()["documents"]
    await town.declarations.apply(read_text(documents.encode()), "confirmed")
    content = MESSY.encode("gb18030")
    answer = await admin.post(f"{BASE}/uploads", params={"file": "报表.csv", "connector": "report"}, content=content)
    assert answer.status_code == 202, answer.text
    await town.settle()
    done = (await admin.get(answer.headers["location"])).json()
    assert (done["state"], done["read"], done["mended"], done["share"]) == ("done", 3, 1, None), done
    assert await held(town, '"编号", "名称", CAST("开业" AS VARCHAR)', "report") == [
        (1, "甲", "2024-01-02"),
        (2, '"乙', "2024-01-03"),
        (3, None, "2024-01-04"),
    ]


async def test_runs_are_started_watched_and_decided_by_those_who_may(town: Platform, admin: httpx.AsyncClient) -> None:
    rows = "".join(f"{i},n\n" for i in range(1, 120))
    (inbox(town) / "a.csv").write_text(f"编号,name\n{rows}x,=1+1\n", "utf-8")
    await connect(town, "shops-file", source={"kind": "files", "path": "*.csv"}, drift="quarantine", every_seconds=3600)
    await town.settle()
    listed = (await admin.get(f"{BASE}/connectors")).json()["items"]
    assert [(each["name"], each["source"], each["last"]["state"]) for each in listed] == [("shops-file", "files", "done")]
    assert listed[0]["due_at"] == "2014-01-01T01:00:00.000000Z"
    whole = (await admin.get(f"{BASE}/connectors/shops-file")).json()
    assert whole["columns"] == {"编号": "integer", "name": "text"}
    (done,) = (await admin.get(f"{BASE}/runs", params={"connector": "shops-file"})).json()["items"]
    assert (done["read"], done["good"], done["bad"], done["batches"]) == (120, 119, 1, 3)
    answer = await admin.get(f"{BASE}/runs/{done['id']}/faults", headers={"Accept-Language": "zh"})
    assert [(f["line"], f["field"], f["value"]) for f in answer.json()["items"]] == [(121, "编号", "x")]
    assert "integer" in answer.json()["items"][0]["message"]
    bad = await admin.get(f"{BASE}/runs/{done['id']}/bad-rows")
    assert [json.loads(line)["cells"]["name"] for line in bad.text.splitlines()] == ["=1+1"]
    (inbox(town) / "a.csv").write_text(f"编号,title\n{rows}", "utf-8")
    started = (await admin.post(f"{BASE}/connectors/shops-file/runs", json={})).json()
    assert (await admin.post(f"{BASE}/connectors/shops-file/runs", json={})).status_code == 409
    await town.settle()
    waiting = (await admin.get(f"{BASE}/runs/{started['id']}")).json()
    assert (waiting["state"], waiting["drift"]) == ("quarantined", {"new": ["title"], "lost": ["name"], "changed": []})
    assert (await admin.post(f"{BASE}/runs/{started['id']}/resume")).status_code == 409
    assert (await admin.post(f"{BASE}/runs/{started['id']}/accept")).json()["state"] == "loading"
    await town.settle()
    assert (await admin.get(f"{BASE}/runs", params={"state": "done", "limit": 1})).json()["items"][0]["id"] == started["id"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_asgi(town)), base_url="http://t") as nobody:
        for method, path in (
            ("GET", "connectors"), ("GET", f"runs/{done['id']}/bad-rows"), ("POST", "uploads?file=a.csv"),
            ("GET", "catalogue-sources"), ("POST", f"runs/{done['id']}/cancel"),
        ):  # fmt: skip
            assert (await nobody.request(method, f"{BASE}/{path}")).status_code == 401


async def test_uploads_are_refused_when_they_are_too_large_empty_foreign_or_go_nowhere(
    town: Platform, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mumian.elements.collection.service.runner import Runner

    monkeypatch.setattr(town.get(Runner).settings, "upload_bytes", 1000)
    await connect(town, "shops-http", source={"kind": "http", "url": "http://127.0.0.1:1/"})
    for params, content, status in (
        ({"file": "a.csv"}, parts(b"x" * 2000), 413),
        ({"file": "a.csv"}, b"x" * 2000, 413),
        ({"file": "a.csv"}, b"", 422),
        ({"file": ""}, b"a", 422),
        ({"file": "a.csv", "connector": "nothing"}, b"a", 404),
        ({"file": "a.csv", "connector": "shops-http"}, b"a", 422),
    ):
        assert (await admin.post(f"{BASE}/uploads", params=params, content=content)).status_code == status
    assert (await admin.get(f"{BASE}/uploads")).status_code == 404
    folder = town.home / "collection"
    assert [path for part in ("uploads", "previews") for path in (folder / part).glob("*")] == []
    accounts = town.get(Identity).accounts
    await declare(town, '{kind: Role, name: looker, title: {zh: 看, en: L}, spec: {actions: ["connector:preview"]}}')
    person, _ = await accounts.create_person(PersonDraft("other", {"zh": "员", "en": "O"}, "town", ("looker",)))
    token = (await accounts.create_token(person.id, "test", ["*"]))[1]
    made = (await admin.post(f"{BASE}/uploads", params={"file": "a.csv.gz"}, content=gzip.compress(b"a,b\n1,2\n"))).json()[
        "preview"
    ]
    assert (await admin.get(f"{BASE}/previews/{made}")).json()["columns"][0] == {"name": "a", "type": "integer"}
    foreign = await admin.get(f"{BASE}/previews/{made}", headers={"Authorization": f"Bearer {token}"})
    assert foreign.status_code == 404
    for wrong in ("..", "x" * 26, "%2e%2e%2fabout"):
        assert (await admin.get(f"{BASE}/previews/{wrong}")).status_code == 404


async def test_observations_of_a_sensorthings_service_are_brought_page_by_page(
    town: Platform, serve: Callable[[Answer], Server]
) -> None:
    values = [
        {"@iot.id": i, "result": i * 1.5, "phenomenonTime": f"2024-01-01T0{i}:00:00Z", "Sensor": {"name": f"s{i}"}}
        for i in range(5)
    ]

    def answer(path: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        assert path == "/v1.1/Datastreams(1)/Observations"
        skip, top = int(query.get("$skip", 0)), int(query["$top"])
        body: dict[str, Any] = {"value": values[skip : skip + top]}
        if skip + top < len(values):
            body["@iot.nextLink"] = f"{server.url}{path}?$top={top}&$skip={skip + top}"
        return 200, {}, json.dumps(body).encode()

    server = serve(answer)
    source = {"kind": "sensorthings", "url": f"{server.url}/v1.1", "entities": "Datastreams(1)/Observations", "page": 2}
    fields = {"@iot.id": "编号", "Sensor.name": "name", "phenomenonTime": "changed"}
    await connect(town, "shops-sta", source=source, fields=fields, mode="upsert", watermark="phenomenonTime")
    done = await run(town, "shops-sta")
    assert (done.state, done.read, done.batches) == ("done", 5, 3), done.error
    assert server.asked[0][1]["$orderby"] == "phenomenonTime asc"
    assert (await held(town, '"编号", name, CAST(changed AS VARCHAR)'))[4] == (4, "s4", "2024-01-01 04:00:00")
    await run(town, "shops-sta")
    assert server.asked[3][1]["$filter"] == "phenomenonTime ge 2024-01-01T04:00:00Z"


async def test_objects_of_the_own_store_and_of_s3_are_brought_when_they_are_new(
    town: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = town.get(Objects)  # type: ignore[type-abstract]
    objects.put("in/a.csv", "编号,name\n1,a\n".encode())
    objects.put("in/a.txt", b"nothing")
    await connect(town, "shops-own", source={"kind": "objects", "prefix": "in/", "pattern": "*.csv"}, mode="upsert")
    assert (await run(town, "shops-own")).read == 1
    assert (await run(town, "shops-own")).read == 0
    pytest.importorskip("moto")
    pytest.importorskip("obstore")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
        )
        client.create_bucket(Bucket="city")
        client.put_object(Bucket="city", Key="drop/2024/b.csv", Body="编号,name\n2,b\n".encode("gb18030"))
        monkeypatch.setenv("MUMIAN_SECRET_BUCKET", "k:s")
        source = {
            "kind": "objects",
            "bucket": "city",
            "prefix": "drop/",
            "pattern": "*.csv",
            "endpoint": endpoint,
            "secret": "BUCKET",
        }
        await connect(town, "shops-s3", source=source, mode="upsert")
        done = await run(town, "shops-s3")
        assert (done.state, done.read) == ("done", 1), done.error
        client.put_object(Bucket="city", Key="drop/2024/b.csv", Body="编号,name\n2,B\n3,c\n".encode())
        assert (await run(town, "shops-s3")).read == 2
        assert await held(town) == [(1, "a"), (2, "B"), (3, "c")]
    finally:
        client.close()
        server.stop()
