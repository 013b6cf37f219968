"""Running local jobs: each a process of its own that outlives this one, started once, watched by its lock, and collected."""

import fcntl
import json
import os
import shutil
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from mumian.foundation.compute import store
from mumian.foundation.compute.contracts import Job
from mumian.foundation.compute.models import JobTypeSpec
from mumian.foundation.compute.settings import ComputeSettings
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform

_WORKER = (sys.executable, "-I", "-m", "mumian.foundation.compute.worker")
_CALLING = (sys.executable, "-I", "-m", "mumian.foundation.compute.worker.calling")
_LOCK = 100  # the number under which a job's processes know their lock
_STARTING_BYTES = 64 * 1024 * 1024  # what an interpreter needs before the job has anything


class Runner:
    """The processes of this home's jobs; blocks: not on the event loop."""

    def __init__(self, platform: Platform, settings: ComputeSettings) -> None:
        self._platform = platform
        self._settings = settings
        self._home = platform.home / "compute"
        self._known: dict[str, int] = {}
        self._id = ""

    @property
    def id(self) -> str:
        """Who runs jobs here: a name that stays with the home."""
        if not self._id:
            self._home.mkdir(parents=True, exist_ok=True)
            file = self._home / "runner"
            if not file.exists():
                file.write_text(new_id(), "utf-8")
            self._id = file.read_text("utf-8").strip()
        return self._id

    def folder(self, job: Job) -> Path:
        """Where an attempt of a job works."""
        return self._home / f"{job.id}-{job.attempt}"

    def begin(self, job: Job) -> None:
        """Start the process of an attempt that was claimed; whoever holds its lock is that process or one of its children."""
        spec: JobTypeSpec = self._platform.declarations.get("JobType", job.type).spec
        folder = self.folder(job)
        (folder / "work" / "out").mkdir(parents=True)
        (folder / "work" / "parameters.json").write_text(json.dumps(job.parameters, ensure_ascii=False), "utf-8")
        (folder / "order.json").write_text(json.dumps(self._order(job, spec, folder)), "utf-8")
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            actions = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
            process = os.posix_spawn(
                sys.executable,
                [*_WORKER, str(folder), str(_LOCK)],
                {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                file_actions=[*actions, (os.POSIX_SPAWN_DUP2, lock, _LOCK)],
                setsid=True,
            )
            self._known[job.id] = process
            (folder / "pid").write_text(str(process), "utf-8")
        finally:
            os.close(lock)

    def _order(self, job: Job, spec: JobTypeSpec, folder: Path) -> dict[str, Any]:
        import mumian

        seconds = job.ask.hours * 3600
        return {
            "command": self._command(job, spec, folder),
            "seconds": seconds,
            "cpu_seconds": max(int(seconds * job.ask.cores + 0.999), 1),
            "memory_bytes": max(int(job.ask.memory * 1e9), _STARTING_BYTES),
            "file_bytes": self._settings.output_bytes,
            "sandbox": self._settings.sandbox,
            "readable": sorted({sys.prefix, sys.base_prefix, str(Path(mumian.__file__).parent.parent)}),
        }

    def _command(self, job: Job, spec: JobTypeSpec, folder: Path) -> list[str]:
        if spec.entry is not None:
            return [*_CALLING, spec.entry]
        kept = self._platform.records.read_now(lambda session: store.script(session, job.type))
        if kept is None:
            raise FileNotFoundError(spec.script)
        script = folder / "work" / Path(kept["file"]).name
        script.write_text(kept["content"], "utf-8")
        script.chmod(0o500)
        return [sys.executable, "-I", str(script)] if script.suffix == ".py" else [str(script)]

    def alive(self, job: Job) -> bool:
        """Whether a process of the attempt lives: its lock is held."""
        known = self._known.get(job.id)
        if known is not None:
            with suppress(ChildProcessError):
                os.waitpid(known, os.WNOHANG)
        try:
            lock = os.open(self.folder(job) / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def stop(self, job: Job) -> None:
        """Ask the process of a live attempt to end its job; the lock proves that the number is still its own."""
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int((self.folder(job) / "pid").read_text("utf-8"))
            if self.alive(job) and f"{self.folder(job)}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)

    def collected(self, job: Job) -> dict[str, Any] | None:
        """How an attempt ended, its output and results kept as objects; None where it was found dead without a word."""
        folder = self.folder(job)
        try:
            result: dict[str, Any] = json.loads((folder / "result.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        result["files"] = self._kept(job, folder)
        return result

    def _kept(self, job: Job, folder: Path) -> list[dict[str, Any]]:
        objects = self._platform.get(Objects)  # type: ignore[type-abstract]
        files, left = [], self._settings.result_bytes
        out = folder / "work" / "out"
        found = [("stdout", folder / "stdout"), ("stderr", folder / "stderr")]
        inside = [(str(Path(at).relative_to(out) / name), Path(at) / name) for at, _, names in os.walk(out) for name in names]
        for number, (name, path) in enumerate([*found, *sorted(inside)[: self._settings.result_files]]):
            content = _regular(path, min(left, self._settings.output_bytes))
            if content is None:
                continue
            left -= len(content)
            info = objects.put(f"compute/{job.id}/{job.attempt}/{number}", content)
            shown = name if number < len(found) else f"out/{name}"
            shown = shown.encode("utf-8", "replace").decode()[:400]
            files.append({"name": shown, "number": number, "size": info.size, "sha256": info.etag})
        return files

    def clear(self, job: Job) -> None:
        """Forget the folder of an attempt that was collected."""
        self._known.pop(job.id, None)
        shutil.rmtree(self.folder(job), ignore_errors=True)


def _regular(path: Path, most: int) -> bytes | None:
    """The content of a plain file, never of what a link leads to; None for anything else or too much."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(opened, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most:
            return None
        content = file.read(most + 1)
        return content if len(content) <= most else None
