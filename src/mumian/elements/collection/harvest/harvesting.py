"""Harvesting: whole catalogues page by page; what is new or changed is entered, what is gone leaves after the last page."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from mumian.elements.catalog.api import Catalog, HarvestedDataset
from mumian.elements.collection.errors import NotInState, SourceFailed
from mumian.elements.collection.events import Harvested
from mumian.elements.collection.harvest import store
from mumian.elements.collection.harvest.models import CatalogueSourceSpec
from mumian.elements.collection.models import Auth
from mumian.elements.collection.settings import CollectionSettings
from mumian.elements.collection.sources.context import Context, Halted
from mumian.elements.collection.sources.fetching import Fetcher
from mumian.foundation.storage.contracts import Objects
from mumian.kernel.background import Loop
from mumian.kernel.clock import parse_iso
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import Fault, Invalid, MumianError
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Actor, Transaction

_log = logging.getLogger("mumian.collection")
_ACCEPT = "text/turtle, application/ld+json;q=0.9, application/rdf+xml;q=0.8"
_KEPT_FAULTS = 100


class Harvesting:
    """`platform.get(Harvesting)`: harvests of declared catalogues, by schedule and by hand."""

    name = "elements.collection.harvest"

    def __init__(self, platform: Platform, settings: CollectionSettings) -> None:
        self._platform = platform
        self._settings = settings
        self._loop = Loop(self.name, platform.clock, self.settle, 5.0)
        self._stopping = False
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Forget harvests that were cut off: nothing of them had left the catalogue; then begin."""
        self._stopping = False
        await self._platform.records.write(store.forget_open)
        self._loop.start()

    async def stop(self) -> None:
        """Leave off at the next page."""
        self._stopping = True
        await self._loop.stop()

    async def settle(self) -> bool:
        """Harvest what is due."""
        last = await self._platform.records.read(store.last)
        now, done = self._platform.clock.now(), False
        for declared in self._platform.declarations.all("CatalogueSource"):
            every, at = declared.spec.every_seconds, last.get(declared.name)
            if every and (at is None or (now - parse_iso(at)).total_seconds() >= every) and not self._stopping:
                with contextlib.suppress(NotInState):
                    await self.harvest(declared.name)
                done = True
        return done

    async def harvest(self, name: str, by: Actor = SYSTEM) -> str:
        """Harvest a catalogue now; returns the id of the harvest, which says how it ended. Raises NotFound, NotInState."""
        declared: Declared[CatalogueSourceSpec] = self._platform.declarations.get("CatalogueSource", name)
        if self._lock.locked():
            raise NotInState(state="harvesting")
        async with self._lock:
            id_ = new_id()
            await self._platform.records.write(lambda tx: store.begin(tx, id_, name), by)
            told = _Told()
            state, error = "done", None
            try:
                await self._all(declared, told, by)
            except MumianError as raised:
                state, error = "failed", {"key": raised.key, "values": {k: str(v)[:300] for k, v in raised.values.items()}}
                told.faults += [
                    {"field": f.field, "key": f.key, "values": {k: str(v)[:300] for k, v in f.values.items()}}
                    for f in raised.faults
                ]
            except Halted:
                state = "failed"
            except Exception:
                _log.exception("the harvest of %s failed", name)
                state, error = "failed", {"key": "error.internal", "values": {}}
            await self._platform.records.write(lambda tx: _end(tx, id_, name, state, told, error), by)
            return id_

    async def _all(self, declared: Declared[CatalogueSourceSpec], told: "_Told", by: Actor) -> None:
        scratch = self._platform.home / "collection" / "harvest"
        await asyncio.to_thread(scratch.mkdir, parents=True, exist_ok=True)
        objects = self._platform.get(Objects)  # type: ignore[type-abstract]
        context = Context(self._settings, scratch, scratch, objects, halted=lambda: self._stopping)
        pages = await asyncio.to_thread(_pages, declared, context, told)
        seen: set[str] = set()
        try:
            while (page := await asyncio.to_thread(next, pages, None)) is not None:
                told.found += len(page)
                if told.found > self._settings.harvest_records:
                    raise SourceFailed(reason=f"more than {self._settings.harvest_records} datasets")
                seen |= {each.name for each in page}
                counted = await self._platform.records.write(lambda tx, p=page: self._enter(tx, p), by)  # type: ignore[misc]
                told.entered += counted[0]
                told.refuse(counted[1])
        finally:
            await asyncio.to_thread(pages.close)
        await self._leave(declared, seen, told, by)

    def _enter(self, tx: Transaction, page: list[HarvestedDataset]) -> tuple[int, list[dict[str, Any]]]:
        catalog, entered, faults = self._platform.get(Catalog), 0, []
        for given in page:
            try:
                entered += catalog.enter(tx, given)
            except Invalid as error:
                faults.append({"dataset": given.identifier[:200], "faults": [f"{f.field}: {f.key}" for f in error.faults]})
        return entered, faults

    async def _leave(self, declared: Declared[CatalogueSourceSpec], seen: set[str], told: "_Told", by: Actor) -> None:
        """What the catalogue has no more leaves ours; when too much is gone at once, nobody knows whether it is meant."""
        catalog = self._platform.get(Catalog)
        held = await self._platform.records.read(lambda session: catalog.harvested_names(session, declared.name))
        gone = [name for name in held if name not in seen]
        if len(gone) > declared.spec.most_gone * len(held) and len(gone) > 5:
            raise Invalid(Fault("source", "collection.harvest.gone", {"gone": len(gone), "held": len(held)}))
        for start in range(0, len(gone), 500):
            part = [name.partition(":")[2] for name in gone[start : start + 500]]
            told.left += await self._platform.records.write(
                lambda tx, p=part: sum(catalog.leave(tx, declared.name, each) for each in p),  # type: ignore[misc]
                by,
            )


def known_at(spec: CatalogueSourceSpec, url: str) -> Auth | None:
    """How we say who we are at an address: as the catalogue knows us, and nowhere but there."""
    here, there = urlsplit(spec.url), urlsplit(url)
    if spec.secret is None or (here.scheme, here.netloc) != (there.scheme, there.netloc):
        return None
    if spec.face == "dcat":
        return Auth(by="bearer", secret=spec.secret)
    return Auth(by="header", secret=spec.secret, name="Authorization")


class _Told:
    """What a harvest found so far."""

    def __init__(self) -> None:
        self.found = self.entered = self.left = self.refused = 0
        self.faults: list[dict[str, Any]] = []

    def refuse(self, faults: list[dict[str, Any]]) -> None:
        self.refused += len(faults)
        self.faults += faults[: max(0, _KEPT_FAULTS - len(self.faults))]


def _end(tx: Transaction, id_: str, name: str, state: str, told: _Told, error: dict[str, Any] | None) -> None:
    store.end(
        tx, id_, state, (told.found, told.entered, told.left, told.refused), json.dumps(told.faults, ensure_ascii=False), error
    )
    tx.emit(
        Harvested(subject=name, harvest=id_, state=state, found=told.found, entered=told.entered, left=told.left, error=error)
    )


def _pages(
    declared: Declared[CatalogueSourceSpec], context: Context, told: _Told
) -> Generator[list[HarvestedDataset], None, None]:
    return (_ckan if declared.spec.face == "ckan" else _dcat)(declared, context, told)


def _ckan(
    declared: Declared[CatalogueSourceSpec], context: Context, told: _Told
) -> Generator[list[HarvestedDataset], None, None]:
    """package_search, sorted by a name that does not move while it is read."""
    from mumian.elements.collection.harvest.records import package
    from mumian.elements.collection.sources.formats import document

    spec = declared.spec
    fetcher, start = Fetcher(context, known_at(spec, spec.url)), 0
    try:
        while True:
            asked = {"rows": str(spec.page), "start": str(start), "sort": "name asc"} | ({"fq": spec.query} if spec.query else {})
            url = f"{spec.url.rstrip('/')}/api/3/action/package_search?{urlencode(asked)}"
            answer = fetcher.get(url, {}, context.scratch / "page", context.settings.page_bytes)
            found = document(answer.path, context.settings.page_bytes)
            result = found.get("result") if isinstance(found, dict) and found.get("success") is True else None
            listed = result.get("results") if isinstance(result, dict) else None
            if not isinstance(result, dict) or not isinstance(listed, list):
                raise SourceFailed(reason="no answer of package_search")
            page = []
            for each in listed:
                try:
                    page.append(package(declared.name, spec, each))
                except (ValueError, TypeError, AttributeError, KeyError) as error:
                    told.refuse([{"dataset": str(each)[:100], "faults": [str(error)[:200]]}])
            yield page
            start += len(listed)
            count = result.get("count", 0)
            if not listed or (isinstance(count, int) and start >= count):
                return
    finally:
        fetcher.close()


def _dcat(
    declared: Declared[CatalogueSourceSpec], context: Context, told: _Told
) -> Generator[list[HarvestedDataset], None, None]:
    """The document and, where it is a hydra collection, the pages that follow."""
    from mumian.elements.collection.harvest.graphs import datasets, graph, next_page

    spec = declared.spec
    fetcher = Fetcher(context, known_at(spec, spec.url), {"Accept": _ACCEPT})
    url: str | None = spec.url
    seen: set[str] = set()
    try:
        while url is not None:
            if url in seen:
                raise SourceFailed(reason="its pages go round in circles")
            seen.add(url)
            answer = fetcher.get(url, {}, context.scratch / "page", context.settings.page_bytes)
            media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            found = graph(Path(answer.path), media, answer.url)
            yield list(datasets(found, declared.name, spec))
            url = next_page(found, answer.url)
    finally:
        fetcher.close()
