"""Interfaces over HTTP as a source: page after page, and SensorThings services."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from mumian.elements.collection.contracts import Batch
from mumian.elements.collection.errors import SourceFailed
from mumian.elements.collection.models import ConnectorSpec, HttpSource, Paging, Reading, SensorThingsSource
from mumian.elements.collection.rules import marks
from mumian.elements.collection.rules.documents import at
from mumian.elements.collection.sources.context import Context
from mumian.elements.collection.sources.fetching import Answer, Fetcher
from mumian.elements.collection.sources.formats import Chunk, chunks, document, kind_of
from mumian.elements.collection.sources.unpacking import unpacked
from mumian.kernel.errors import MumianError

_TYPES = {
    "text/csv": "csv", "application/json": "json", "application/geo+json": "geojson", "application/x-ndjson": "jsonl",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx", "application/vnd.apache.parquet": "parquet",
}  # fmt: skip
_LINK = re.compile(r"<([^>]*)>\s*((?:;[^,<]*)*)")


def http(spec: ConnectorSpec, source: HttpSource, context: Context) -> Iterator[Batch]:
    """Batches of an interface or of a file at an address; raises SourceFailed."""
    params = dict(source.params)
    if source.since is not None and context.watermark is not None:
        params[source.since] = str(marks.shown(context.watermark))
    fetcher = Fetcher(context, source.auth, source.headers)
    try:
        if source.paging.by == "none":
            yield from _file(source, params, fetcher, context)
        else:
            yield from _paged(source, params, fetcher, context)
    finally:
        fetcher.close()


def sensorthings(spec: ConnectorSpec, source: SensorThingsSource, context: Context) -> Iterator[Batch]:
    """Batches of entities, along @iot.nextLink; the watermark is a property that the service can order by."""
    params = {"$top": str(source.page)}
    filters = [f"({source.filter})"] if source.filter else []
    if spec.watermark:
        path = spec.watermark.replace(".", "/")
        params["$orderby"] = f"{path} asc"
        if context.watermark:
            reached = str(marks.shown(context.watermark)).split("/")[-1]
            filters.append(f"{path} {'ge' if spec.mode == 'upsert' else 'gt'} {reached}")
    if filters:
        params["$filter"] = " and ".join(filters)
    if source.expand:
        params["$expand"] = source.expand
    paging = Paging(by="next", at="@iot.nextLink", total="@iot.count")
    url = f"{source.url.rstrip('/')}/{source.entities}"
    asked = HttpSource(
        kind="http", url=url, params=params, auth=source.auth, paging=paging, reading=Reading(format="json", rows="value")
    )
    return http(spec, asked, context)


def _file(source: HttpSource, params: dict[str, str], fetcher: Fetcher, context: Context) -> Iterator[Batch]:
    """One answer that holds everything; after a break it is fetched again if it is still the same."""
    path = context.scratch / "answer"
    answer = fetcher.get(source.url, params, path, context.settings.upload_bytes)
    mark = answer.headers.get("etag") or f"{answer.bytes}"
    skip = 0
    if context.position is not None and context.position.get("mark") == mark:
        skip = int(context.position["row"])
    elif context.position is not None:
        from mumian.elements.collection.sources.context import Anew

        raise Anew
    place, size = source.url.split("?")[0], answer.bytes
    for chunk in chunks(path, _name(source.url), _reading(source.reading, answer), context.settings, context.scratch, skip):
        yield _batch(chunk, place, {"mark": mark, "row": chunk.at}, size, chunk.lines)
        size = 0


def _paged(source: HttpSource, params: dict[str, str], fetcher: Fetcher, context: Context) -> Iterator[Batch]:
    paging = source.paging
    place: dict[str, Any] = context.position or {"page": 0, "rows": 0, "next": None}
    seen: set[str] = set()
    while place["page"] < paging.most:
        url, asked = _asked(source, params, place)
        path = context.scratch / "answer"
        answer = fetcher.get(url, asked, path, context.settings.page_bytes)
        reading = _reading(source.reading, answer)
        chunk = _page(path, source, reading, context) if answer.bytes else Chunk([])
        count = len(chunk.rows) + len(chunk.faults)
        following = _following(source, answer, reading, context)
        number, rows = place["page"] + 1, place["rows"]
        place = {"page": number, "rows": rows + count, "next": following}
        chunk.total = _total(paging, answer, reading, context)
        yield _batch(chunk, f"page {number}", place, answer.bytes, list(range(rows + 1, rows + len(chunk.rows) + 1)))
        if _ended(paging, count, following):
            return
        _check_progress(following, seen)
    raise SourceFailed(reason=f"more than {paging.most} pages")


def _page(path: Path, source: HttpSource, reading: Reading, context: Context) -> Chunk:
    """A page as one batch: from within a page there is no going on."""
    found = list(chunks(path, _name(source.url), reading, context.settings, context.scratch, 0))
    columns = list(dict.fromkeys(column for chunk in found for column in chunk.columns))
    whole = Chunk(columns, told=found[0].told if found else None, types=found[0].types if found else {})
    for chunk in found:
        places = [chunk.columns.index(column) if column in chunk.columns else -1 for column in columns]
        whole.rows += [[row[i] if i >= 0 else None for i in places] for row in chunk.rows]
        whole.faults += chunk.faults
        whole.mended += chunk.mended
    return whole


def _check_progress(following: str | None, seen: set[str]) -> None:
    if following is None:
        return
    if following in seen:
        raise SourceFailed(reason="its pages go round in circles")
    seen.add(following)


def _asked(source: HttpSource, params: dict[str, str], place: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The address and parameters of the next page."""
    paging, following = source.paging, place["next"]
    if paging.by in ("link", "next") and following is not None:
        return urljoin(source.url, following), {}
    asked = dict(params)
    if paging.size_parameter:
        asked[paging.size_parameter] = str(paging.size)
    if paging.by == "page":
        asked[paging.parameter] = str(paging.first + place["page"])
    elif paging.by == "offset":
        asked[paging.parameter] = str(place["rows"])
    elif paging.by == "cursor" and following is not None:
        asked[paging.parameter] = following
    return source.url, asked


def _ended(paging: Paging, count: int, following: str | None) -> bool:
    if paging.by in ("cursor", "link", "next"):
        return following is None
    return count == 0 or (paging.size_parameter is not None and count < paging.size)


def _following(source: HttpSource, answer: Answer, reading: Reading, context: Context) -> str | None:
    paging = source.paging
    if paging.by == "link":
        return _linked(answer)
    if paging.by not in ("cursor", "next"):
        return None
    found = at(document(answer.path, context.settings.json_bytes), paging.at)
    if found in (None, "", False):
        return None
    return urljoin(answer.url, str(found)) if paging.by == "next" else str(found)


def _linked(answer: Answer) -> str | None:
    """The address of the Link header whose relation is next (RFC 8288)."""
    for url, told in _LINK.findall(answer.headers.get("link", "")):
        if re.search(r';\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?', told, re.IGNORECASE):
            return str(urljoin(answer.url, url))
    return None


def _total(paging: Paging, answer: Answer, reading: Reading, context: Context) -> int | None:
    if not paging.total or reading.format not in ("json", "geojson"):
        return None
    try:
        found = at(document(answer.path, context.settings.json_bytes), paging.total)
    except MumianError:
        return None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _reading(reading: Reading, answer: Answer) -> Reading:
    """How an answer is read: where nothing is declared its media type tells."""
    if reading.format != "auto":
        return reading
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    plain, inner = unpacked(answer.path, "", answer.path.parent, 1 << 40) if media == "application/zip" else (answer.path, "")
    return reading.model_copy(update={"format": _TYPES.get(media) or kind_of(plain, inner or _name(answer.url), "auto")})


def _name(url: str) -> str:
    return url.split("?", maxsplit=1)[0].rstrip("/").rpartition("/")[2] or "answer"


def _batch(chunk: Chunk, place: str, position: Any, size: int, lines: list[int]) -> Batch:
    told = chunk.told
    if told is not None:
        told = {**told, "loose": told.get("format") in ("json", "jsonl", "geojson")}
    faults = tuple(chunk.faults)
    return Batch(
        chunk.columns, chunk.rows, lines, place, position, chunk.types, None, size, chunk.mended, faults, told, chunk.total
    )
