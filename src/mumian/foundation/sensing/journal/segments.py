"""Segments of the journal: written by one thread, recovered after a crash, removed when the lake has their rows."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mumian.foundation.sensing.errors import JournalDamaged
from mumian.foundation.sensing.journal.format import KNOWN, MAGIC, SEGMENT_HEADER, Record, claimed_end, decode, encode
from mumian.kernel.errors import StorageFull, Unavailable

Write = Callable[[int, list[memoryview]], int]


class Journal:
    """An append-only log in a folder; `append` returns when the record is on the disk.

    Not safe for several threads at once. `write` and `sync` are the system's, given so that tests can fill the disk.
    """

    def __init__(
        self, folder: Path, segment_bytes: int, write: Write = os.writev, sync: Callable[[int], None] = os.fdatasync
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._most = segment_bytes
        self._write = write
        self._sync = sync
        self._lock = _lock(folder)
        self._descriptor: int | None = None
        self._path = folder
        self._size = 0
        self._last: dict[Path, int] = {}

    def recover(self) -> Iterator[Record]:
        """All records in order. A torn end is cut off; damage before it raises JournalDamaged."""
        paths = sorted(self._folder.glob("*.journal"))
        for number, path in enumerate(paths):
            follower = int(paths[number + 1].stem) if number + 1 < len(paths) else None
            last = int(path.stem) - 1
            for record in self._records(path, follower):
                last = record.sequence
                yield record
            self._last[path] = last

    def append(self, record: Record) -> None:
        """Write the record and force it to the disk; raises StorageFull or Unavailable, and then it is not in the journal."""
        try:
            if self._descriptor is None or self._size >= self._most:
                self._begin(record.sequence)
            assert self._descriptor is not None
            self._write_all(self._descriptor, encode(record))
            self._sync(self._descriptor)
        except OSError as error:
            self._give_up()
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise StorageFull from error
            raise Unavailable(reason=f"the observation journal cannot be written ({error.strerror})") from error
        self._size = os.lseek(self._descriptor, 0, os.SEEK_END)
        self._last[self._path] = record.sequence

    def release(self, position: int) -> None:
        """Remove every segment whose records all have a sequence number of at most `position`."""
        for path, last in list(self._last.items()):
            if last <= position:
                if path == self._path:
                    self._end()
                path.unlink(missing_ok=True)
                del self._last[path]

    def close(self) -> None:
        """Close the files and let another process have the journal."""
        self._end()
        os.close(self._lock)

    def _begin(self, sequence: int) -> None:
        self._end()
        self._path = self._folder / f"{sequence:020d}.journal"
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o640)
        self._size = 0
        self._write_all(self._descriptor, [SEGMENT_HEADER.pack(MAGIC, sequence)])
        self._size = SEGMENT_HEADER.size
        _sync_folder(self._folder)

    def _write_all(self, descriptor: int, buffers: list[Any]) -> None:
        views = [memoryview(b).cast("B") for b in buffers if len(b)]
        while views:
            written = self._write(descriptor, list(views))
            while views and written >= len(views[0]):
                written -= len(views[0])
                views.pop(0)
            if views:
                views[0] = views[0][written:]

    def _give_up(self) -> None:
        """Cut off what a failed write left, and begin a new segment next time: this file's state is not sure any more."""
        descriptor, path, size = self._descriptor, self._path, self._size
        self._descriptor = None
        if descriptor is None:
            return
        try:
            if size <= SEGMENT_HEADER.size:
                path.unlink(missing_ok=True)
            else:
                os.ftruncate(descriptor, size)
        finally:
            os.close(descriptor)

    def _end(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _records(self, path: Path, follower: int | None) -> Iterator[Record]:
        content = memoryview(path.read_bytes())
        expected = int(path.stem)
        at = SEGMENT_HEADER.size
        header = content[:at].tobytes()
        if len(header) == at and header not in [SEGMENT_HEADER.pack(magic, expected) for magic in KNOWN]:
            raise JournalDamaged(file=str(path), offset=0)
        while at < len(content):
            found = decode(content, at)
            if found is None:
                break
            record, at = found
            if record.sequence != expected:
                raise JournalDamaged(file=str(path), offset=at)
            expected += 1
            yield record
        if at >= len(content) and follower in (None, expected):
            return
        if follower not in (None, expected) or _goes_on(content, at):
            raise JournalDamaged(file=str(path), offset=at)
        os.truncate(path, at)


def _goes_on(content: memoryview, at: int) -> bool:
    """Whether a sound record follows an unsound one: then it was not torn off, it was damaged."""
    end = claimed_end(content, at)
    return end is not None and decode(content, end) is not None


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise Unavailable(reason=f"another process is writing to {folder}; stop it first") from None
    return descriptor


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
