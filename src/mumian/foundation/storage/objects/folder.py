"""Objects in a folder: the embedded default; files are written aside, forced to the disk and moved into place."""

import contextlib
import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path

from mumian.foundation.storage.contracts import ObjectInfo
from mumian.foundation.storage.objects.rules import check_key, check_prefix
from mumian.kernel.errors import NotFound, StorageFull
from mumian.kernel.ids import new_id

_ABANDONED_SECONDS = 3600
_END = "~"  # no key ends so: an object `a` and an object `a/b` can stand side by side, as they can in S3


class FolderObjects:
    """The Objects port on a folder of one file system."""

    engine = "folder"

    def __init__(self, folder: Path) -> None:
        self._kept = folder / "kept"
        self._fresh = folder / "fresh"
        for part in (self._kept, self._fresh):
            part.mkdir(parents=True, exist_ok=True)
        for left_over in self._fresh.iterdir():
            with contextlib.suppress(FileNotFoundError):  # a younger one may be another process at work
                if time.time() - left_over.stat().st_mtime > _ABANDONED_SECONDS:
                    left_over.unlink()

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Store `content`, replacing what was there."""
        target = self._path(key)
        fresh = self._fresh / new_id()
        with _translated():
            try:
                with fresh.open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                self._place(fresh, target)
            finally:
                fresh.unlink(missing_ok=True)
        return ObjectInfo(key, len(content), sha256(content).hexdigest(), _modified(target))

    def get(self, key: str) -> bytes:
        """The content; raises NotFound."""
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(kind="object", name=key) from None

    def stat(self, key: str) -> ObjectInfo:
        """What is known of the object; raises NotFound."""
        path = self._path(key)
        try:
            with path.open("rb") as stream:
                etag = file_digest(stream, "sha256").hexdigest()
            return ObjectInfo(key, path.stat().st_size, etag, _modified(path))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(kind="object", name=key) from None

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        return self._path(key).is_file()

    def list(self, prefix: str = "") -> Sequence[str]:
        """The keys that begin with `prefix`, in order."""
        start = self._kept / check_prefix(prefix).rpartition("/")[0]
        found = (path.relative_to(self._kept).as_posix() for path in start.rglob("*") if path.name.endswith(_END))
        return sorted(name.removesuffix(_END) for name in found if name.startswith(prefix))

    def delete(self, key: str) -> None:
        """Remove the object; empty folders above it go too."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._kept:
                return
            try:
                folder.rmdir()
            except OSError:
                return

    def _path(self, key: str) -> Path:
        return self._kept / (check_key(key) + _END)

    def _place(self, fresh: Path, target: Path) -> None:
        """Move into place; a folder may be removed by `delete` between making and using it, so try again."""
        for attempt in range(10):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                fresh.replace(target)
                break
            except FileNotFoundError:
                if attempt == 9 or not fresh.exists():
                    raise
        for folder in (target.parent, *target.parent.parents):
            _fsync(folder)
            if folder == self._kept:
                return


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull from error
        raise
