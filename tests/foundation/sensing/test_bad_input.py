"""Bad input over SensorThings: a problem that names the field, in the reader's language; never a 500, and nothing is recorded."""

import json
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.sta.ingest import parse_many, parse_one
from mumian.kernel.errors import MumianError

MANY = "/sta/v1.1/CreateObservations"
ONE = "/sta/v1.1/Observations"
TIME = "2013-12-31T23:00:00Z"
GOOD: dict[str, Any] = {"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result"], "dataArray": [[TIME, 1.0]]}


def entry(**changes: Any) -> bytes:
    return json.dumps([{**GOOD, **changes}]).encode()


def rows(*values: list[Any]) -> bytes:
    return entry(dataArray=list(values))


BAD: list[tuple[str, bytes, int, str]] = [
    ("no JSON", b"{", 400, ""),
    ("nothing", b"", 400, ""),
    ("invalid UTF-8", b'[{"Datastream": {"@iot.id": 1}, "components": ["\xff"]}]', 400, ""),
    ("NaN", rows([TIME, 1]).replace(b"1]", b"NaN]"), 400, ""),
    ("Infinity", rows([TIME, 1]).replace(b"1]", b"-Infinity]"), 400, ""),
    ("a number too large for a float", rows([TIME, 1]).replace(b", 1]", b", 1e999]"), 422, "[0].dataArray[0][1]"),
    ("deep nesting", b"[" * 100_000, 400, ""),
    ("deep nesting inside", entry(extra=1).replace(b"1}]", b"[" * 100_000), 400, ""),
    ("no list", json.dumps(GOOD).encode(), 422, ""),
    ("null", b"null", 422, ""),
    ("unknown field", entry(surprise=1), 422, "[0].surprise"),
    ("missing datastream", json.dumps([{k: v for k, v in GOOD.items() if k != "Datastream"}]).encode(), 422, "[0].Datastream"),
    ("id that is text", entry(Datastream={"@iot.id": "1"}), 422, "[0].Datastream.@iot.id"),
    ("id beyond 64 bits", entry(Datastream={"@iot.id": 2**70}), 422, "[0].Datastream.@iot.id"),
    ("unknown stream", entry(Datastream={"@iot.id": 99}), 422, "[0].Datastream.@iot.id"),
    ("negative stream", entry(Datastream={"@iot.id": -1}), 422, "[0].Datastream.@iot.id"),
    ("result that is text", rows([TIME, 1], [TIME, "1.5"]), 422, "[0].dataArray[1][1]"),
    ("result that is true", rows([TIME, True]), 422, "[0].dataArray[0][1]"),
    ("result that is an object", rows([TIME, {"a": 1}]), 422, "[0].dataArray[0][1]"),
    ("time that is a number", rows([1388534400, 1]), 422, "[0].dataArray[0][0]"),
    ("time without an offset", rows([TIME, 1], ["2013-12-31T23:00:00", 1]), 422, "[0].dataArray[1][0]"),
    ("no such day", rows(["2013-02-29T00:00:00Z", 1]), 422, "[0].dataArray[0][0]"),
    ("an interval that ends before it begins", rows([f"{TIME}/2013-01-01T00:00:00Z", 1]), 422, "[0].dataArray[0][0]"),
    ("half an interval", rows([f"{TIME}/", 1]), 422, "[0].dataArray[0][0]"),
    ("year ten thousand", rows(["10000-01-01T00:00:00Z", 1]), 422, "[0].dataArray[0][0]"),
    ("a future beyond the limit", rows([TIME, 1], ["2014-01-01T01:00:01Z", 1]), 422, "[0].dataArray[1][0]"),
    ("a row too short", rows([TIME, 1], [TIME]), 422, "[0].dataArray[1]"),
    ("a row too long", rows([TIME, 1, 2]), 422, "[0].dataArray[0]"),
    ("a row that is no list", rows([TIME, 1], 5), 422, "[0].dataArray[1]"),  # type: ignore[arg-type]
    ("unknown component", entry(components=["phenomenonTime", "colour"]), 422, "[0].components"),
    ("doubled component", entry(components=["result", "result"]), 422, "[0].components"),
    ("no result", entry(components=["phenomenonTime"]), 422, "[0].components"),
    ("very many components", entry(components=["result"] * 10_000), 422, "[0].components"),
    ("a wrong count", entry(**{"dataArray@iot.count": 2}), 422, "[0].dataArray@iot.count"),
    (
        "someone else's feature",
        entry(components=["phenomenonTime", "result", "FeatureOfInterest/id"], dataArray=[[TIME, 1, 2]]),
        422,
        "[0].dataArray[0][2]",
    ),
    ("a field of 10 MB", entry(components=["x" * 10_000_000]), 422, "[0].components"),
    ("a value of 10 MB", rows(["9" * 10_000_000, 1]), 422, "[0].dataArray[0][0]"),
    ("a body over the limit", b" " * (17 * 1024 * 1024), 413, ""),
    ("out of the valid range", entry(Datastream={"@iot.id": 3}, dataArray=[[TIME, 5], [TIME, 101]]), 422, "[0].dataArray[1][1]"),
]


async def test_a_bad_body_is_refused_with_its_field(http: httpx.AsyncClient) -> None:
    for name, body, status, field in BAD:
        answer = await http.post(MANY, content=body)
        problem = answer.json()
        assert answer.status_code == problem["status"] == status, (name, problem)
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["detail"]
        assert len(answer.content) < 10_000, name
        if status == 422:
            assert problem["errors"][0]["field"] == field, (name, problem)
            assert problem["errors"][0]["message"]
    sensing: Sensing = http.platform.get(Sensing)  # type: ignore[attr-defined]
    assert len(sensing.latest()) == 0


SINGLE: list[tuple[str, dict[str, Any], int, str]] = [
    ("no datastream", {"result": 1}, 422, "Datastream"),
    ("no result", {"Datastream": {"@iot.id": 1}}, 422, "result"),
    ("a result of text", {"Datastream": {"@iot.id": 1}, "result": "x"}, 422, "result"),
    ("an unknown stream", {"Datastream": {"@iot.id": 77}, "result": 1}, 422, "Datastream.@iot.id"),
    ("an id beyond 64 bits", {"Datastream": {"@iot.id": 2**64}, "result": 1}, 422, "Datastream.@iot.id"),
    ("an id far below", {"Datastream": {"@iot.id": -(10**30)}, "result": 1}, 422, "Datastream.@iot.id"),
    ("a bad time", {"Datastream": {"@iot.id": 1}, "result": 1, "phenomenonTime": "now"}, 422, "phenomenonTime"),
    ("a bad result time", {"Datastream": {"@iot.id": 1}, "result": 1, "resultTime": "2013"}, 422, "resultTime"),
    ("a future", {"Datastream": {"@iot.id": 1}, "result": 1, "phenomenonTime": "2099-01-01T00:00:00Z"}, 422, "phenomenonTime"),
    ("an unknown field", {"Datastream": {"@iot.id": 1}, "result": 1, "colour": 1}, 422, "colour"),
    (
        "another's feature",
        {"Datastream": {"@iot.id": 1}, "result": 1, "FeatureOfInterest": {"@iot.id": 2}},
        422,
        "FeatureOfInterest.@iot.id",
    ),
]


async def test_a_bad_observation_is_refused_with_its_field(http: httpx.AsyncClient) -> None:
    for name, body, status, field in SINGLE:
        answer = await http.post(ONE, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field), name


async def test_a_problem_speaks_the_readers_language(http: httpx.AsyncClient) -> None:
    chinese = await http.post(MANY, content=rows([TIME, "x"]), headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.1"})
    english = await http.post(MANY, content=rows([TIME, "x"]), headers={"Accept-Language": "en-GB"})
    assert "输入有误" in chinese.json()["detail"]
    assert "not valid" in english.json()["detail"]
    assert (chinese.headers["content-language"], english.headers["content-language"]) == ("zh", "en")
    assert chinese.json()["errors"][0]["field"] == english.json()["errors"][0]["field"]


async def test_many_bad_rows_are_counted_and_the_first_named(http: httpx.AsyncClient) -> None:
    answer = await http.post(MANY, content=rows(*[["2014-01-02T00:00:00Z", i] for i in range(100)]))
    errors = answer.json()["errors"]
    assert errors[0]["field"] == "[0].dataArray[0][0]"
    assert "80" in errors[-1]["message"]


ADDRESSES = [
    ("GET", "/sta/v1.1/Nothing", 404),
    ("GET", "/sta/v1.1/Things(99)", 404),
    ("GET", "/sta/v1.1/Things(1)/Observations", 404),
    ("GET", "/sta/v1.1/Datastreams(1)/colour", 404),
    ("GET", "/sta/v1.1/Datastreams(x)", 404),
    ("GET", "/sta/v1.1/Datastreams(99999999999999999999)", 404),
    ("GET", "/sta/v1.1/CreateObservations", 405),
    ("DELETE", "/sta/v1.1/Things(1)", 409),
    ("DELETE", "/sta/v1.1/Things", 405),
    ("PATCH", "/sta/v1.1/Observations(1)", 404),
    ("PUT", "/sta/v1.1/CreateObservations", 405),
    ("GET", "/sta/v1.1/$batch", 405),
    ("GET", "/sta/v1.1/Things?$top=-1", 422),
    ("GET", "/sta/v1.1/Things?$top=x", 422),
    ("GET", "/sta/v1.1/Things?$skip=99999999999999999999", 422),
    ("GET", "/sta/v1.1/Things?$count=maybe", 422),
    ("GET", "/sta/v1.1/Things?$orderby=colour", 422),
    ("GET", "/sta/v1.1/Things?$orderby=name sideways", 422),
    ("GET", "/sta/v1.1/Things?$select=colour", 422),
    ("GET", "/sta/v1.1/Things?$expand=Colours", 422),
    ("GET", "/sta/v1.1/Things?$colour=1", 422),
    ("GET", "/sta/v1.1/Things?$top=1&$top=2", 422),
    ("GET", "/sta/v1.1/Things?%ff", 400),
    ("GET", "/sta/v1.1/Things?$filter=name eq", 422),
    ("GET", "/sta/v1.1/Things?$filter=name eq 5", 422),
    ("GET", "/sta/v1.1/Things?$filter=name like 'x'", 422),
    ("GET", "/sta/v1.1/Things?$filter=colour eq 'x'", 422),
    ("GET", "/sta/v1.1/Things?$filter=name eq 'x", 422),
    ("GET", "/sta/v1.1/Things?$filter=(name eq 'x'", 422),
    ("GET", "/sta/v1.1/Things?$filter=name eq 'x') or (1 eq 1", 422),
    ("GET", "/sta/v1.1/Things?$filter=" + "(" * 500, 422),
    ("GET", "/sta/v1.1/Things?$filter=" + " or ".join(["id eq 1"] * 1500), 422),
    ("GET", "/sta/v1.1/Observations?$filter=phenomenonTime gt 2014-13-01T00:00:00Z", 422),
]


async def test_a_bad_address_or_option_is_refused(http: httpx.AsyncClient) -> None:
    for method, path, status in ADDRESSES:
        answer = await http.request(method, path)
        assert answer.status_code == answer.json()["status"] == status, (path, answer.text)
        assert answer.json()["detail"]


async def test_a_page_of_nothing_links_to_no_next_one(http: httpx.AsyncClient) -> None:
    answer = await http.get("/sta/v1.1/Datastreams?$top=0&$count=true")
    assert answer.status_code == 200
    assert answer.json()["value"] == []
    assert "@iot.nextLink" not in answer.json()


async def test_an_odd_host_makes_no_broken_answer(http: httpx.AsyncClient) -> None:
    odd = {"Host": 'a"b\\c', "X-Forwarded-Proto": 'x"'}
    answer = await http.post(MANY, content=rows([TIME, 1]), headers=odd)
    assert answer.status_code == 201
    assert answer.json()[0].endswith("/Observations(1)")


async def test_nobody_records_without_a_right_to(http: httpx.AsyncClient) -> None:
    anonymous = await http.post(MANY, content=rows([TIME, 1]), headers={"Authorization": ""})
    wrong = await http.post(MANY, content=rows([TIME, 1]), headers={"Authorization": "Bearer nonsense"})
    assert (anonymous.status_code, wrong.status_code) == (401, 401)
    assert anonymous.json()["key"] == "error.unauthenticated"


async def test_a_bad_idempotency_key_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post(MANY, content=rows([TIME, 1]), headers={"Idempotency-Key": "x" * 201})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    await http.post(MANY, content=rows([TIME, 1]), headers={"Idempotency-Key": "k"})
    other = await http.post(MANY, content=rows([TIME, 2]), headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["key"]) == (422, "error.idempotency")


@pytest.fixture(scope="session")
def json_suite(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    """The JSONTestSuite's files: names that begin with y must be read as JSON, with n must not, with i may."""
    archive = Path(__file__).resolve().parents[4] / "shared" / "data" / "fuzz_corpora" / "JSONTestSuite.tar.xz"
    if not archive.exists():
        pytest.skip("the JSONTestSuite is not here")
    with tarfile.open(archive) as files:
        members = [m for m in files if m.isfile() and "test_parsing/" in m.name and m.name.endswith(".json")]
        return [(Path(m.name).name, files.extractfile(m).read()) for m in members]  # type: ignore[union-attr]


async def test_no_file_of_the_json_suite_is_an_observation_or_breaks_anything(
    http: httpx.AsyncClient, json_suite: list[tuple[str, bytes]]
) -> None:
    assert len(json_suite) > 300
    for name, content in json_suite:
        for path in (MANY, ONE, "/sta/v1.1/Things"):
            answer = await http.post(path, content=content)
            empty_list = name.startswith("y_") and content.strip() in (b"[]", b"[ ]")
            expected = {"y": {422, 201} if empty_list else {422}, "n": {400}, "i": {400, 422}}[name[0]]
            if path.endswith("Things"):
                expected |= {403}
            assert answer.status_code in expected, (name, path, answer.text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["Datastream", "@iot.id", "components", "dataArray", "result", "phenomenonTime", "x"]), inner
            )
        ),
    ).map(lambda v: json.dumps(v).encode())
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for parse in (lambda: parse_many(body, 1000), lambda: parse_one(body, None, 0)):
        try:
            parse()
        except MumianError:
            continue
