"""Journeys of the web shell in real Chromium, against a demo city that lives as people run it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, Queue

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
ARTEFACTS = ROOT / "artefacts" / "journeys"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
OWN_PASSWORD = "kapok-blossoms-in-March-7"
START_SECONDS, JOURNEY_SECONDS = 60, 900


def _missing() -> str | None:
    if shutil.which("node") is None:
        return "node is not installed"
    if not Path(CHROMIUM).exists():
        return "chromium is not installed"
    if not (WEB / "node_modules" / "playwright-core").is_dir():
        return "web/node_modules is not installed: npm ci --ignore-scripts"
    return None if (WEB / "dist" / "index.html").is_file() else "web/dist is not built: npm run build"


_REASON = _missing()
pytestmark = [pytest.mark.journey, pytest.mark.skipif(_REASON is not None, reason=_REASON or "")]


@dataclass(frozen=True)
class City:
    """A running demo: its address and what signs the administrator in."""

    address: str
    password: str


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _walk(name: str, address: str, password: str = "") -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    command = ["node", str(WEB / "journeys" / "run.mjs"), name, address, "admin", password, OWN_PASSWORD]
    environment = {**os.environ, "CHROMIUM": CHROMIUM, "MUMIAN_ARTEFACTS": str(ARTEFACTS)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=JOURNEY_SECONDS, env=environment, check=False)
    assert done.returncode == 0, done.stderr or done.stdout


def _lines(process: subprocess.Popen[str]) -> "Queue[str]":
    lines: Queue[str] = Queue()

    def listen() -> None:
        for line in process.stdout or ():
            lines.put(line)

    threading.Thread(target=listen, daemon=True).start()
    return lines


def _greeting(process: subprocess.Popen[str]) -> str:
    """What the demo prints until it has told the password."""
    lines, heard = _lines(process), ""
    while "password" not in heard:
        try:
            heard += lines.get(timeout=START_SECONDS)
        except Empty:
            pytest.fail(f"the demo did not start: {heard}")
    return heard


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A demo city that was just started, in polluted days and fast."""
    home = tmp_path_factory.mktemp("journeys") / "home"
    port = str(_free_port())
    code = "from mumian.cli import main; main()"
    command = [sys.executable, "-c", code, "demo", "--port", port, "--from", "2014-01-01", "--speed", "3600"]
    environment = {**os.environ, "MUMIAN_HOME": str(home), "LANG": "en_GB.UTF-8", "LC_ALL": "", "LANGUAGE": "en"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT)
    try:
        greeting = _greeting(process)
        password = re.search(r"one-time password (\S+)", greeting)
        assert password is not None, greeting
        yield City(f"http://127.0.0.1:{port}", password[1])
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def city(demo: City) -> City:
    """The demo city after its administrator signed in for the first time and chose a password."""
    _walk("arrival", demo.address, demo.password)
    return replace(demo, password=OWN_PASSWORD)


def test_a_newcomer_sees_the_city_live(city: City) -> None:
    """Vital signs appear, a warning opens an incident, an indicator moves, the ledger grows and is proved."""
    _walk("newcomer", city.address, city.password)


def test_a_person_takes_an_incident_over_and_closes_it(city: City) -> None:
    """Sign in, act stage by stage; a stale page keeps what was typed."""
    _walk("officer", city.address, city.password)


def test_the_city_can_be_read_by_keyboard_alone(city: City) -> None:
    """Skip link, visible focus, dialogs that keep the focus and give it back."""
    _walk("keyboard", city.address)


def test_no_screen_cuts_or_overlaps_text_and_none_calls_another_host(city: City) -> None:
    """Every screen, zh and en, 1920 × 1080 and 390 × 844, light and dark."""
    _walk("appearance", city.address, city.password)


def test_the_city_stands_in_three_dimensions(city: City) -> None:
    """A city file and pipes come in; buildings are pointed at, turned by keys, read as a table, on a wall and on a phone."""
    _walk("city3d", city.address, city.password)


def test_the_page_survives_an_outage_of_the_server() -> None:
    """It says so, keeps what was typed, connects again and catches up."""
    _walk("outage", str(_free_port()))
