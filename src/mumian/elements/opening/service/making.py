"""Making: downloads are written once for each state of a dataset, at the engine's speed, and handed out while they grow."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from mumian.elements.opening.rules import formats
from mumian.elements.opening.rules.formats import Column, Form, Script
from mumian.elements.opening.service.workbooks import pack
from mumian.elements.opening.settings import OpeningSettings
from mumian.elements.protection.api import Delivery
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.errors import Unavailable
from mumian.kernel.platform import Platform

_CHUNK = 256 * 1024
_LOOK = 0.05


@dataclass
class Making:
    """A file that is being made, or is there: `head`, what stands in `path`, and `tail`."""

    path: Path
    form: Form
    etag: str
    script: Script
    done: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None

    async def begun(self) -> None:
        """Wait until its file is there, or it is known that it will not be."""
        while not self.path.exists():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.done.wait(), _LOOK)
                return

    @property
    def length(self) -> int:
        """How many bytes it has, once it is done."""
        return len(self.script.head) + self.path.stat().st_size + len(self.script.tail)


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a dataset's rows as the gate lets them through, as they are now, in a format."""

    dataset: str
    ending: str
    delivery: Delivery
    stamp: str
    base: str
    bom: bool = False

    @property
    def etag(self) -> str:
        """Names the bytes: the same for the same rows in the same format."""
        told = "\0".join((self.ending, self.delivery.sql, self.stamp, self.base, str(self.bom)))
        return sha256(told.encode()).hexdigest()[:40]


class Files:
    """Makes files and keeps the last used ones; who comes while one is made shares it, and a slow reader holds up nobody."""

    def __init__(self, platform: Platform, settings: OpeningSettings) -> None:
        self._platform = platform
        self._settings = settings
        self._folder = platform.home / "downloads"
        self._makers = asyncio.Semaphore(settings.makers)
        self._made: dict[str, Making] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wanted(self, wanted: Wanted) -> Making:
        """The file, made already or from now on."""
        found = self._made.get(wanted.etag)
        if found is not None and found.error is None and (not found.done.is_set() or found.path.exists()):
            with suppress(OSError):
                os.utime(found.path)
            return found
        columns = [Column(column.name, column.type) for column in wanted.delivery.columns]
        script = formats.script(wanted.ending, columns, wanted.delivery.sql, wanted.base, wanted.bom)
        form = formats.FORMS[wanted.ending]
        making = Making(self._folder / f"{wanted.etag}.{form.ending}", form, wanted.etag, script)
        self._made[wanted.etag] = making
        task = asyncio.create_task(self._make(making, columns, dict(wanted.delivery.params)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return making

    async def _make(self, making: Making, columns: list[Column], params: dict[str, Any]) -> None:
        try:
            async with self._makers:
                await asyncio.to_thread(self._work, making, columns, params)
        except BaseException as error:
            making.error = error
            making.path.unlink(missing_ok=True)
            self._made.pop(making.etag, None)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            making.done.set()

    def _work(self, making: Making, columns: list[Column], params: dict[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        target = making.path if making.form.ending != "xlsx" else making.path.with_suffix(".rows")
        quoted = formats.literal(str(target))
        try:
            lake.rows(f"COPY ({making.script.select}) TO {quoted} ({making.script.options})", **params)
            if making.form.ending == "xlsx":
                pack(target, making.path, [column.name for column in columns if column.name != "_id"])
        finally:
            if target != making.path:
                target.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Drop what was used longest ago, until the rest fits; what this process did not make is dropped, too."""
        busy = {making.path for making in self._made.values() if not making.done.is_set()}
        files = [(file.stat().st_mtime, file.stat().st_size, file) for file in self._folder.iterdir() if file not in busy]
        known = {making.path for making in self._made.values()}
        left = self._settings.cache_bytes
        for used, size, file in sorted(files, key=lambda one: -one[0]):
            left -= size
            if file not in known or (left < 0 and time.time() - used > 1):
                file.unlink(missing_ok=True)
                self._made.pop(file.stem, None)

    async def close(self) -> None:
        """Wait for what is being made."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def stream(making: Making, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
    """The bytes from `start` up to before `end`, as they come; raises what making the file raised."""
    async for place, part in _parts(making, start):
        first, last = max(start - place, 0), len(part) if end is None else min(len(part), end - place)
        if first < last:
            yield part[first:last]
        if end is not None and place + len(part) >= end:
            return


async def _parts(making: Making, start: int) -> AsyncIterator[tuple[int, bytes]]:
    """Where each part begins, and its bytes; what lies before `start` may be left out."""
    head = making.script.head
    yield 0, head
    if not making.form.growing:
        await ready(making)
    await making.begun()
    if making.error is not None:
        raise _told(making.error)
    place = max(start - len(head), 0)
    with await asyncio.to_thread(making.path.open, "rb") as file:
        file.seek(place)
        while True:
            over = making.done.is_set()
            part = await asyncio.to_thread(file.read, _CHUNK)
            if part:
                yield len(head) + place, part
                place += len(part)
            elif over:
                break
            else:
                await asyncio.sleep(_LOOK)
    if making.error is not None:
        raise _told(making.error)
    yield len(head) + place, making.script.tail


async def ready(making: Making) -> None:
    """Wait until the file is whole; raises what making it raised."""
    await making.done.wait()
    if making.error is not None:
        raise _told(making.error)


def _told(error: BaseException) -> Exception:
    from mumian.kernel.errors import MumianError

    return error if isinstance(error, MumianError) else Unavailable(reason="the file could not be made")
