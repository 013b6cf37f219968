"""Evidence that the lake is as it was told: rows, files and catalogue are held against the ledgered events."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mumian.foundation.ledger.api import Fault
from mumian.foundation.sensing import rules, store
from mumian.foundation.sensing.service.finder import TABLE, Finder
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_EVENTS = "SELECT id, payload FROM kernel_outbox WHERE type = :type ORDER BY id"
_LOOKS, _PAUSE = 20, 0.1


def faults(session: Session, platform: Platform, finder: Finder) -> Iterator[Fault]:
    """Every difference between the lake and the events: batches of rows, data files, and the catalogue."""
    yield from _batches(session, finder)
    try:
        if _untouched(session, platform.get(Lake)):  # type: ignore[type-abstract]
            return
        told, found = _steady(platform)
    except Exception as error:
        yield Fault("lake catalogue", None, "storage", "readable", _reason(error))
        return
    yield from told.doubts
    yield from _files(told, found)
    yield from _catalogue(told, found)


def _untouched(session: Session, lake: Lake) -> bool:
    """Whether the city was never served: nothing was told of the lake, and it holds no table."""
    told = session.value("SELECT 1 FROM kernel_outbox WHERE type IN ('sensing.observations.recorded', 'sensing.lake.sealed')")
    held = lake.rows("SELECT count(*) FROM information_schema.tables WHERE table_name = $name", name=TABLE.name)
    return told is None and not held[0][0]


def _batches(session: Session, finder: Finder) -> Iterator[Fault]:
    """Every recorded batch whose rows are not as its event says, or cannot be read any more."""
    for row in session.rows(_EVENTS, type="sensing.observations.recorded"):
        told = json.loads(row["payload"])
        place = f"{told['first_id']}–{told['last_id']}"
        try:
            kept = finder.numbered(told["first_id"], told["last_id"])
            found = rules.digest(kept)
        except Exception as error:
            yield Fault("lake observations", place, "rows", "readable", _reason(error))
            continue
        if len(kept) != told["count"]:
            yield Fault("lake observations", place, "count", str(told["count"]), str(len(kept)))
        elif found != told["digest"]:
            yield Fault("lake observations", place, "digest", told["digest"], found)


@dataclass
class _Told:
    """What the events say of the lake; `pending`: it is being changed, or a process ended before it could tell."""

    last: int = 0
    pending: bool = True
    files: dict[str, str] = field(default_factory=dict)
    catalogue: str | None = None
    rows: int = 0
    doubts: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """What the lake has; `files` by name, None for one that cannot be read."""

    files: dict[str, str]
    catalogue: str
    damages: list[str]
    rows: int | str


def _steady(platform: Platform) -> tuple[_Told, _Found]:
    """What was told and what is, looked at while nothing changed in between: the city may be at work meanwhile."""
    lake = platform.get(Lake)  # type: ignore[type-abstract]
    with ThreadPoolExecutor(1) as thread:  # a snapshot of its own: this thread's was taken long ago

        def fresh(work: Callable[[Session], Any]) -> Any:
            return thread.submit(platform.records.read_now, work).result()

        for _ in range(_LOOKS):
            told = fresh(_told)
            found = _found(lake)
            after = fresh(_told)
            if told.last == after.last and not told.pending and not after.pending:
                break
            time.sleep(_PAUSE)
    return told, found


def _told(session: Session) -> _Told:
    told = _Told(pending=store.seal_expected(session))
    for row in session.rows(_EVENTS, type="sensing.lake.sealed"):
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
        told.doubts.append(Fault("sensing_lake_file", name, "name", "the files that were told", "another list"))
    for row in session.rows(_EVENTS, type="sensing.observations.recorded"):
        told.rows += json.loads(row["payload"])["count"]
    return told


def _found(lake: Lake) -> _Found:
    damages = lake.integrity_faults()
    files = {Path(file.path).name: file.sha256 for file in lake.files(TABLE.name)}
    try:
        rows: int | str = int(lake.rows(f"SELECT count(*) FROM {TABLE.name}")[0][0])
    except Exception as error:
        rows = _reason(error)
    return _Found(files, lake.catalogue_digest(), damages, rows)


def _files(told: _Told, found: _Found) -> Iterator[Fault]:
    for name, expected in told.files.items():
        have = found.files.get(name)
        if have is None and not told.pending:
            yield Fault("lake file", name, "file", "a data file", "nothing in the catalogue")
        elif have is not None and have != expected:
            yield Fault("lake file", name, "sha256", expected, have or "nothing on the disk")
    if told.pending:
        return
    for name in sorted(found.files.keys() - told.files.keys()):
        yield Fault("lake file", name, "file", "no such file", "a data file that nobody told of")


def _catalogue(told: _Told, found: _Found) -> Iterator[Fault]:
    for damage in found.damages:
        yield Fault("lake catalogue", None, "integrity", "sound pages", damage)
    if told.pending or told.catalogue is None:
        return
    if found.catalogue != told.catalogue:
        yield Fault("lake catalogue", None, "sha256", told.catalogue, found.catalogue)
    if found.rows != told.rows:
        yield Fault("lake observations", None, "count", str(told.rows), str(found.rows))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
