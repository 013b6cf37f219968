"""Evidence that the lake is as it was told: its files and its catalogue are held against the seals."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mumian.foundation.ledger import store
from mumian.foundation.ledger.contracts import Fault
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_LOOKS, _PAUSE = 20, 0.1
_SEALS = "SELECT id, payload FROM kernel_outbox WHERE type = 'ledger.lake.sealed' ORDER BY id"
T = TypeVar("T")


@dataclass
class _Told:
    """What the seals say of the lake."""

    last: int = 0
    files: dict[str, str] = field(default_factory=dict)
    catalogue: str | None = None
    doubts: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """What the lake has; `files` are digests by name, empty for one that cannot be read."""

    files: dict[str, str]
    catalogue: str
    damages: list[str]


def steady(platform: Platform, told: Callable[[Session], T], found: Callable[[Lake], Any]) -> tuple[T, Any, bool]:
    """What was told and what is, looked at while nothing changed in between; and whether the lake is being changed.

    The city may be at work meanwhile, so that the look is repeated for a while. Raises what the lake raises.
    """
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    with ThreadPoolExecutor(1) as thread:  # a snapshot of its own: the caller's was taken long ago

        def fresh() -> tuple[T, bool]:
            return thread.submit(platform.records.read_now, lambda s: (told(s), store.seal_expected(s))).result()

        for _ in range(_LOOKS):
            before, pending = fresh()
            have = found(lake)
            after, changing = fresh()
            if before == after and not pending and not changing:
                return before, have, False
            time.sleep(_PAUSE)
    return after, have, pending or changing


def faults(session: Session, platform: Platform) -> Iterator[Fault]:
    """Every data file that is not as it was told, and the catalogue if it is not."""
    try:
        if not store.told_of_lake(session) and not platform.get(Lake).tables():  # type: ignore[type-abstract]
            return
        told, found, pending = steady(platform, _told, _found)
    except Exception as error:
        yield Fault("lake catalogue", None, "storage", "readable", f"{type(error).__name__}: {str(error)[:200]}")
        return
    yield from told.doubts
    yield from _files(told, found, pending)
    for damage in found.damages:
        yield Fault("lake catalogue", None, "integrity", "sound pages", damage)
    if not pending and told.catalogue is not None and found.catalogue != told.catalogue:
        yield Fault("lake catalogue", None, "sha256", told.catalogue, found.catalogue)


def _told(session: Session) -> _Told:
    told = _Told()
    for row in session.rows(_SEALS):
        seal = json.loads(row["payload"])
        told.last, told.catalogue = row["id"], seal["catalogue"]
        for name in seal["removed"]:
            if told.files.pop(name, None) is None:
                told.doubts.append(Fault("lake file", name, "removed", "a file that was added before", "none"))
        for file in seal["added"]:
            if told.files.get(file["name"], file["sha256"]) != file["sha256"]:
                told.doubts.append(Fault("lake file", file["name"], "sha256", told.files[file["name"]], file["sha256"]))
            told.files[file["name"]] = file["sha256"]
    for name in sorted(told.files.keys() ^ set(store.told_files(session))):
        told.doubts.append(Fault("ledger_lake_file", name, "name", "the files that were told", "another list"))
    return told


def _found(lake: Lake) -> _Found:
    damages = lake.integrity_faults()
    files = {Path(file.path).name: file.sha256 for table in lake.tables() for file in lake.files(table)}
    return _Found(files, lake.catalogue_digest(), damages)


def _files(told: _Told, found: _Found, pending: bool) -> Iterator[Fault]:
    for name, expected in told.files.items():
        have = found.files.get(name)
        if have is None and not pending:
            yield Fault("lake file", name, "file", "a data file", "nothing in the catalogue")
        elif have is not None and have != expected:
            yield Fault("lake file", name, "sha256", expected, have or "nothing on the disk")
    if not pending:
        for name in sorted(found.files.keys() - told.files.keys()):
            yield Fault("lake file", name, "file", "no such file", "a data file that nobody told of")
