"""Durable acknowledged observations per second over MQTT (QoS 1), 8 and 100 connections, beside Mosquitto's publishes."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STREAMS, WINDOW = 80, 100
ROWS = 100
MESSAGES = 200_000
ARRAYS = 8_000
_ROOT = Path(__file__).resolve().parent.parent
_MODULE = "bench.sta_ingest_mqtt"


def run(data: Path | None) -> list[dict[str, Any]]:
    """Load an empty city with single observations and with arrays, and Mosquitto with the same single observations."""
    figures = []
    for connections in (8, 100):
        city = _city(connections, MESSAGES, 1)
        peer = _mosquitto(connections, MESSAGES)
        figures.append(_figure(f"sta-ingest-mqtt-{connections}", city, connections, MESSAGES, 1) | peer)
    arrays = _city(8, ARRAYS, ROWS)
    return [*figures, _figure("sta-ingest-mqtt-arrays", arrays, 8, ARRAYS, ROWS)]


def _figure(name: str, load: dict[str, Any], connections: int, messages: int, rows: int) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(load["acknowledged"] * rows / load["seconds"]),
        "unit": "observations/s",
        "size": f"{messages} publishes of {rows} observations at QoS 1, {connections} connections, {WINDOW} in flight each",
        "p50_ms": load["p50_ms"],
        "p99_ms": load["p99_ms"],
    }


def _city(connections: int, messages: int, rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        port = _free_port()
        server = _child("serve", folder, str(port))
        try:
            assert server.stdout is not None
            token = json.loads(server.stdout.readline())
            figures = _loaded(port, token, connections, messages, rows)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        kept = _kept(Path(folder))
        if kept != figures["acknowledged"] * rows:
            raise RuntimeError(f"{figures['acknowledged'] * rows} observations were acknowledged, {kept} are there")
    return figures


def _mosquitto(connections: int, messages: int) -> dict[str, Any]:
    """The peer: Mosquitto with persistence on; it acknowledges before anything is on the disk."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if path is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="mumian-bench-") as folder:
        port = _free_port()
        settings = f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\n"
        settings += "max_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n"
        Path(folder, "conf").write_text(settings, "utf-8")
        Path(folder).chmod(0o777)  # it gives up root
        server = subprocess.Popen([path, "-c", f"{folder}/conf"], stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            figures = _loaded(port, "-", connections, messages, 1)
        finally:
            server.terminate()
            server.wait(30)
    value = round(figures["acknowledged"] / figures["seconds"])
    return {"peer": "Mosquitto, publishes/s not yet durable", "peer_value": value}


def _loaded(port: int, token: str, connections: int, messages: int, rows: int) -> dict[str, Any]:
    load = _child("load", str(port), token, str(connections), str(messages), str(rows))
    figures: dict[str, Any] = json.loads(load.communicate(timeout=300)[0])
    return figures


def _child(*arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
    return subprocess.Popen(
        [sys.executable, "-m", _MODULE, *arguments], stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the broker does not listen")


def _kept(home: Path) -> int:
    from mumian.foundation.storage.lake.opening import open_lake

    lake = open_lake("local", home)
    count, different = lake.rows("SELECT count(*), count(DISTINCT id) FROM observation")[0]
    lake.close()
    return int(count) if count == different else -1


class _Client(asyncio.Protocol):
    """Publishes its messages with a window of unacknowledged ones, and notes how long each acknowledgement took."""

    def __init__(self, name: str, token: str, messages: list[bytes], done: "asyncio.Future[None]") -> None:
        self._messages = messages
        self._done = done
        self._sent: list[float] = []
        self._answered = 0
        self._open = False
        self._rest = b""
        credentials = (b"device", token.encode()) if token != "-" else ()
        flags = 2 | (0xC0 if credentials else 0)
        body = b"\x00\x04MQTT\x04" + bytes((flags,)) + b"\x00\x00"
        body += b"".join(len(part).to_bytes(2) + part for part in (name.encode(), *credentials))
        self._connect = b"\x10" + _varint(len(body)) + body
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce the client."""
        self._transport: Any = transport
        transport.write(self._connect)  # type: ignore[attr-defined]

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that ends early is an error."""
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the broker closed the connection"))

    def start(self) -> None:
        """Begin to publish."""
        self._send(min(WINDOW, len(self._messages)))

    def _send(self, count: int) -> None:
        first = len(self._sent)
        chosen = self._messages[first : first + count]
        if chosen:
            self._sent += [time.perf_counter()] * len(chosen)
            self._transport.write(b"".join(chosen))

    def data_received(self, data: bytes) -> None:
        """Count acknowledgements: all packets here are four bytes."""
        data = self._rest + data
        whole = len(data) // 4
        self._rest = data[4 * whole :]
        if not self._open:
            if data[:4] != b"\x20\x02\x00\x00":
                raise RuntimeError(f"refused: {data[:4]!r}")
            self._open, whole = True, whole - 1
            self._done.set_result(None)
            return
        now = time.perf_counter()
        for number in range(self._answered, self._answered + whole):
            self.latencies.append(now - self._sent[number])
        self._answered += whole
        if self._answered == len(self._messages):
            self._done.set_result(None)
        else:
            self._send(whole)

    def again(self, done: "asyncio.Future[None]") -> None:
        """What to fulfil when all is acknowledged."""
        self._done = done


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _messages(connection: int, connections: int, count: int, rows: int) -> list[bytes]:
    """The publishes of one connection, each with observations that no other has."""
    found = []
    for number in range(count):
        serial = (number * connections + connection) * rows
        stream = serial // rows % STREAMS + 1
        texts = [
            f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(1_704_067_200 + at // 1000))}.{at % 1000:03d}Z"
            for at in range(serial, serial + rows)
        ]
        if rows == 1:
            topic = f"v1.1/Datastreams({stream})/Observations"
            body = f'{{"phenomenonTime":"{texts[0]}","result":{serial % 500 / 10}}}'
        else:
            topic = "v1.1/CreateObservations"
            listed = ",".join(f'["{text}",{place % 500 / 10}]' for place, text in enumerate(texts))
            body = f'[{{"Datastream":{{"@iot.id":{stream}}},"components":["phenomenonTime","result"],"dataArray":[{listed}]}}]'
        packet = len(topic).to_bytes(2) + topic.encode() + (number % 65535 + 1).to_bytes(2) + body.encode()
        found.append(b"\x32" + _varint(len(packet)) + packet)
    return found


async def _load(port: int, token: str, connections: int, messages: int, rows: int) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    each = messages // connections
    clients = []
    for number in range(connections):
        done = loop.create_future()
        publishes = _messages(number, connections, each, rows)
        make = lambda number=number, publishes=publishes, done=done: _Client(f"b{number}", token, publishes, done)  # noqa: E731
        _, client = await loop.create_connection(make, "127.0.0.1", port)
        await done
        clients.append(client)
    ends = [loop.create_future() for _ in clients]
    started = time.perf_counter()
    for client, end in zip(clients, ends, strict=True):
        client.again(end)
        client.start()
    await asyncio.gather(*ends)
    seconds = time.perf_counter() - started
    latencies = sorted(latency for client in clients for latency in client.latencies)
    return {
        "acknowledged": len(latencies),
        "seconds": seconds,
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
    }


async def _serve(home: Path, port: int) -> None:
    from mumian.app.platform import create_platform
    from mumian.app.server import serving, until_told_to_stop
    from mumian.foundation.identity.api import Identity, PersonDraft
    from mumian.kernel.declarations.documents import Document
    from mumian.kernel.settings import Settings

    os.environ["MUMIAN_MQTT"] = f"127.0.0.1:{port}"
    spec = {"thing": "bench", "observed_property": "pm25", "unit": "ug/m3"}
    streams = [Document("Stream", f"bench-{n}", {"zh": f"测试 {n}", "en": f"Bench {n}"}, spec) for n in range(STREAMS)]

    def build() -> tuple[Any, str]:
        platform = create_platform(Settings(home=home))
        platform.declarations.apply_now(streams, "bench")
        accounts = platform.get(Identity).accounts
        person, _ = accounts.create_person_now(PersonDraft("gateway", {"zh": "网关", "en": "Gateway"}, None, ("device",)))
        return platform, accounts.create_token_now(person.id, "bench", ["sensing:*"])[1]

    platform, token = await asyncio.to_thread(build)
    async with serving(platform, "127.0.0.1", 0):
        print(json.dumps(token), flush=True)
        await until_told_to_stop()


def _main(arguments: list[str]) -> None:
    import uvloop

    if arguments[0] == "serve":
        uvloop.run(_serve(Path(arguments[1]), int(arguments[2])))
    else:
        port, token, connections, messages, rows = arguments[1:]
        print(json.dumps(uvloop.run(_load(int(port), token, int(connections), int(messages), int(rows)))))


if __name__ == "__main__":
    _main(sys.argv[1:])
