"""Requests and answers: bodies, media types, where the @context comes from and where it goes (6.3.4–6.3.6)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope

from mumian.foundation.context.api import Context
from mumian.foundation.context.errors import BadRequestData, InvalidRequest, LengthRequired, MediaType, NotAcceptable
from mumian.foundation.context.rules import core
from mumian.foundation.context.rules.names import Names
from mumian.foundation.identity.api import Caller
from mumian.kernel.errors import TooLarge

PREFIX = "/ngsi-ld/v1"
JSON, LD, GEO, MERGE = "application/json", "application/ld+json", "application/geo+json", "application/merge-patch+json"
REL = "http://www.w3.org/ns/json-ld#context"
Header = tuple[bytes, bytes]
_LINK = re.compile(r"<([^>]*)>\s*((?:;[^,]*)*)")
_DEEPEST = 60
_OTHER_BYTES = bytes(set(range(256)) - set(b"[]{}"))
encode = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class Request:
    """What a handler needs of a request: `segments` are the parts of the path below the root, decoded."""

    scope: Scope
    method: str
    segments: tuple[str, ...]
    headers: dict[bytes, bytes]
    caller: Caller
    context: Context
    body: bytes = b""
    known: dict[str, str] | None = field(default=None)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query; raises BadRequestData for one given twice."""
        if self.known is None:
            self.known = parameters(self.scope.get("query_string", b""))
        return self.known

    @property
    def base(self) -> str:
        """The address of the server."""
        host = self.headers.get(b"host", b"localhost").decode("latin-1")
        forwarded = self.headers.get(b"x-forwarded-proto", b"").decode("latin-1")
        scheme = forwarded if forwarded in ("http", "https") else self.scope.get("scheme", "http")
        return f"{scheme}://{host}"

    def text(self, header: bytes) -> str:
        """A header as text; empty if it is not there."""
        return self.headers.get(header, b"").decode("latin-1")


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """An answer: status, bytes, media type and further headers."""

    status: int
    body: bytes = b""
    media: str = JSON
    headers: Sequence[Header] = ()


@lru_cache(maxsize=4096)
def _parameters(query: bytes) -> tuple[tuple[str, str], ...]:
    try:
        pairs = parse_qsl(query.decode("utf-8"), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise InvalidRequest.field("", "field.syntax", reason=str(error)[:100]) from error
    if len(dict(pairs)) < len(pairs):
        raise BadRequestData.field("", "context.parameter_twice")
    return tuple(pairs)


def parameters(query: bytes) -> dict[str, str]:
    """The parameters of a query string."""
    return dict(_parameters(query)) if query else {}


async def read_body(receive: Receive, headers: dict[bytes, bytes], most: int) -> bytes:
    """The whole body; raises LengthRequired, TooLarge."""
    declared = headers.get(b"content-length")
    if declared is None:
        raise LengthRequired
    if declared.isdigit() and int(declared) > most:
        raise TooLarge(limit=f"{most} bytes")
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise TooLarge(limit=f"{most} bytes")
    return b"".join(parts)


def media_type(request: Request, allowed: Sequence[str] = (JSON, LD)) -> str:
    """The media type of the body; raises MediaType."""
    given = request.text(b"content-type").partition(";")[0].strip().lower()
    if given not in allowed:
        raise MediaType(given=given or "-", expected=", ".join(allowed))
    return given


def decoded(body: bytes) -> Any:
    """JSON of a body; raises InvalidRequest."""
    try:
        if not _shallow(body):
            _check_depth(body)
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest.field("", "field.syntax", reason=str(error)[:200]) from error


def _shallow(body: bytes) -> bool:
    """Whether brackets alone say that nothing nests too deep; where texts hold brackets they may not say so."""
    brackets = body.translate(None, _OTHER_BYTES)
    for _ in range(_DEEPEST // 2):
        if not brackets:
            return True
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return False


def _check_depth(body: bytes) -> None:
    """Refuse what nests too deep before anything recurses into it; brackets inside of texts are no nesting."""
    depth = 0
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', body):
        mark = token[0][:1]
        if mark in b"[{":
            depth += 1
            if depth > _DEEPEST:
                raise InvalidRequest.field("", "context.too_deep", limit=_DEEPEST)
        elif mark in b"]}":
            depth -= 1


def link_context(request: Request) -> str | None:
    """The address of the @context in the Link header; None if there is none."""
    header = request.headers.get(b"link")
    if header is None:
        return None
    for target, rest in _LINK.findall(header.decode("latin-1")):
        if REL in rest:
            return str(target)
    return None


async def payload(request: Request, allowed: Sequence[str] = (JSON, LD)) -> tuple[Any, Names]:
    """The body and the names it is written in; raises InvalidRequest, BadRequestData, MediaType, LdContextNotAvailable."""
    media = media_type(request, allowed)
    document = decoded(request.body)
    link = link_context(request)
    if media == LD:
        if link is not None:
            raise BadRequestData.field("Link", "context.link_in_ld")
        if isinstance(document, list):
            return document, await request.context.contexts.names(None)
        if not isinstance(document, dict) or "@context" not in document:
            raise BadRequestData.field("@context", "field.missing")
        return document, await request.context.contexts.names(document["@context"])
    if isinstance(document, dict) and "@context" in document:
        raise BadRequestData.field("@context", "context.context_in_json")
    return document, await request.context.contexts.names(link)


async def reading_names(request: Request) -> Names:
    """The names that an answer is to be written in."""
    return await request.context.contexts.names(link_context(request))


@lru_cache(maxsize=256)
def _accepted(header: str, offered: tuple[str, ...]) -> str:
    ranges: list[tuple[float, int, str]] = []
    for part in header.split(","):
        kind, _, rest = part.strip().partition(";")
        weight = 1.0
        for parameter in rest.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        ranges.append((weight, 2 - kind.count("*"), kind.strip().lower()))
    best: tuple[float, int] = (0.0, 0)
    chosen = ""
    for place, media in enumerate(offered):
        fitting = [(exact, weight) for weight, exact, kind in ranges if _covers(kind, media)]
        if fitting:
            weight = max(fitting)[1]
            if (weight > 0 and (weight, -place) > best) or (weight > 0 and not chosen):
                best, chosen = (weight, -place), media
    if not chosen:
        raise NotAcceptable(given=header[:200], expected=", ".join(offered))
    return chosen


def _covers(kind: str, media: str) -> bool:
    return kind in (media, "*/*") or (kind.endswith("/*") and media.startswith(kind[:-1]))


def accepted(request: Request, offered: tuple[str, ...] = (JSON, LD)) -> str:
    """The media type to answer in; raises NotAcceptable."""
    header = request.headers.get(b"accept")
    return offered[0] if not header else _accepted(header.decode("latin-1"), offered)


@lru_cache(maxsize=1024)
def link_header(address: str | None) -> Header:
    """The Link header that tells a reader of plain JSON where the @context is."""
    where = (address or core.CORE_ADDRESS).encode("ascii", "ignore")
    return b"link", b'<%b>; rel="%b"; type="application/ld+json"' % (where, REL.encode())


def context_value(names: Names) -> Any:
    """What stands under `@context` in an answer in JSON-LD."""
    if names.address is None:
        return core.CORE_ADDRESS
    return names.address


def shown(value: Any, names: Names, media: str, status: int = 200, headers: Sequence[Header] = ()) -> Answer:
    """An answer in the media type agreed: in JSON-LD with `@context` inside of every object, otherwise with a Link header."""
    if media == JSON:
        return Answer(status, encode(value), JSON, (link_header(names.address), *headers))
    context = context_value(names)
    if isinstance(value, list):
        value = [{**item, "@context": context} if isinstance(item, dict) else item for item in value]
    else:
        value = {**value, "@context": context}
    return Answer(status, encode(value), media, headers)
