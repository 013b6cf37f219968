"""Contexts: JSON-LD @contexts by address: the core, a folder, what users stored, and allowed sources."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from mumian.foundation.context import store
from mumian.foundation.context.errors import BadRequestData, LdContextNotAvailable, ResourceNotFound
from mumian.foundation.context.events import ContextDocumentChanged
from mumian.foundation.context.rules import core, texts
from mumian.foundation.context.rules.names import CORE, Names, build
from mumian.foundation.context.settings import ContextSettings
from mumian.kernel.clock import Clock, iso
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import SYSTEM, Actor, Records, Transaction

PATH = "/ngsi-ld/v1/jsonldContexts/"
_DEEPEST = 8
_MOST_PARTS = 40
_MOST_BYTES = 1_000_000
_REMEMBERED = 2000
KINDS = ("Hosted", "Cached", "ImplicitlyCreated")


@dataclass(eq=False)
class StoredContext:
    """A context that is kept: `id`, where it came from, what kind it is (5.13), its content and how often it was used."""

    id: str
    address: str
    kind: str
    body: Any
    created: str
    hits: int = 0
    used: str | None = None


class Contexts:
    """Finds the names of a request; kept contexts live in the records, put together ones in memory."""

    def __init__(self, records: Records, clock: Clock, settings: ContextSettings) -> None:
        self._records = records
        self._clock = clock
        self._settings = settings
        self._folder = _folder(settings.contexts)
        self.version = 0
        self._kept: dict[str, StoredContext] = {}
        self._by_address: dict[str, StoredContext] = {}
        self._names: dict[str, tuple[Names, tuple[StoredContext, ...]]] = {}

    async def load(self) -> None:
        """Read what is kept."""
        for row in await self._records.read(store.documents):
            body = msgspec.json.decode(row["body"])
            self._know(StoredContext(row["id"], row["address"], row["kind"], body, row["time"]))

    def _know(self, kept: StoredContext) -> None:
        self._kept[kept.id] = kept
        self._by_address[kept.address] = kept
        self._names.clear()
        self.version += 1

    async def names(self, value: Any) -> Names:
        """The names of an @context: an address, an object, or a list of such; raises BadRequestData, LdContextNotAvailable."""
        if value is None or value == core.CORE_ADDRESS:
            return CORE
        key = value if isinstance(value, str) else sha256(msgspec.json.encode(value)).hexdigest()
        known = self._names.get(key)
        if known is None:
            parts: list[Mapping[str, Any]] = []
            used: list[StoredContext] = []
            await self._gather(value, parts, used, 0)
            address = value if isinstance(value, str) else _only_address(value)
            made = build(parts, address, key) if parts else CORE
            if len(self._names) >= _REMEMBERED:
                self._names.clear()
            known = self._names[key] = (made, tuple(used))
        now = iso(self._clock.now())
        for kept in known[1]:
            kept.hits, kept.used = kept.hits + 1, now
        return known[0]

    async def _gather(self, value: Any, parts: list[Mapping[str, Any]], used: list[StoredContext], depth: int) -> None:
        if depth > _DEEPEST or len(parts) > _MOST_PARTS:
            raise BadRequestData.field("@context", "context.too_deep", limit=_DEEPEST)
        if isinstance(value, list):
            for item in value:
                await self._gather(item, parts, used, depth + 1)
        elif isinstance(value, str):
            await self._address(value, parts, used, depth)
        elif isinstance(value, dict):
            parts.append(value)
        elif value is not None:
            raise BadRequestData.field("@context", "field.type", expected="string, object, array")

    async def _address(self, address: str, parts: list[Mapping[str, Any]], used: list[StoredContext], depth: int) -> None:
        texts.uri(address, "@context")
        if core_address(address):
            return
        document = self._folder.get(address)
        if document is None:
            kept = self.find(address) or await self._fetch(address)
            used.append(kept)
            document = kept.body
        if not isinstance(document, dict) or "@context" not in document:
            raise BadRequestData.field("@context", "context.no_document", address=address)
        await self._gather(document["@context"], parts, used, depth + 1)

    def find(self, address: str) -> StoredContext | None:
        """The kept context of an address or id."""
        found = self._by_address.get(address) or self._kept.get(address)
        if found is None and PATH in address:
            found = self._kept.get(address.rsplit("/", 1)[1])
        return found

    async def _fetch(self, address: str) -> StoredContext:
        """Fetch a remote context from a source that the settings allow, and keep it."""
        where = urlsplit(address)
        if where.scheme not in ("http", "https") or not ({where.hostname, where.netloc} & set(self._settings.sources)):
            raise LdContextNotAvailable(address=address)
        body = await _download(address)
        return await self.keep("Cached", body, SYSTEM, address)

    async def keep(self, kind: str, body: Any, actor: Actor, address: str | None = None, base: str = "") -> StoredContext:
        """Keep a context for good; one that users add is at an address of its own below `base`."""
        id_ = new_id().lower()
        made = StoredContext(id_, address or f"{base}{PATH}{id_}", kind, body, iso(self._clock.now()))

        def work(tx: Transaction) -> None:
            row = {"id": id_, "address": made.address, "kind": kind, "time": made.created}
            store.add_document(tx, {**row, "body": json.dumps(body, ensure_ascii=False)})
            tx.emit(ContextDocumentChanged(subject=made.address, change="added"))

        await self._records.write(work, actor)
        self._know(made)
        return made

    async def check(self, document: Any) -> None:
        """Raise unless it is a whole context that can be used here."""
        if not isinstance(document, dict) or "@context" not in document:
            raise BadRequestData.field("@context", "field.missing")
        parts: list[Mapping[str, Any]] = []
        await self._gather(document["@context"], parts, [], 0)
        build(parts, None, "check")

    async def delete(self, id_: str, actor: Actor, reload: bool) -> None:
        """Drop a kept context; with `reload` fetch a cached one again, and keep the old if that fails."""
        kept = self.find(id_)
        if kept is None:
            raise ResourceNotFound(kind="@context", name=id_)
        if reload and kept.kind != "Cached":
            raise BadRequestData.field("reload", "context.reload")
        body = await _download(kept.address) if reload else None

        def work(tx: Transaction) -> None:
            store.delete_document(tx, kept.id)
            tx.emit(ContextDocumentChanged(subject=kept.address, change="deleted"))

        await self._records.write(work, actor)
        self._kept.pop(kept.id, None)
        self._by_address.pop(kept.address, None)
        self._names.clear()
        self.version += 1
        if reload:
            await self.keep("Cached", body, actor, kept.address)

    def all(self) -> Iterable[StoredContext]:
        """All kept contexts, oldest first."""
        return list(self._kept.values())


def core_address(address: str) -> bool:
    """Whether it is the address of some version of the core context."""
    import re

    return re.fullmatch(core.CORE_PATTERN, address) is not None


def core_document() -> dict[str, Any]:
    """The core context as a document, from the terms of the standard."""
    return {"@context": {**core.PREFIXES, "id": "@id", "type": "@type", **core.TERMS, "@vocab": core.VOCABULARY}}


def _only_address(value: Any) -> str | None:
    """The one address that stands for a list, where the rest is the core."""
    if isinstance(value, list):
        other = [item for item in value if not (isinstance(item, str) and core_address(item))]
        if len(other) == 1 and isinstance(other[0], str):
            return other[0]
    return None


def _folder(folder: Path | None) -> dict[str, Any]:
    """The contexts in a folder by address, as its `index.json` names them."""
    if folder is None:
        return {}
    index = json.loads((folder / "index.json").read_text("utf-8"))
    return {address: json.loads((folder / name).read_text("utf-8")) for address, name in index.items()}


async def _download(address: str) -> Any:
    import httpx

    try:
        headers = {"Accept": "application/ld+json, application/json"}
        async with (
            httpx.AsyncClient(timeout=5.0, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", address, headers=headers) as answer,
        ):
            answer.raise_for_status()
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise LdContextNotAvailable(address=address)
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise BadRequestData.field("@context", "context.no_document", address=address) from error
    except httpx.HTTPError as error:
        raise LdContextNotAvailable(address=address) from error
