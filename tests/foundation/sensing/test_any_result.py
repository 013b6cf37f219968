"""Any result: whatever JSON is observed comes back the same, from memory, from the lake, and after the process was killed."""

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.sensing.journal.format import Record, decode, encode
from mumian.foundation.sensing.sta import ingest, rendering
from mumian.foundation.sensing.sta.observed import columns_of
from tests.faults.served import Served
from tests.foundation.sensing.writing import STREAM, TYPE

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NUMBERS = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
MORE = st.fixed_dictionaries(
    {"result": JSON},
    optional={
        "parameters": st.dictionaries(TEXTS, JSON, min_size=1, max_size=3),
        "resultQuality": TEXTS.filter(bool),
        "validTime": st.just("2013-12-31T20:00:00.000Z/2013-12-31T21:00:00.000Z"),
        "phenomenonTime": st.sampled_from(
            ["2013-12-31T20:00:00.000Z", "2013-12-31T20:00:00.000001Z/2013-12-31T21:00:00.000Z"],
        ),
        "resultTime": st.just("2013-12-31T20:00:00.000Z"),
    },
)


def shown(parsed: ingest.Parsed) -> list[dict[str, Any]]:
    """The observations as they are answered, after a way through the bytes of the journal."""
    content = b"".join(bytes(part) for part in encode(Record(1, 1, 0, parsed.batch)))
    found = decode(memoryview(content), 0)
    assert found is not None
    return [rendering.observation(row, "http://x") for row in columns_of(found[0].rows)]


@given(MORE)
def test_an_observation_comes_back_as_it_was_sent(body: dict[str, Any]) -> None:
    answer = shown(ingest.parse_one(msgspec.json.encode(body), 1, 0))[0]
    assert {name: answer[name] for name in body} == body


@given(st.lists(st.tuples(JSON, TEXTS.filter(bool)), min_size=1, max_size=5))
def test_rows_of_a_data_array_come_back_as_they_were_sent(rows: list[tuple[Any, str]]) -> None:
    times = [f"2013-12-31T20:00:{place:02}.000Z/2013-12-31T21:00:00.000Z" for place in range(len(rows))]
    entry = {
        "Datastream": {"@iot.id": 1},
        "components": ["result", "phenomenonTime", "parameters"],
        "dataArray": [[result, time, {"note": note}] for (result, note), time in zip(rows, times, strict=True)],
    }
    answers = shown(ingest.parse_many(msgspec.json.encode([entry]), 1000))
    assert [(one["result"], one["phenomenonTime"], one["parameters"]["note"]) for one in answers] == [
        (result, time, note) for (result, note), time in zip(rows, times, strict=True)
    ]


RESULTS = [5, 2.5, None, True, "", "雨 ☂ \u0000", [1, [2, {}]], {"a": {"b": [None]}}, 2**70, -0.0, [], {}, "1.5", 1e300]


def test_results_of_every_kind_outlive_a_kill(tmp_path: Path) -> None:
    stream = 0
    for round_ in range(3):
        city = Served(tmp_path)
        host, port = city.address
        headers = {"Authorization": f"Bearer {city.token}"}
        with httpx.Client(base_url=f"http://{host}:{port}/sta/v1.1", headers=headers, timeout=60) as http:
            if round_ == 0:
                body = {**STREAM, "observationType": TYPE + "Observation", "Thing": {"@iot.id": 1}}
                stream = http.post("/Datastreams", json=body).json()["@iot.id"]
                for hour, result in enumerate(RESULTS):
                    time = f"2013-12-31T{hour:02}:00:00Z"
                    made = http.post(f"/Datastreams({stream})/Observations", json={"result": result, "phenomenonTime": time})
                    assert made.status_code == 201, made.text
            page = http.get(f"/Datastreams({stream})/Observations", params={"$orderby": "phenomenonTime"}).json()
        found = [one["result"] for one in page["value"]]
        assert found == RESULTS
        assert [type(one) for one in found[3:6]] == [bool, str, str]
        if round_ < 2:
            city.kill()
        else:
            city.stop()
    assert json.dumps(found[8]) == str(2**70)
