"""How soon the city answers: `mumian --help`, and `mumian up` on a set-up home until its first answered request."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0


def run(data: Path | None) -> list[dict[str, Any]]:
    """Seconds of wall time; the home is warm: its records exist, as at any start but the first."""
    with tempfile.TemporaryDirectory() as home:
        first = up(Path(home))
        return [
            {"name": "start-help", "value": help_(), "unit": "s", "size": "mumian --help"},
            {"name": "start-up", "value": up(Path(home)), "unit": "s", "size": "mumian up to GET /healthz, existing home"},
            {"name": "start-up-first", "value": first, "unit": "s", "size": "mumian up to GET /healthz, empty home"},
        ]


def mumian() -> str:
    """The command beside this interpreter."""
    return str(Path(sys.executable).parent / "mumian")


def help_() -> float:
    """How long the help text takes."""
    began = time.perf_counter()
    subprocess.run([mumian(), "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def up(home: Path) -> float:
    """How long until a started city answers; it is stopped afterwards."""
    port = free_port()
    began = time.perf_counter()
    command = [mumian(), "up", "--port", str(port)]
    environment = {**os.environ, "MUMIAN_HOME": str(home)}
    city = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for_answer(city, port, began)
        return time.perf_counter() - began
    finally:
        city.terminate()
        city.communicate(timeout=PATIENCE_SECONDS)


def wait_for_answer(city: "subprocess.Popen[bytes]", port: int, began: float) -> None:
    """Ask until there is an answer; raises RuntimeError if the city ends or stays silent."""
    while time.perf_counter() - began < PATIENCE_SECONDS:
        if city.poll() is not None:
            raise RuntimeError(f"mumian up ended with {city.returncode}: {city.communicate()[1].decode()[-2000:]}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise RuntimeError("mumian up did not answer")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
