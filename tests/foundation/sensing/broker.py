"""A city that speaks MQTT and a client of it that can be awaited, for the tests of MQTT."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import paho.mqtt.client as paho
import pytest

from mumian.app.platform import create_platform
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.mqtt.endpoint import Mqtt
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.sensing.conftest import build, token_for

WAIT = 15.0


class Client:
    """A paho client whose answers can be awaited."""

    def __init__(self, port: int, token: str | None, name: str = "", protocol: int = 4, **options: Any) -> None:
        transport = options.pop("transport", "tcp")
        clean = {} if protocol == 5 else {"clean_session": options.pop("clean_session", True)}
        self.paho = paho.Client(paho.CallbackAPIVersion.VERSION2, name, protocol=protocol, transport=transport, **clean)
        self.port, self.protocol, self.options = port, protocol, options
        if token is not None:
            self.paho.username_pw_set("device", token)
        self.messages: list[tuple[str, Any]] = []
        self.retained: list[bool] = []
        self.connected: list[Any] = []
        self.ended: list[Any] = []
        self.published: dict[int, Any] = {}
        self.granted: dict[int, list[Any]] = {}
        self.present: list[bool] = []
        self.paho.on_message = self._message
        self.paho.on_connect = lambda c, u, flags, code, p: (
            self.present.append(flags.session_present),
            self.connected.append(code),
        )
        self.paho.on_disconnect = lambda c, u, flags, code, p: self.ended.append(code)
        self.paho.on_publish = lambda c, u, number, code, p: self.published.update({number: code})
        self.paho.on_subscribe = lambda c, u, number, codes, p: self.granted.update({number: codes})

    def _message(self, _: Any, __: Any, message: Any) -> None:
        self.retained.append(message.retain)
        try:
            self.messages.append((message.topic, json.loads(message.payload)))
        except ValueError:
            self.messages.append((message.topic, message.payload))

    async def open(self, success: bool = True) -> "Client":
        """Connect."""
        await asyncio.to_thread(self.paho.connect, "127.0.0.1", self.port, 60, **self.options)
        self.paho.loop_start()
        await until(lambda: self.connected)
        assert self.connected[-1].is_failure is not success
        return self

    async def subscribe(self, *topics: str, qos: int = 1) -> list[Any]:
        """Subscribe; returns the reason codes."""
        _, number = self.paho.subscribe([(topic, qos) for topic in topics])
        await until(lambda: number in self.granted)
        return self.granted[number]

    async def publish(self, topic: str, payload: Any, qos: int = 1, **options: Any) -> Any:
        """Publish and wait for the acknowledgement; returns its reason code."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        number = self.paho.publish(topic, body, qos, **options).mid
        await until(lambda: number in self.published)
        return self.published[number]

    async def close(self) -> None:
        """Leave in peace."""
        self.paho.disconnect()
        await asyncio.to_thread(self.paho.loop_stop)

    async def vanish(self) -> None:
        """Leave without a word."""
        self.paho._sock.shutdown(socket.SHUT_RDWR)
        await until(lambda: self.ended)
        await asyncio.to_thread(self.paho.loop_stop)


async def until(true: Any) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < end, "it never happened"
        await asyncio.sleep(0.01)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class City:
    """A platform that speaks MQTT, and clients of it."""

    def __init__(self, platform: Platform, port: int, token: str) -> None:
        self.platform, self.port, self.token = platform, port, token
        self.sensing = platform.get(Sensing)
        self.clients: list[Client] = []

    async def client(self, token: str | None = "", success: bool = True, **options: Any) -> Client:
        """A connected client, by default a device that may do all of sensing."""
        made = Client(self.port, self.token if token == "" else token, **options)
        self.clients.append(made)
        return await made.open(success)

    async def leave(self) -> None:
        """Close all clients, then the city."""
        for client in self.clients:
            await client.close()
        await self.platform.stop()


async def city_on(settings: Settings, clock: ManualClock, port: int) -> City:
    """A started city whose clients connect to `port`."""
    made = await asyncio.to_thread(build, settings, clock)
    token = await asyncio.to_thread(token_for, made, "sensing:*")
    await made.start()
    bridge = made.get(Mqtt).bridge
    if bridge is not None:
        await bridge.connected(WAIT)
        await asyncio.sleep(0.2)  # its own subscriptions
    return City(made, port, token)


@asynccontextmanager
async def embedded_city(settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    """A city on the embedded broker."""
    port = free_port()
    monkeypatch.setenv("MUMIAN_MQTT", f"127.0.0.1:{port}")
    made = await city_on(settings, clock, port)
    try:
        yield made
    finally:
        await made.leave()


def observation(second: int, result: Any, **more: Any) -> dict[str, Any]:
    """An observation of the first minute of 2014."""
    return {"phenomenonTime": f"2014-01-01T00:00:{second:02d}Z", "result": result, **more}


async def city_on_same_home(settings: Settings, clock: ManualClock, city: City) -> City:
    """The city of the same folder, started again."""
    platform = await asyncio.to_thread(create_platform, settings, clock)
    await platform.start()
    return City(platform, city.port, city.token)


def entry(stream: int, results: list[float]) -> dict[str, Any]:
    """An entry of CreateObservations."""
    rows = [[f"2014-01-01T00:00:{second:02d}Z", result] for second, result in enumerate(results)]
    return {"Datastream": {"@iot.id": stream}, "components": ["phenomenonTime", "result"], "dataArray": rows}
