"""`kill -9` in the middle of ingest at full speed: everything acknowledged is there, exactly once."""

import json
import random
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import numpy as np

from mumian.foundation.storage.lake.opening import open_lake
from tests.faults.served import STREAMS, Served

KILLS = 20
CLIENTS = 4
ROWS = 200
START = 1_600_000_000


class Client(threading.Thread):
    """A gateway that never gives up: an unanswered request is sent again, with the same key, until it is acknowledged."""

    def __init__(self, number: int) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.batches = 0
        self.acknowledged: list[tuple[int, list[int]]] = []
        self.server: Served | None = None
        self.finish = False
        self.faults: list[str] = []

    def body(self, batch: int) -> bytes:
        streams = [1 + (self.number * 2 + half) % STREAMS for half in (0, 1)]
        entries = []
        for stream in streams:
            moments = range(START + batch * (ROWS // 2), START + (batch + 1) * (ROWS // 2))
            rows = [[time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(m)), float(m % 977)] for m in moments]
            entries.append({"Datastream": {"@iot.id": stream}, "components": ["phenomenonTime", "result"], "dataArray": rows})
        return json.dumps(entries).encode()

    def run(self) -> None:
        while not (self.finish and self.batches == len(self.acknowledged)):
            batch, body = self.batches, self.body(self.batches)
            self.batches += 1
            while not self._send(batch, body):
                time.sleep(0.01)

    def _send(self, batch: int, body: bytes) -> bool:
        server = self.server
        if server is None:
            return False
        headers = {"Authorization": f"Bearer {server.token}", "Idempotency-Key": f"{self.number}-{batch}"}
        connection = HTTPConnection(*server.address, timeout=20)
        try:
            connection.request("POST", "/sta/v1.1/CreateObservations", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        if answer.status != 201:
            self.faults.append(f"{answer.status} {content[:300]!r}")
            return False
        ids = [int(link.rsplit("(", 1)[1].rstrip(")")) for link in json.loads(content)]
        self.acknowledged.append((batch, ids))
        return True


def test_what_was_acknowledged_survives_twenty_kills_exactly_once(tmp_path: Path) -> None:
    clients = [Client(number) for number in range(CLIENTS)]
    chance = random.Random(7)
    for client in clients:
        client.start()
    for _ in range(KILLS):
        server = Served(tmp_path)
        for client in clients:
            client.server = server
        time.sleep(chance.uniform(0.2, 0.9))
        server.kill()
    server = Served(tmp_path)
    for client in clients:
        client.server, client.finish = server, True
    for client in clients:
        client.join(60)
        assert not client.is_alive()
        assert client.faults == []
    server.stop()
    assert sum(len(client.acknowledged) for client in clients) > KILLS
    _compare(tmp_path, clients)


def _compare(home: Path, clients: list[Client]) -> None:
    lake = open_lake("local", home)
    rows = lake.columns("SELECT id, stream, time, result FROM observation ORDER BY id")
    lake.close()
    sent = sum(client.batches for client in clients) * ROWS
    assert len(rows["id"]) == len(np.unique(rows["id"])) == sent
    place = {int(number): position for position, number in enumerate(rows["id"])}
    for client in clients:
        for batch, ids in client.acknowledged:
            wanted = json.loads(client.body(batch))
            flat = [(entry["Datastream"]["@iot.id"], row) for entry in wanted for row in entry["dataArray"]]
            assert len(ids) == ROWS
            for number, (stream, (_, result)) in zip(ids, flat, strict=True):
                position = place[number]
                assert (rows["stream"][position], rows["result"][position]) == (stream, result)
    assert not list((home / "journal").glob("*.journal"))
