"""The API of vitals: values with history, and the observations that made them."""

import httpx
import pytest

from tests.brain.conftest import Observe, hour


async def test_vitals_show_value_level_and_history(client: httpx.AsyncClient, observe: Observe) -> None:
    for at in range(3):
        await observe(at, north=60.0, south=10.0)
    items = {item["name"]: item for item in (await client.get("/api/v1/brain/vitals")).json()["items"]}
    city, north, south = items["dust-index"]["values"]
    assert (city["key"], city["dimension"], north["key"], south["key"]) == ("city", "city", "north", "south")
    assert (north["value"], north["state"], north["time"]) == (140, "ok", hour(2))
    assert north["level"] == {"name": "high", "title": {"zh": "高", "en": "High"}, "colour": "#ff0000", "from": 100.0}
    assert north["label"] == {"zh": "北站", "en": "North"}
    assert north["history"] == [[hour(0), None], [hour(1), 140], [hour(2), 140]]


async def test_provenance_names_exactly_the_observations_behind_a_value(client: httpx.AsyncClient, observe: Observe) -> None:
    for at in range(5):
        await observe(at, north=10.0 * at, south=1.0)
    answer = (await client.get("/api/v1/brain/vitals/dust-index/provenance", params={"key": "north", "time": hour(4)})).json()
    assert [(o["stream"], o["time"], o["result"]) for o in answer["observations"]] == [
        ("north", hour(at), 10.0 * at) for at in (2, 3, 4)
    ]
    assert answer["reading"]["value"] == 60
    assert answer["inputs"][0]["vital"] == "dust-3h"
    assert answer["inputs"][0]["value"] == 30
    city = (await client.get("/api/v1/brain/vitals/dust-3h/provenance")).json()
    assert {o["stream"] for o in city["observations"]} == {"north", "south"}
    assert {i["key"] for i in city["inputs"]} == {"north", "south"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing/provenance", 404),
        ("dust-3h/provenance?key=nowhere", 404),
        ("dust-3h/provenance?time=yesterday", 422),
        ("dust-3h/provenance?time=0001-01-01T00:00:00%2B14:00", 422),
        ("dust-3h/provenance?key=%00", 404),
    ],
)
async def test_what_cannot_be_found_is_a_problem(client: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await client.get(f"/api/v1/brain/vitals/{path}")).status_code == status
