"""Files as a source: those of the inbox that were not taken yet, one that was uploaded, or objects of a store."""

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mumian.elements.collection.contracts import Batch
from mumian.elements.collection.errors import SourceFailed
from mumian.elements.collection.models import ConnectorSpec, FilesSource, ObjectsSource, Reading
from mumian.elements.collection.sources.context import Anew, Context, inside, secret
from mumian.elements.collection.sources.formats import chunks
from mumian.elements.collection.sources.guard import check

_MOST_FILES = 10_000


@dataclass(frozen=True)
class File:
    """A file to be read: what it is called, by what one sees that it changed, and how to have it on the disk."""

    name: str
    mark: str
    bytes: int
    fetch: Callable[[], Path]


def files(spec: ConnectorSpec, source: FilesSource, context: Context) -> Iterator[Batch]:
    """Batches of the uploaded file, or of files of the inbox."""
    if "path" in context.given:
        path = Path(str(context.given["path"]))
        if not path.is_file():
            raise SourceFailed(reason="the uploaded file is gone")
        one = File(str(context.given.get("file", path.name)), "upload", path.stat().st_size, lambda: path)
        return _read([one], source.reading, context)
    if source.path is None:
        raise SourceFailed(reason="there is no uploaded file")
    return _read(_wanted(_inbox(source.path, context), spec, context), source.reading, context)


def objects(spec: ConnectorSpec, source: ObjectsSource, context: Context) -> Iterator[Batch]:
    """Batches of objects in S3 or the own store."""
    found = _own(source, context) if source.bucket is None else _s3(source, context)
    return _read(_wanted(found, spec, context), source.reading, context)


def _inbox(pattern: str, context: Context) -> list[File]:
    context.inbox.mkdir(parents=True, exist_ok=True)
    found = []
    for path in sorted(context.inbox.glob(pattern)):
        try:
            real = inside(context.inbox, str(path.relative_to(context.inbox)))
        except ValueError:
            continue
        if real.is_file() and not path.name.startswith("."):
            told = real.stat()
            name = path.relative_to(context.inbox).as_posix()
            found.append(File(name, f"{told.st_size}:{told.st_mtime_ns}", told.st_size, lambda real=real: real))  # type: ignore[misc]
    return found


def _own(source: ObjectsSource, context: Context) -> list[File]:
    found = []
    for key in context.objects.list(source.prefix):
        if not fnmatch.fnmatchcase(key.removeprefix(source.prefix), source.pattern):
            continue
        told = context.objects.stat(key)

        def fetch(key: str = key) -> Path:
            path = context.scratch / "object"
            path.write_bytes(context.objects.get(key))
            return path

        found.append(File(key, told.etag, told.size, fetch))
    return found


def _s3(source: ObjectsSource, context: Context) -> list[File]:
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise SourceFailed(reason="install it with: pip install 'mumian[s3]'") from error
    options: dict[str, Any] = {"region": source.region, "client_options": {"timeout": f"{context.settings.timeout_seconds}s"}}
    endpoint = source.endpoint or f"https://s3.{source.region}.amazonaws.com"
    _checked(endpoint, context)
    if source.endpoint is not None:
        options |= {"endpoint": source.endpoint, "virtual_hosted_style_request": False}
        options["client_options"]["allow_http"] = source.endpoint.startswith("http://")
    if source.secret is None:
        options["skip_signature"] = True
    else:
        key, _, word = secret(source.secret).partition(":")
        options |= {"access_key_id": key, "secret_access_key": word}
    store = S3Store(str(source.bucket), **options)
    return _listed(store, source, context)


def _checked(endpoint: str, context: Context) -> None:
    from urllib.parse import urlsplit

    parts = urlsplit(endpoint)
    check(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), context.settings.hosts)


def _listed(store: Any, source: ObjectsSource, context: Context) -> list[File]:
    from obstore.exceptions import BaseError

    found = []
    folder = source.prefix.rpartition("/")[0]
    try:
        for page in store.list(folder or None):
            for told in page:
                key = told["path"]
                if key.startswith(source.prefix) and fnmatch.fnmatchcase(key.removeprefix(source.prefix), source.pattern):
                    mark = str(told.get("e_tag") or f"{told['size']}:{told['last_modified']}")
                    found.append(File(key, mark, told["size"], _fetching(store, key, context)))
    except BaseError as error:
        raise SourceFailed(reason=f"{type(error).__name__}: {str(error)[:200]}") from error
    return sorted(found, key=lambda each: each.name)


def _fetching(store: Any, key: str, context: Context) -> Callable[[], Path]:
    def fetch() -> Path:
        from obstore.exceptions import BaseError

        path = context.scratch / "object"
        try:
            with path.open("wb") as stream:
                for part in store.get(key).stream(min_chunk_size=1 << 20):
                    context.check()
                    stream.write(bytes(part))
        except BaseError as error:
            raise SourceFailed(reason=f"{type(error).__name__}: {str(error)[:200]}") from error
        return path

    return fetch


def _wanted(found: list[File], spec: ConnectorSpec, context: Context) -> list[File]:
    """All files where they replace everything, else those that are new or changed."""
    if len(found) > _MOST_FILES:
        raise SourceFailed(reason=f"more than {_MOST_FILES} files")
    if spec.mode == "replace":
        return found
    return [each for each in found if context.taken.get(each.name) != each.mark]


def _read(found: list[File], reading: Reading, context: Context) -> Iterator[Batch]:
    """Batches file by file; the position tells all files that the run consists of, so that none comes in between."""
    plan, start, skip = [[each.name, each.mark] for each in found], 0, 0
    if context.position is not None:
        plan, start, skip = context.position["files"], context.position["file"], context.position["row"]
        by_name = {each.name: each for each in found}
        found = [by_name[name] for name, mark in plan if name in by_name and by_name[name].mark == mark]
        if len(found) != len(plan):
            raise Anew
    for i in range(start, len(found)):
        path = found[i].fetch()
        context.check()
        size = found[i].bytes
        for chunk in chunks(path, found[i].name, reading, context.settings, context.scratch, skip):
            position = {"files": plan, "file": i, "row": chunk.at}
            loose = bool(chunk.told and chunk.told.get("format") in ("json", "jsonl", "geojson"))
            told = None if chunk.told is None else {**chunk.told, "loose": loose, "bytes": found[i].bytes}
            yield Batch(
                chunk.columns, chunk.rows, chunk.lines, found[i].name, position, chunk.types, None, size, chunk.mended,
                tuple(chunk.faults), told, chunk.total,
            )  # fmt: skip
            size = 0
        skip = 0
