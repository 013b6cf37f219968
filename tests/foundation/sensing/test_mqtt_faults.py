"""What the MQTT broker survives: a kill in the middle, bytes that are no MQTT, floods, slow readers and a thousand clients."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from mumian.foundation.sensing.mqtt import packets, wire
from mumian.foundation.sensing.mqtt.packets import Publish
from mumian.kernel.clock import ManualClock
from mumian.kernel.settings import Settings
from tests.faults.served import Served
from tests.foundation.sensing.broker import City, embedded_city, entry, free_port, observation, until


@pytest_asyncio.fixture
async def city(settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    """A city with narrow bounds."""
    monkeypatch.setenv("MUMIAN_MQTT_PACKET_BYTES", "20000")
    monkeypatch.setenv("MUMIAN_MQTT_WAITING_MESSAGES", "50")
    async with embedded_city(settings, clock, monkeypatch) as made:
        yield made


def connect_packet(name: str, token: str = "", keep_alive: int = 0) -> bytes:
    """A CONNECT of MQTT 3.1.1."""
    flags = 2 | (0xC0 if token else 0)
    parts = [name, "device", token] if token else [name]
    return wire.frame(0x10, b"\x00\x04MQTT\x04" + bytes((flags,)) + keep_alive.to_bytes(2) + b"".join(map(wire.text, parts)))


async def raw(city: City, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that has sent some bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", city.port)
    writer.write(data)
    return reader, writer


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00",
        b"\xff\xff\xff\xff\xff",
        b"\x10\x04\x00\x04MQ",
        b"\x30\x05\x00\x01aHi",
        connect_packet("twice") * 2,
        connect_packet("reserved") + b"\xf0\x00",
        connect_packet("wildcard") + packets.publish(Publish("a/#", b""), 4),
        connect_packet("huge") + b"\x32\xff\xff\xff\x7f",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET " + b"x" * 9000,
    ],
)
async def test_bytes_that_are_no_mqtt_end_their_own_connection_alone(city: City, data: bytes) -> None:
    good = await city.client()
    reader, writer = await raw(city, data)
    while await asyncio.wait_for(reader.read(1000), 10):
        pass
    writer.close()
    await good.publish("v1.1/Datastreams(1)/Observations", observation(1, 1))
    assert city.sensing.counts([1]) == {1: 1}


async def test_a_client_that_falls_silent_is_let_go(city: City) -> None:
    reader, writer = await raw(city, connect_packet("silent", keep_alive=1))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_a_subscriber_that_reads_nothing_costs_a_bounded_number_of_messages(city: City) -> None:
    reader, writer = await raw(city, connect_packet("slow"))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    writer.write(wire.frame(0x82, b"\x00\x01" + wire.text("v1.1/Observations") + b"\x01"))
    await reader.readexactly(5)
    device = await city.client()
    for start in range(0, 400, 50):
        rows = [[f"2014-01-01T00:00:{second % 60:02d}.{start:03d}Z", float(second)] for second in range(50)]
        body = entry(1, []) | {"dataArray": rows}
        await device.publish("v1.1/CreateObservations", [body])
    assert city.sensing.counts([1]) == {1: 400}
    mqtt = _server(city)
    (session,) = [s for s in mqtt.broker.sessions._sessions.values() if s.key[1] == "slow"]
    await until(lambda: session.waiting + session.dropped == 400)
    assert session.waiting <= 50 + mqtt.settings.mqtt_in_flight
    writer.close()


async def test_a_thousand_clients_publish_side_by_side(city: City) -> None:
    writers = []
    for number in range(1000):
        reader, writer = await raw(city, connect_packet(f"c{number}", city.token))
        writers.append((reader, writer))
    for reader, _ in writers:
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    for number, (_, writer) in enumerate(writers):
        body = json.dumps({"phenomenonTime": f"2014-01-01T00:{number // 60:02d}:{number % 60:02d}Z", "result": number})
        writer.write(packets.publish(Publish("v1.1/Datastreams(1)/Observations", body.encode(), 1, id=7), 4))
    for reader, writer in writers:
        assert await reader.readexactly(4) == b"\x40\x02\x00\x07"
        writer.close()
    assert city.sensing.counts([1]) == {1: 1000}


async def test_publishes_are_acknowledged_in_the_order_they_came(city: City) -> None:
    reader, writer = await raw(city, connect_packet("ordered", city.token))
    await reader.readexactly(4)
    bodies = [json.dumps(observation(n % 60, n)) if n % 7 else "no JSON" for n in range(1, 301)]
    for number, body in enumerate(bodies, 1):
        writer.write(packets.publish(Publish("v1.1/Datastreams(1)/Observations", body.encode(), 1, id=number), 4))
    answers = await asyncio.wait_for(reader.readexactly(4 * 300), 20)
    assert [int.from_bytes(answers[at + 2 : at + 4]) for at in range(0, 1200, 4)] == list(range(1, 301))
    assert city.sensing.counts([1]) == {1: 300 - 300 // 7}
    writer.close()


async def test_a_full_disk_acknowledges_nothing(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from mumian.kernel.errors import StorageFull

    def full(*_: Any) -> None:
        raise StorageFull

    device = await city.client()
    monkeypatch.setattr(city.sensing.recorder._journal, "append", full)
    device.paho.publish("v1.1/Datastreams(1)/Observations", json.dumps(observation(1, 1)), 1)
    await until(lambda: device.ended)
    assert device.published == {}
    monkeypatch.undo()
    await until(lambda: device.published)
    assert city.sensing.counts([1]) == {1: 1}, "the client sent it again by itself"


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged = 0
    for run in range(3):
        port = free_port()
        served = Served(tmp_path / "home", MUMIAN_MQTT=f"127.0.0.1:{port}")
        try:
            acknowledged += publish_until_killed(served, port, run + 1)
        finally:
            served.kill()
    served = Served(tmp_path / "home", MUMIAN_MQTT="off")
    try:
        host, port = served.address
        answer = httpx.get(f"http://{host}:{port}/sta/v1.1/Observations?$count=true&$top=0", timeout=30)
        assert answer.json()["@iot.count"] >= acknowledged >= 2100
    finally:
        served.kill()


def publish_until_killed(served: Served, port: int, day: int) -> int:
    """Publish 3,000 observations and kill the city after the first 700 acknowledgements; returns how many there were."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(connect_packet("device", served.token))
        assert connection.recv(4) == b"\x20\x02\x00\x00"
        for number in range(1, 3001):
            time = f"2014-01-0{day}T00:{number // 60:02d}:{number % 60:02d}Z"
            body = json.dumps({"phenomenonTime": time, "result": number}).encode()
            connection.sendall(packets.publish(Publish("v1.1/Datastreams(1)/Observations", body, 1, id=number), 4))
        seen = b""
        while len(seen) < 4 * 700:
            seen += connection.recv(4096)
        served.kill()
        with contextlib.suppress(ConnectionResetError):
            while more := connection.recv(65536):
                seen += more
    return len(seen) // 4


def _server(city: City) -> Any:
    from mumian.foundation.sensing.mqtt.endpoint import Mqtt

    return city.platform.get(Mqtt)._server
