"""Keeping: records of packages and groups, and uploaded files, in one commit with the events that tell of them."""

import asyncio
import json
import mimetypes
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mumian.elements.opening.ckan import shapes
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.errors import wrong
from mumian.elements.opening.ckan.multipart import Upload
from mumian.elements.opening.events import FileKept, PackageDropped, PackageKept
from mumian.elements.opening.store import records
from mumian.kernel.clock import iso
from mumian.kernel.errors import StorageFull
from mumian.kernel.unit_of_work import Row, Transaction, encode

_MOST = 1_000_000
_SAFE_MEDIA = {"text/html", "application/xhtml+xml", "image/svg+xml", "text/javascript", "application/javascript"}


def kept_resources(ask: Ask, listed: list[dict[str, Any]], wanted: str | None) -> list[dict[str, Any]]:
    """Resources as they are kept; the file of an upload belongs to the one that is `wanted`."""
    now = shapes.naive(iso(ask.platform.clock.now()))
    found = []
    for given in listed:
        id_ = given["id"]
        if not isinstance(id_, str) or not 1 <= len(id_) <= 100 or not id_.isprintable() or "/" in id_ or "\\" in id_:
            raise wrong(id="Must be a short text without slashes")
        url = given.get("url") or ""
        if (
            not isinstance(url, str)
            or len(url) > 2000
            or url.lower().lstrip().startswith(("javascript:", "data:", "vbscript:", "file:"))
        ):
            raise wrong(url="Must be a web address")
        plain = {
            key: value for key, value in given.items() if key not in ("package_id", "position", "tracking_summary", "upload")
        }
        one = shapes.resource(id_, url, str(given.get("format") or "")) | plain
        one["created"] = one.get("created") or now
        upload = ask.files.get("upload")
        if id_ == wanted:
            one["metadata_modified"] = now
            if upload is not None:
                one |= _file(ask, id_, upload, given)
        found.append(one)
    if len({one["id"] for one in found}) < len(found):
        raise wrong(resources="Two resources have the same id")
    return found


def _file(ask: Ask, id_: str, upload: Upload, given: dict[str, Any]) -> dict[str, Any]:
    name = _name(upload.name)
    ending = name.rpartition(".")[2].upper() if "." in name else ""
    return {
        "url": f"{ask.address}/api/v1/elements/opening/files/{quote(id_)}/{quote(name)}",
        "url_type": "upload",
        "size": upload.size,
        "hash": upload.sha256,
        "mimetype": _media(name),
        "format": str(given.get("format") or ending)[:40],
        "last_modified": shapes.naive(iso(ask.platform.clock.now())),
        "name": given.get("name") or name,
    }


def _name(given: str) -> str:
    """The last part of a file's name, without what no file system or header takes."""
    plain = "".join(c if c.isprintable() and c not in '/\\:*?"<>|' else "-" for c in given)[-150:].strip(". ")
    return plain or "file"


def _media(name: str) -> str:
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return "text/plain" if media in _SAFE_MEDIA else media


async def put_record(
    ask: Ask,
    kind: str,
    name: str,
    id_: str,
    declared: str,
    record: dict[str, Any],
    resources: list[str],
    wanted: str | None = None,
) -> None:
    """Keep a record, and the file that came with it."""
    text = encode(record).decode()
    if len(text) > _MOST:
        raise wrong(message="The package is too large")
    upload = ask.files.get("upload") if wanted is not None else None
    old = await ask.platform.records.read(lambda session: None if wanted is None else records.file(session, wanted))
    path = None if upload is None else await _move(ask, upload)

    def work(tx: Transaction) -> None:
        records.put(tx, kind, name, id_, declared, text)
        if kind == "package":
            records.place(tx, declared, resources)
        tx.emit(PackageKept(subject=f"{kind} {name}", digest=sha256(text.encode()).hexdigest()))
        if upload is not None and path is not None and wanted is not None:
            records.keep_file(tx, wanted, _name(upload.name), _media(_name(upload.name)), upload.size, upload.sha256, path)
            tx.emit(FileKept(subject=wanted, bytes=upload.size, sha256=upload.sha256))

    await ask.platform.records.write(work, ask.caller.actor)
    if upload is not None and old is not None:
        (ask.platform.home / old["path"]).unlink(missing_ok=True)


async def _move(ask: Ask, upload: Upload) -> str:
    """Give an upload its place; the name of the file that came has no part in it."""
    used = await ask.platform.records.read(records.stored)
    if used + upload.size > ask.opening.settings.uploads_bytes:
        raise StorageFull
    path = Path("uploads") / upload.path.with_suffix(".kept").name
    await asyncio.to_thread(upload.path.rename, ask.platform.home / path)
    return path.as_posix()


async def drop_record(ask: Ask, kind: str, row: Row) -> None:
    """Forget a record with its files."""
    held = [one["id"] for one in json.loads(row["record"]).get("resources", ())]

    def work(tx: Transaction) -> None:
        records.drop(tx, kind, row["name"])
        if kind == "package":
            records.place(tx, row["declared"], [])
        tx.emit(PackageDropped(subject=f"{kind} {row['name']}"))

    await files_of(ask, held)
    await ask.platform.records.write(work, ask.caller.actor)


async def files_of(ask: Ask, resources: list[str]) -> None:
    """Remove the uploaded files of resources."""
    for id_ in resources:
        found = await ask.platform.records.read(lambda session, i=id_: records.file(session, i))  # type: ignore[misc]
        if found is not None:
            await ask.platform.records.write(lambda tx, i=id_: records.drop_file(tx, i), ask.caller.actor)  # type: ignore[misc]
            await asyncio.to_thread((ask.platform.home / found["path"]).unlink, missing_ok=True)
