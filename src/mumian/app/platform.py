"""Builds a platform: opens the stores, brings them up to date, and lets every component register itself."""

import contextlib
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mumian.app.evidence import declaration_faults
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.foundation.storage import api as storage
from mumian.kernel.clock import Clock, SystemClock
from mumian.kernel.declarations.documents import read_path
from mumian.kernel.declarations.kinds import discover
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.discovery import components
from mumian.kernel.errors import Invalid, Unavailable
from mumian.kernel.migrations import migrate
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings


def create_platform(
    settings: Settings | None = None, clock: Clock | None = None, serving: bool = True, ports: bool = True
) -> Platform:
    """A platform ready to start; `serving` locks the home against a second one, without `ports` only the records open."""
    settings = settings or Settings()
    clock = clock or SystemClock()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):
        settings.home.chmod(0o700)  # it holds password hashes and keys
    lock = _lock(settings.home) if serving else None
    records = storage.open_records(settings.records, settings.home, clock, settings.synchronous)
    migrate(records)
    declarations = Declarations(records, discover())
    declarations.load()
    platform = Platform(settings, clock, records, declarations)
    if lock is not None:
        platform.closers.append(lock.close)
    if ports:
        storage.open_ports(platform)
    platform.provide(EvidenceChecks, EvidenceChecks())
    for component in components():
        tasks = component.module("tasks")
        if tasks is not None:
            tasks.register(platform)
    for work in platform.registered:
        work()
    platform.get(EvidenceChecks).add("declarations", declaration_faults)
    return platform


def _lock(home: Path) -> Any:
    handle = (home / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise Unavailable(
            reason=f"another Mumian already serves {home}; stop it, or name another folder in MUMIAN_HOME"
        ) from error
    return handle


@contextmanager
def offline(ports: bool = False) -> Iterator[Platform]:
    """A platform for commands that run beside a serving one: it is not started, and opens only the records unless asked."""
    platform = create_platform(serving=False, ports=ports)
    try:
        yield platform
    finally:
        for close in reversed(platform.closers):
            close()
        platform.records.close()


def source_of(path: Path) -> str:
    """The label under which a folder's declarations are kept, for a file that of its folder.

    A service's is `services/<name>`; any other folder's are its last two names, such as `cities/<name>`, so that a city may be
    moved as a whole. Two folders that share their last two names share the label: give them different names.
    """
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    if folder.name == "declarations":
        folder = folder.parent
    for component in components():
        if component.area == "services" and component.folder.resolve() == folder:
            return f"services/{component.name}"
    return f"{folder.parent.name}/{folder.name}"


def apply_services(platform: Platform) -> list[str]:
    """Put the declarations of every installed service into force; returns the lines of what changed.

    A folder that still holds what was last applied from it is passed over: what was changed since in other ways stands.
    A service that does not fit the city, because it names an organisation that is not there, say, is told of and left out.
    """
    changed: list[str] = []
    for component in components():
        folder = component.folder / "declarations"
        if component.area != "services" or not folder.is_dir():
            continue
        source = source_of(folder)
        try:
            documents = read_path(folder)
            if not platform.declarations.is_applied_now(documents, source):
                changed += platform.declarations.apply_now(documents, source, prune=True, whole=True).lines()
        except Invalid as error:
            changed += [f"! {source} is not in force", *str(error).splitlines()]
    return changed


def apply_city(platform: Platform, folder: Path) -> list[str]:
    """Put a city's folder into force, then the services, whose declarations build on it."""
    changed = platform.declarations.apply_now(read_path(folder), source_of(folder), prune=True, whole=True).lines()
    return changed + apply_services(platform)
