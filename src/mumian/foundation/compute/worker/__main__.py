"""Runs one job in the folder that it is told: `python -I -m mumian.foundation.compute.worker FOLDER LOCK`.

The folder holds `order.json`; the job works in `work/` and leaves results in `work/out/`. LOCK is an open and locked file that
this process and the job share: as long as any of them lives, it stays locked. `result.json` is written last, in one step.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from mumian.foundation.compute.worker.confining import abi, be_reaper, confine, limit

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")
_GRACE_SECONDS = 2.0


def main(folder: Path, lock: int) -> None:
    """Start the job, wait for it at most as long as it may last, end whatever it left running, and write the result."""
    order = json.loads((folder / "order.json").read_bytes())
    be_reaper()
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    started = time.monotonic()
    result: dict[str, Any] = {"sandbox": f"landlock-{abi()}" if abi() else "none", "status": None, "reason": ""}
    if order["sandbox"] == "require" and not abi():
        result["reason"] = "sandbox"
    else:
        process = _start(folder, order, lock)
        result["reason"] = _wait(process, started + order["seconds"], stopped)
        result["status"] = process.returncode
        _end_all()
    used = os.times()
    result |= {"seconds": time.monotonic() - started, "cpu_seconds": used.children_user + used.children_system}
    partial = folder / "result.partial"
    with partial.open("wb") as file:
        file.write(json.dumps(result).encode())
        file.flush()
        os.fsync(file.fileno())
    partial.rename(folder / "result.json")


def _start(folder: Path, order: dict[str, Any], lock: int) -> "subprocess.Popen[bytes]":
    own = folder / "work"
    readable = [*_SYSTEM, *order["readable"]]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(own), "TMPDIR": str(own), "LANG": "C.UTF-8", "TZ": "UTC"}

    def bounded() -> None:
        limit(order["cpu_seconds"], order["memory_bytes"], order["file_bytes"])
        confine(readable, str(own))

    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        return subprocess.Popen(
            order["command"],
            cwd=own,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            pass_fds=(lock,),
            preexec_fn=bounded,  # noqa: PLW1509 - this process has one thread
        )


def _wait(process: "subprocess.Popen[bytes]", until: float, stopped: list[int]) -> str:
    """Why it was ended (time, cancelled), or nothing where it ended by itself."""
    while process.poll() is None:
        if stopped or time.monotonic() > until:
            _stop(process)
            return "cancelled" if stopped else "time"
        time.sleep(0.05)
    return ""


def _stop(process: "subprocess.Popen[bytes]") -> None:
    for number, pause in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(pause)
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _end_all() -> None:
    """End processes that the job left behind: this one is their parent now."""
    known = Path(f"/proc/self/task/{os.getpid()}/children")
    for _ in range(1000):
        children = known.read_text().split() if known.exists() else []
        if not children:
            return
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        for child in children:
            os.waitpid(int(child), 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
