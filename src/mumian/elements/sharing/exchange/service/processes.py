"""Processes of exchange jobs: each job in a folder and, while it runs, in a process of its own that outlives the server."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from mumian.elements.sharing.exchange.checkpoints import put
from mumian.elements.sharing.exchange.contracts import Job, Order, Outcome

_WORKER = (sys.executable, "-I", "-m", "mumian.elements.sharing.exchange.worker")


class Processes:
    """The folders of jobs below one; blocks: not on the event loop."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._known: dict[str, subprocess.Popen[bytes]] = {}

    def folder(self, id_: str) -> Path:
        """Where a job works."""
        return self._home / id_

    def begin(self, job: Job, order: Order) -> None:
        """Start a process that does the job, or goes on with it; keys reach it through a pipe and are never on disk."""
        folder = self.folder(job.id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / "job.json").exists():
            put(folder / "job.json", job.canonical())
        with (folder / "errors").open("ab") as errors:
            process = subprocess.Popen(
                [*_WORKER, str(folder)],
                stdin=subprocess.PIPE,
                stdout=errors,
                stderr=errors,
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"},
                start_new_session=True,
            )
        self._known[job.id] = process
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(msgspec.json.encode(order))
            process.stdin.close()

    def pid(self, id_: str) -> int | None:
        """The number of the process that this server started for a job and that still lives."""
        known = self._known.get(id_)
        return known.pid if known is not None and known.poll() is None else None

    def alive(self, id_: str) -> bool:
        """Whether a process is at a job: one that this server started, or one that holds the lock."""
        if self.pid(id_) is not None:
            return True
        try:
            lock = os.open(self.folder(id_) / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def cancel(self, id_: str) -> None:
        """Ask a job to end at its next look."""
        self.folder(id_).mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder(id_) / "cancel").touch()

    def outcome(self, id_: str) -> Outcome | None:
        """How a job ended; None as long as it has not."""
        try:
            return msgspec.json.decode((self.folder(id_) / "outcome.json").read_bytes(), type=Outcome)
        except FileNotFoundError:
            return None

    def progress(self, id_: str) -> dict[str, Any]:
        """How far a job is; empty before it began."""
        try:
            told: dict[str, Any] = json.loads((self.folder(id_) / "progress.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return told

    def tidy(self, id_: str, keep: bool) -> None:
        """Remove what a job needed to work; all of its parts, too, unless they are to be kept."""
        folder = self.folder(id_)
        known = self._known.pop(id_, None)
        if known is not None:
            known.wait()
        shutil.rmtree(folder / "staging", ignore_errors=True)
        if not keep:
            for part in (folder / "out").glob("part-*"):
                part.unlink(missing_ok=True)
