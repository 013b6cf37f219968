"""Multipart: a form with files (RFC 7578) read as it comes in; files go to the disk, fields into memory, both bounded."""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from mumian.elements.opening.ckan.errors import CkanError
from mumian.kernel.errors import StorageFull, TooLarge

_HEADERS, _FIELD, _PARTS = 16 * 1024, 1024 * 1024, 200
_NAME = re.compile(r'\bname="((?:[^"\\]|\\.)*)"')
_FILE = re.compile(r'\bfilename="((?:[^"\\]|\\.)*)"')
_FILE_STAR = re.compile(r"\bfilename\*=(?:utf-8|UTF-8)''([^;\s]+)")


@dataclass(frozen=True)
class Upload:
    """A file that came in: its name as the sender calls it, where it lies, its size and SHA-256."""

    name: str
    path: Path
    size: int
    sha256: str


class Reader:
    """Reads one form; what it wrote is removed by whoever asked, unless it was moved."""

    def __init__(self, boundary: bytes, folder: Path, most: int) -> None:
        self._mark = b"\r\n--" + boundary
        self._folder = folder
        self._left = most
        self._most = most
        self._buffer = b"\r\n"
        self.fields: dict[str, str] = {}
        self.files: dict[str, Upload] = {}
        self.written: list[Path] = []

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Read the whole form; raises CkanError for one that is broken, TooLarge, StorageFull."""
        await self._until(chunks, None)
        for _ in range(_PARTS):
            while len(self._buffer) < 2:
                if not await self._more(chunks):
                    raise _broken()
            if self._buffer.startswith(b"--"):
                async for _ in chunks:
                    pass
                return
            await self._part(chunks)
        raise TooLarge(limit=f"{_PARTS} parts")

    async def _part(self, chunks: AsyncIterator[bytes]) -> None:
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > _HEADERS or not await self._more(chunks):
                raise _broken()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        told = head.decode("utf-8", "replace")
        name = _NAME.search(told)
        if name is None:
            raise _broken()
        file = _FILE_STAR.search(told) or _FILE.search(told)
        if file is None:
            content = _Field()
            await self._until(chunks, content)
            self.fields[_plain(name[1])] = content.text()
            return
        given = unquote(file[1]) if file.re is _FILE_STAR else _plain(file[1])
        self.files[_plain(name[1])] = await self._file(chunks, given)

    async def _file(self, chunks: AsyncIterator[bytes], name: str) -> Upload:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{os.urandom(16).hex()}.part"
        self.written.append(path)
        try:
            with path.open("xb") as target:
                content = _File(target)
                await self._until(chunks, content)
                target.flush()
                os.fsync(target.fileno())
        except OSError as error:
            raise StorageFull from error
        return Upload(name.replace("\\", "/").rpartition("/")[2] or "file", path, content.size, content.digest.hexdigest())

    async def _until(self, chunks: AsyncIterator[bytes], target: Any) -> None:
        """Give all before the next boundary to the target; what may be the begin of a boundary waits for more."""
        while True:
            at = self._buffer.find(self._mark)
            if at >= 0:
                if target is not None:
                    target.take(self._buffer[:at])
                self._buffer = self._buffer[at + len(self._mark) :]
                return
            keep = len(self._mark) - 1
            if target is not None and len(self._buffer) > keep:
                target.take(self._buffer[:-keep])
                self._buffer = self._buffer[-keep:]
            elif target is None:
                self._buffer = self._buffer[-keep:]
            if not await self._more(chunks):
                raise _broken()

    async def _more(self, chunks: AsyncIterator[bytes]) -> bool:
        part = await anext(chunks, None)
        if part is None:
            return False
        self._left -= len(part)
        if self._left < 0:
            raise TooLarge(limit=f"{self._most} bytes")
        self._buffer += part
        return True


class _Field:
    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def take(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > _FIELD:
            raise TooLarge(limit=f"{_FIELD} bytes")
        self._parts.append(part)

    def text(self) -> str:
        return b"".join(self._parts).decode("utf-8", "replace")


class _File:
    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self.size = 0
        self.digest = sha256()

    def take(self, part: bytes) -> None:
        self._target.write(part)
        self.digest.update(part)
        self.size += len(part)


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names; raises CkanError."""
    found = re.search(r'boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))', content_type)
    if found is None:
        raise _broken()
    return (found[1] or found[2]).encode("latin-1", "replace")


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _broken() -> CkanError:
    return CkanError(400, "Bad request - the multipart form is broken")
