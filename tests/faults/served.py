"""A city in a process of its own, which a test may kill: `python -m tests.faults.served HOME` prints address and token."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from mumian.app.platform import create_platform
from mumian.app.server import serving, until_told_to_stop
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.declarations.documents import Document
from mumian.kernel.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
STREAMS = 8
QUICK_FOLDS = {"MUMIAN_SENSING_FOLD_SECONDS": "0.3", "MUMIAN_SENSING_COMPACT_FILES": "6", "MUMIAN_SENSING_TAIL_ROWS": "20000"}


class Served:
    """A running city: its `address` (host, port) and a device's `token`."""

    def __init__(self, home: Path, **environment: str) -> None:
        settings = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **QUICK_FOLDS, **environment}
        command = [sys.executable, "-m", "tests.faults.served", str(home)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settings, cwd=ROOT)
        assert self._process.stdout is not None
        address, self.token = json.loads(self._process.stdout.readline())
        host, port = address.removeprefix("http://").split(":")
        self.address = (host, int(port))

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end in order."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()


async def _serve(home: Path) -> None:
    def build() -> tuple[Any, str]:
        platform = create_platform(Settings(home=home, synchronous="normal"))
        spec = {"thing": "station", "observed_property": "pm25", "unit": "ug/m3"}
        streams = [Document("Stream", f"s{n}", {"zh": f"流 {n}", "en": f"Stream {n}"}, spec) for n in range(STREAMS)]
        platform.declarations.apply_now(streams, "test")
        accounts = platform.get(Identity).accounts
        kept = home / "token"
        if not kept.exists():
            person, _ = accounts.create_person_now(PersonDraft("device", {"zh": "设备", "en": "Device"}, None, ("device",)))
            kept.write_text(accounts.create_token_now(person.id, "test", ["sensing:*"])[1], "utf-8")
        return platform, kept.read_text("utf-8")

    platform, token = await asyncio.to_thread(build)
    async with serving(platform, "127.0.0.1", 0) as address:
        print(json.dumps([address, token]), flush=True)
        await until_told_to_stop()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
