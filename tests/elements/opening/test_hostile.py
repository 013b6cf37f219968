"""Hostile input: nothing that is sent to any parameter reaches what is not open, and no answer is a fault of the server."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.elements.opening.conftest import SHOPS, Town

SECRETS = ("patients", "flu", "51000", "root:", "dataset_", "lake.main", "sqlite")
EVIL = [
    "'; DROP TABLE dataset_1; --",
    '" OR 1=1 --',
    '"; SELECT * FROM patients; --',
    "x') UNION SELECT illness, age FROM patients --",
    "编号 FROM shops.open; COPY (SELECT 1) TO '/tmp/x'; --",
    "/**/UNION/**/SELECT/**/secret",
    "$p0",
    "mumian_k0_i",
    "capacity",
    "secret",
    "_load",
    "(SELECT secret)",
    "getenv('HOME')",
    "read_text('/etc/passwd')",
    "\x00",
    "%",
    "\\",
    '""',
    "",
]
evil = st.one_of(
    st.sampled_from(EVIL),
    st.text(max_size=30),
    st.integers(),
    st.booleans(),
    st.none(),
    st.lists(st.sampled_from(EVIL), max_size=3),
)
bounded = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def call(client: httpx.Client, action: str, data: dict[str, Any]) -> httpx.Response:
    answer = client.post(f"/api/3/action/{action}", json=data)
    assert answer.status_code < 500, (data, answer.text)
    return answer


@bounded
@given(
    st.dictionaries(
        st.sampled_from(["filters", "q", "fields", "sort", "limit", "offset", "distinct", "records_format"]), evil, max_size=4
    )
)
def test_no_parameter_of_datastore_search_lets_more_out(town: Town, asked: dict[str, Any]) -> None:
    with town.client() as client:
        answer = call(client, "datastore_search", {"resource_id": "shops.open", **asked})
        if answer.status_code == 200:
            told = answer.json()["result"]
            assert told["total"] <= SHOPS if "total" in told else True
            text = json.dumps(told["records"])
            assert not any(secret in text for secret in SECRETS)
            assert not {"secret", "capacity"} & {field["id"] for field in told["fields"]}


@bounded
@given(
    st.sampled_from(
        "package_create package_patch resource_create datastore_create datastore_upsert group_create package_show".split()
    ),
    st.dictionaries(
        st.sampled_from("id name title owner_org tags groups resources extras fields records resource_id url".split()),
        st.one_of(evil, st.lists(st.dictionaries(st.sampled_from(["id", "name", "url", "type"]), evil, max_size=2), max_size=2)),
        max_size=6,
    ),
)
def test_nothing_that_is_written_fails_otherwise_than_by_being_refused(town: Town, action: str, asked: dict[str, Any]) -> None:
    with town.client("teacher") as client:
        answer = call(client, action, asked)
        if answer.status_code == 200 and action == "package_create":
            call(client, "package_delete", {"id": answer.json()["result"]["id"]})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x\r\n",
        b"--x\r\n\r\n\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\nshops.open\r\n',
        b'--x\r\nContent-Disposition: form-data; name="upload"; filename="a"\r\n\r\n' + b"\r\n--" * 5000,
        b"--x\r\n" + b"A: b\r\n" * 5000,
        b"\x00" * 100_000,
    ],
)
def test_a_broken_form_is_refused_and_leaves_nothing_behind(town: Town, body: bytes) -> None:
    with town.client("nurse") as client:
        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = client.post("/api/3/action/resource_create", content=body, headers=headers)
        assert answer.status_code in (400, 409), answer.text
    folder = town.platform.home / "uploads"
    assert not folder.exists() or [file.name for file in folder.iterdir() if file.suffix == ".part"] == []


def test_a_file_over_the_limit_is_refused_while_it_comes(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from mumian.elements.opening.api import Opening

    monkeypatch.setattr(town.platform.get(Opening).settings, "upload_bytes", 1_000_000)
    with town.client("nurse") as client:
        client.post("/api/3/action/package_create", json={"name": "too-large", "owner_org": "clinic"}).raise_for_status()
        files = {"upload": ("big.csv", b"x" * 3_000_000)}
        answer = client.post("/api/3/action/resource_create", data={"package_id": "too-large"}, files=files)
        assert (answer.status_code, answer.json()["error"]["__type"]) == (413, "Request Entity Too Large")
        client.post("/api/3/action/package_delete", json={"id": "too-large"})
    folder = town.platform.home / "uploads"
    assert not folder.exists() or list(folder.iterdir()) == []
    with town.client() as client:
        assert client.post("/api/3/action/resource_create", files={"upload": ("a", b"x")}).status_code == 403
