"""Names: what CKAN's clients call datasets, their resources, organisations and groups, and what those are here."""

import re
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from mumian.elements.catalog.api import Catalog, Dataset, sees_all
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.errors import missing
from mumian.elements.opening.store import records
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session

SPACE = UUID("6f0c7a52-5d4f-4f0e-9a40-6d756d69616e")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_AGAIN = 30.0


def id_of(kind: str, name: str) -> str:
    """The id of what has no record of its own: always the same for the same name."""
    return str(uuid5(SPACE, f"{kind}:{name}"))


def declared_name(name: str) -> str:
    """The name of a declaration for a name of CKAN's: declarations know no underscore."""
    return re.sub(r"[^a-z0-9.-]", "-", name.lower()).lstrip("-.")[:80]


@dataclass
class Directory:
    """Ids and keywords of all entries of the catalogue, gathered when they are first asked for, at most every half minute."""

    stamp: int = -1
    at: float = -_AGAIN
    ids: dict[str, str] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)

    async def fresh(self, platform: Platform) -> "Directory":
        """The directory, as old as half a minute at most."""
        if time.monotonic() - self.at < _AGAIN and not platform.clock.stepped:
            return self
        catalog = platform.get(Catalog)
        stamp = await platform.records.read(lambda session: catalog.finder.shelf.columns(session).stamp)
        if stamp != self.stamp:
            found = await catalog.all(platform.clock.now())
            self.ids = {id_of("package", one.name): one.name for one in found}
            self.licences = {one.name: one.licence for one in found if one.licence}
            self.tags = {}
            for one in found:
                for tag in one.keywords:
                    self.tags.setdefault(tag, set()).add(one.name)
        self.stamp, self.at = stamp, time.monotonic()
        return self


@dataclass(frozen=True)
class Found:
    """A package: its entry in the catalogue, and its record where it was written over this API."""

    dataset: Dataset
    row: Row | None


def directory(platform: Platform) -> Directory:
    """The directory of a platform."""
    if not platform.offers(Directory):
        platform.provide(Directory, Directory())
    return platform.get(Directory)


async def package(ask: Ask, given: str) -> Found:
    """A package by name or id, as far as the caller may know of it; raises what CKAN answers."""
    row = await ask.platform.records.read(lambda session: records.find(session, "package", given))
    name = row["declared"] if row is not None else given
    try:
        return await _found(ask, name, row)
    except NotFound:
        if not _UUID.fullmatch(given):
            raise missing() from None
    known = (await directory(ask.platform).fresh(ask.platform)).ids.get(given)
    if known is None:
        raise missing()
    try:
        return await _found(ask, known, None)
    except NotFound:
        raise missing() from None


async def _found(ask: Ask, name: str, row: Row | None) -> Found:
    found = await ask.platform.get(Catalog).get(name, ask.platform.clock.now())
    if not found.public and not sees_all(ask.caller) and not ask.caller.allowed("open:publish", found.owner):
        raise NotFound(kind="Dataset", name=name)
    if row is None:
        row = (await ask.platform.records.read(lambda session: records.of(session, "package", [name]))).get(name)
    return Found(found, row)


async def resource(ask: Ask, given: str) -> Found:
    """The package that a resource belongs to, by the resource's id; a package's own name or id stands for its rows."""
    name = await ask.platform.records.read(lambda session: records.package_of(session, given))
    if name is not None:
        return await package(ask, name)
    stem, dot, _ = given.rpartition(".")
    if dot and _UUID.fullmatch(stem):
        return await package(ask, stem)
    return await package(ask, given)


def organisation(ask: Ask, session: Session, given: str) -> tuple[Any, Row | None]:
    """An organisation's declaration and record, by name or id; raises what CKAN answers."""
    row = records.find(session, "organization", given)
    name = row["declared"] if row is not None else given
    for declared in ask.platform.declarations.all("Organisation"):
        if declared.name == name or id_of("organization", declared.name) == given:
            return declared, row or records.of(session, "organization", [declared.name]).get(declared.name)
    raise missing()
