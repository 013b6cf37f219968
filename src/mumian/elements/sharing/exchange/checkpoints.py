"""Checkpoints: a chunk counts when its part is on disk for good and a line of the journal says so, and never before."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from mumian.elements.sharing.exchange.contracts import Algorithm, Done, Part, Plan

_READ_BYTES = 4 * 1024 * 1024


class BadCheckpoint(Exception):
    """The folder holds checkpoints of another job or another source, or what they speak of is not there any more."""


class Checkpoints:
    """The folder of a job's work: `plan.json`, `journal`, and the parts in `out`; one process works in it at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.out.mkdir(parents=True, exist_ok=True)
        self._journal = folder / "journal"

    def plan(self, make: Callable[[], Plan], job: str, source: str) -> Plan:
        """The plan: the one that was kept, or a new one; raises BadCheckpoint where it is that of another job or source."""
        file = self.folder / "plan.json"
        if not file.exists():
            put(file, msgspec.json.encode(make()))
        plan = msgspec.json.decode(file.read_bytes(), type=Plan)
        if plan.job != job:
            raise BadCheckpoint("the folder holds checkpoints of another job; take another folder")
        if plan.source != source:
            raise BadCheckpoint("the source changed since the job began; begin a new job")
        return plan

    def done(self) -> list[Done]:
        """The chunks that are done, in order of their numbers; a last line that was cut off counts for nothing and is removed."""
        if not self._journal.exists():
            return []
        content = self._journal.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._journal, len(whole))
        found = {one.number: one for one in (msgspec.json.decode(line, type=Done) for line in whole.splitlines())}
        for one in found.values():
            self._check(one)
        return [found[number] for number in sorted(found)]

    def add(self, done: Done) -> None:
        """Note a chunk whose parts are in place; durable when it returns."""
        with self._journal.open("ab") as file:
            file.write(msgspec.json.encode(done) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync(self.folder)

    def sweep(self, known: set[str]) -> None:
        """Remove what a process left that ended in the midst of its work: files of chunks that are not done."""
        for file in self.out.iterdir():
            if file.name not in known:
                file.unlink()

    def _check(self, done: Done) -> None:
        for part in (done.part, done.fault_part):
            if part is not None:
                file = self.out / part.name
                if not file.is_file() or file.stat().st_size != part.bytes:
                    raise BadCheckpoint(f"{part.name} is not there as it was written; begin a new job")


def settle(draft: Path, name: str, rows: int, algorithm: Algorithm) -> Part:
    """Digest a file just written, make it durable, and give it its name."""
    digest, size = digest_of(draft, algorithm)
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(draft.with_name(name))
    sync(draft.parent)
    return Part(name=name, rows=rows, bytes=size, digest=digest)


def digest_of(file: Path, algorithm: Algorithm) -> tuple[str, int]:
    """Digest, in hexadecimal, and length of a file."""
    digest, size = _digest(algorithm), 0
    buffer = bytearray(_READ_BYTES)
    view = memoryview(buffer)
    with file.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            digest.update(view[:count])
            size += count
    return _hexadecimal(digest), size


def digest_of_parts(parts: tuple[Part, ...], algorithm: Algorithm) -> str:
    """The digest of the list of parts."""
    digest = _digest(algorithm)
    digest.update("".join(f"{part.digest}  {part.name}\n" for part in parts).encode())
    return _hexadecimal(digest)


def put(file: Path, content: bytes) -> None:
    """Write a file wholly and for good, or not at all."""
    draft = file.with_name(f"{file.name}.draft")
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
    sync(file.parent)


def tell(file: Path, content: Any) -> None:
    """Write a file wholly, for others to look at; it need not outlive a power cut."""
    draft = file.with_name(f"{file.name}.draft")
    draft.write_text(json.dumps(content), "utf-8")
    draft.replace(file)


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(algorithm: Algorithm) -> Any:
    if algorithm == "sha256":
        return hashlib.sha256()
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    return Hash(SM3())


def _hexadecimal(digest: Any) -> str:
    return str(digest.hexdigest()) if hasattr(digest, "hexdigest") else bytes(digest.finalize()).hex()
