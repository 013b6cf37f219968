"""SensorThings over MQTT, spoken by a client that nobody here wrote (paho-mqtt), on the embedded broker and on Mosquitto."""

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mumian.foundation.identity.api import Caller
from mumian.foundation.sensing.sta.paths import parse_path
from mumian.foundation.sensing.sta.writing import requests
from mumian.kernel.clock import ManualClock
from mumian.kernel.errors import Forbidden
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import SYSTEM
from tests.foundation.sensing.broker import (
    WAIT,
    City,
    Client,
    city_on,
    city_on_same_home,
    embedded_city,
    entry,
    free_port,
    observation,
    until,
)
from tests.foundation.sensing.conftest import token_for


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[int]:
    """The port of a Mosquitto of its own."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip("Mosquitto is not installed")
    port = free_port()
    (tmp_path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", "utf-8")
    with subprocess.Popen([program, "-c", str(tmp_path / "mosquitto.conf")], stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + WAIT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < end
        yield port
        process.terminate()


@pytest_asyncio.fixture(params=["embedded", "mosquitto"])
async def city(
    request: pytest.FixtureRequest, settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[City]:
    """A city on each engine."""
    other = request.param == "mosquitto"
    port = request.getfixturevalue("mosquitto") if other else free_port()
    monkeypatch.setenv("MUMIAN_MQTT", f"mqtt://127.0.0.1:{port}" if other else f"127.0.0.1:{port}")
    made = await city_on(settings, clock, port)
    yield made
    await made.leave()


@pytest_asyncio.fixture
async def embedded(settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    """A city on the embedded broker."""
    async with embedded_city(settings, clock, monkeypatch) as made:
        yield made


async def counted(city: City, expected: dict[int, int]) -> None:
    """Wait until the streams have so many observations."""
    await until(lambda: city.sensing.counts(expected) == expected)


async def test_an_observation_is_created_by_each_topic_that_the_standard_names(city: City) -> None:
    client = await city.client()
    await client.publish("v1.1/Datastreams(1)/Observations", observation(1, 5))
    await client.publish("v1.1/Observations", observation(2, 6.5, Datastream={"@iot.id": 2}))
    rows = [["2014-01-01T00:00:03Z", 1.0], ["2014-01-01T00:00:04Z", 2.0]]
    entry = {"Datastream": {"@iot.id": 3}, "components": ["phenomenonTime", "result"], "dataArray": rows}
    await client.publish("v1.1/CreateObservations", [entry])
    await counted(city, {1: 1, 2: 1, 3: 2})
    latest = city.sensing.latest([1, 2, 3])
    assert latest.results.tolist() == [5.0, 6.5, 2.0]


async def test_a_subscriber_hears_of_observations_of_one_stream_and_of_all(city: City) -> None:
    client, device = await city.client(), await city.client()
    await client.subscribe("v1.1/Datastreams(1)/Observations", "v1.1/Observations")
    await device.publish("v1.1/CreateObservations", [entry(1, [1.0]), entry(2, [2.0])])
    await until(lambda: len(client.messages) >= 3)
    assert sorted(topic for topic, _ in client.messages) == ["v1.1/Datastreams(1)/Observations"] + ["v1.1/Observations"] * 2
    assert {m["result"] for topic, m in client.messages if topic == "v1.1/Observations"} == {1.0, 2.0}
    assert all(m["@iot.id"] > 0 and "Datastream@iot.navigationLink" in m for _, m in client.messages)


async def test_observations_that_come_by_http_are_told_over_mqtt(city: City) -> None:
    client = await city.client()
    await client.subscribe("v1.1/Datastreams(2)/Observations")
    from mumian.foundation.sensing.sta.ingest import parse_many

    await city.sensing.record(parse_many(json.dumps([entry(2, [7.0])]).encode(), 10).batch)
    await until(lambda: client.messages)
    assert client.messages[0][1]["result"] == 7.0


async def test_wildcards_stand_for_levels(city: City) -> None:
    client, device = await city.client(), await city.client()
    await client.subscribe("v1.1/+/Observations")
    await device.publish("v1.1/CreateObservations", [entry(1, [1.0]), entry(3, [2.0])])
    await until(lambda: len(client.messages) >= 2)
    assert sorted(topic for topic, _ in client.messages) == [f"v1.1/Datastreams({n})/Observations" for n in (1, 3)]


async def test_a_bad_observation_is_refused_alone_and_kept_with_the_reason(city: City) -> None:
    client = await city.client()
    await asyncio.gather(
        client.publish("v1.1/Datastreams(3)/Observations", observation(1, 1e6)),
        client.publish("v1.1/Datastreams(1)/Observations", observation(1, 1)),
        client.publish("v1.1/Datastreams(1)/Observations", b"no JSON"),
        client.publish("v1.1/Datastreams(99)/Observations", observation(1, 1)),
        client.publish("v1.1/Datastreams(1)/Observations", observation(2, 2)),
    )
    await counted(city, {1: 2, 3: 0})

    def refusals() -> list[dict[str, Any]]:
        return city.platform.records.read_now(lambda s: s.rows("SELECT * FROM sensing_refusal ORDER BY id"))

    await until(lambda: len(refusals()) == 3)
    kept = refusals()
    assert sorted(row["topic"] for row in kept) == [f"v1.1/Datastreams({n})/Observations" for n in (1, 3, 99)]
    assert "0…100" in next(row for row in kept if "(3)" in row["topic"])["reason_en"]


async def test_a_publish_that_comes_twice_is_recorded_once(city: City) -> None:
    client = await city.client()
    for _ in range(3):
        await client.publish("v1.1/Datastreams(1)/Observations", observation(1, 5))
    await client.publish("v1.1/Datastreams(1)/Observations", observation(2, 6), qos=2)
    await counted(city, {1: 2})


async def test_properties_are_chosen_with_select(embedded: City) -> None:
    client, device = await embedded.client(), await embedded.client()
    await client.subscribe("v1.1/Datastreams(1)/Observations?$select=result,phenomenonTime", "v1.1/Observations?$select=id")
    await device.publish("v1.1/Datastreams(1)/Observations", observation(1, 5))
    await until(lambda: len(client.messages) == 2)
    told = dict(client.messages)
    assert told["v1.1/Observations?$select=id"] == {"@iot.id": 1}
    assert set(told["v1.1/Datastreams(1)/Observations?$select=result,phenomenonTime"]) == {"result", "phenomenonTime"}


@pytest.mark.parametrize("protocol", [4, 5])
async def test_who_may_not_is_refused(embedded: City, protocol: int) -> None:
    nobody = await embedded.client(token=None, protocol=protocol)
    assert not (await nobody.subscribe("v1.1/Observations"))[0].is_failure, "observations are public"
    assert (await nobody.subscribe("devices/other/#"))[0].is_failure
    if protocol == 5:
        assert (await nobody.publish("v1.1/Datastreams(1)/Observations", observation(1, 5))).is_failure
    else:
        nobody.paho.publish("v1.1/Datastreams(1)/Observations", json.dumps(observation(1, 5)), 1)
        await until(lambda: nobody.ended)
    await embedded.client(token="wrong", success=False, protocol=protocol)
    assert embedded.sensing.counts([1]) == {1: 0}


async def test_a_filter_for_what_does_not_exist_is_refused(embedded: City) -> None:
    client = await embedded.client(protocol=5)
    codes = await client.subscribe("v1.1/Nothing", "v1.1/Observations?$expand=Datastream", "$share/group/v1.1/Observations")
    assert all(code.is_failure for code in codes)


async def test_the_newer_protocol_tells_why_a_publish_was_refused(embedded: City) -> None:
    client = await embedded.client(protocol=5)
    assert (await client.publish("v1.1/Datastreams(3)/Observations", observation(1, 1e6))).getName() == "Payload format invalid"
    assert (await client.publish("v1.1/Nowhere", {})).getName() == "Topic name invalid"


async def test_websocket_clients_are_served_at_the_same_port(embedded: City) -> None:
    client = await embedded.client(transport="websockets", protocol=5)
    await client.subscribe("v1.1/Observations")
    await client.publish("v1.1/CreateObservations", [entry(1, [float(n) for n in range(50)])])
    await until(lambda: len(client.messages) == 50)


async def test_a_will_is_published_only_for_who_leaves_without_a_word(embedded: City) -> None:
    token = await asyncio.to_thread(token_for, embedded.platform, "message:*")
    watcher = await embedded.client(token)
    await watcher.subscribe("gateways/#")
    for leave in ("close", "vanish"):
        device = Client(embedded.port, token, f"will-{leave}")
        device.paho.will_set(f"gateways/{leave}", b'"gone"', 1)
        await device.open()
        await getattr(device, leave)()
    await until(lambda: watcher.messages)
    assert watcher.messages == [("gateways/vanish", "gone")]


async def test_a_will_may_be_an_observation(embedded: City) -> None:
    device = Client(embedded.port, embedded.token, "last-words")
    device.paho.will_set("v1.1/Datastreams(1)/Observations", json.dumps(observation(9, None)), 1)
    await device.open()
    await device.vanish()
    await counted(embedded, {1: 1})


async def test_retained_messages_are_there_after_a_restart(settings: Settings, clock: ManualClock, embedded: City) -> None:
    token = await asyncio.to_thread(token_for, embedded.platform, "message:*")
    client = await embedded.client(token)
    await client.publish("gateways/mode", b'"day"', retain=True)
    await client.publish("gateways/gone", b'"x"', retain=True)
    await client.publish("gateways/gone", b"", retain=True)
    await client.close()
    await embedded.platform.stop()
    again = await city_on_same_home(settings, clock, embedded)
    late = await again.client(token)
    await late.subscribe("gateways/+")
    await until(lambda: late.messages)
    assert late.messages == [("gateways/mode", "day")]
    assert late.retained == [True]
    await late.close()
    embedded.platform = again.platform


@pytest.mark.parametrize("protocol", [4, 5])
async def test_a_subscriber_that_comes_back_gets_what_it_missed(embedded: City, protocol: int) -> None:
    options: dict[str, Any] = {"clean_session": False}
    if protocol == 5:
        expiry = Properties(PacketTypes.CONNECT)
        expiry.SessionExpiryInterval = 600
        options = {"clean_start": False, "properties": expiry}
    first = await embedded.client(name="sub", protocol=protocol, **options)
    await first.subscribe("v1.1/Datastreams(1)/Observations")
    await first.vanish()
    device = await embedded.client()
    for second in range(5):
        await device.publish("v1.1/Datastreams(1)/Observations", observation(second, second))
    back = await embedded.client(name="sub", protocol=protocol, **options)
    await until(lambda: len(back.messages) == 5)
    assert back.present == [True]
    assert [m["result"] for _, m in back.messages] == [0, 1, 2, 3, 4]


async def test_a_client_id_serves_one_connection_at_a_time(embedded: City) -> None:
    first = await embedded.client(name="same", protocol=5)
    await embedded.client(name="same", protocol=5)
    await until(lambda: first.ended)


async def test_observations_published_by_the_tools_of_mosquitto_are_recorded(embedded: City) -> None:
    program = shutil.which("mosquitto_pub")
    if program is None:
        pytest.skip("the clients of Mosquitto are not installed")
    command = [program, "-p", str(embedded.port), "-u", "d", "-P", embedded.token, "-q", "1", "-V", "5"]
    command += ["-t", "v1.1/Datastreams(1)/Observations", "-m", json.dumps(observation(1, 5))]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=WAIT, check=False)
    assert done.returncode == 0, done.stderr
    assert embedded.sensing.counts([1]) == {1: 1}


async def test_a_guard_refuses_streams_that_are_not_the_senders(embedded: City) -> None:
    def own(_: Any, streams: Any) -> None:
        if 2 in streams:
            raise Forbidden(action="sensing:write")

    embedded.sensing.guard(own)
    client = await embedded.client(protocol=5)
    answers = [client.publish(f"v1.1/Datastreams({n})/Observations", observation(n, n)) for n in (1, 2, 3)]
    assert [code.is_failure for code in await asyncio.gather(*answers)] == [False, True, False]
    assert embedded.sensing.counts([1, 2, 3]) == {1: 1, 2: 0, 3: 1}


THING = {
    "name": "Lamp",
    "description": "A lamp",
    "properties": {"height": 8},
    "Datastreams": [
        {
            "name": "Light",
            "description": "Light",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "lux", "symbol": "lx", "definition": "http://lux"},
            "Sensor": {"name": "S", "description": "S", "encodingType": "text/html", "metadata": "x"},
            "ObservedProperty": {"name": "light", "definition": "http://light", "description": "Light"},
        }
    ],
}


async def test_entities_are_created_and_told_of(embedded: City) -> None:
    maker = await asyncio.to_thread(token_for, embedded.platform, "sensing:*")
    admin = await embedded.client(token=maker, protocol=5)
    watcher = await embedded.client()
    await watcher.subscribe("v1.1/Things", "v1.1/Datastreams?$select=name")
    assert not (await admin.publish("v1.1/Things", THING)).is_failure
    await until(lambda: len(watcher.messages) >= 2)
    told = dict(watcher.messages)
    assert told["v1.1/Things"]["name"] == "Lamp"
    assert told["v1.1/Datastreams?$select=name"] == {"name": "Light"}
    assert (await admin.publish("v1.1/Things", {"name": 7})).getName() == "Payload format invalid"


async def test_a_property_and_an_entity_are_told_when_they_change(embedded: City) -> None:
    device = await embedded.client(protocol=5)
    await device.publish("v1.1/Things", THING)
    number = embedded.platform.records.read_now(lambda s: s.value("SELECT MAX(id) FROM sensing_thing"))
    watcher = await embedded.client()
    topics = [f"v1.1/Things({number})/properties", f"v1.1/Things({number})", f"v1.1/Things({number})?$select=name"]
    await watcher.subscribe(*topics)
    body = json.dumps({"properties": {"height": 9}}).encode()
    text = f"/sta/v1.1/Things({number})"
    await requests.patch(embedded.sensing, parse_path(f"/Things({number})", text), body, Caller(SYSTEM))
    await until(lambda: len(watcher.messages) == 2)
    told = dict(watcher.messages)
    assert told[topics[0]] == {"properties": {"height": 9}}
    assert told[topics[1]]["properties"] == {"height": 9}
    assert topics[2] not in told, "its name did not change"


async def test_observations_with_a_feature_of_their_own_are_recorded(embedded: City) -> None:
    device = await embedded.client(protocol=5)
    feature = {
        "name": "Pond",
        "description": "Pond",
        "encodingType": "application/geo+json",
        "feature": {"type": "Point", "coordinates": [113.3, 23.1]},
    }
    code = await device.publish("v1.1/Datastreams(1)/Observations", observation(1, 5, FeatureOfInterest=feature))
    assert not code.is_failure
    assert embedded.sensing.counts([1]) == {1: 1}
