"""What a handler needs of a request, and the answers that it gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from mumian.foundation.identity.api import Caller, require
from mumian.foundation.spatial.api import Spatial
from mumian.foundation.spatial.models import LayerSpec
from mumian.kernel.errors import Fault, Invalid, TooLarge
from mumian.kernel.i18n import preferred
from mumian.kernel.platform import Platform

PREFIX = "/ogc"
GEOJSON = "application/geo+json"
MOST_BODY = 4_000_000
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Ask:
    """A request whose caller is known."""

    request: Request
    platform: Platform
    caller: Caller

    @property
    def spatial(self) -> Spatial:
        """The spatial base."""
        return self.platform.get(Spatial)

    @property
    def base(self) -> str:
        """The address of the face's root, without a slash at the end."""
        headers = self.request.headers
        forwarded = headers.get("x-forwarded-proto", "")
        scheme = forwarded if forwarded in ("http", "https") else self.request.scope.get("scheme", "http")
        return f"{scheme}://{headers.get('host', 'localhost')}{PREFIX}"

    @property
    def query(self) -> QueryParams:
        """The parameters of the query."""
        return self.request.query_params

    @property
    def language(self) -> str:
        """zh or en."""
        return preferred(self.request.headers.get("accept-language"))

    @property
    def collection(self) -> str:
        """The layer that the path names."""
        return str(self.request.path_params["collection"])

    @property
    def html(self) -> bool:
        """Whether a person reads the answer: `f=html`, or a browser's Accept header."""
        asked = self.query.get("f")
        if asked is not None:
            return asked == "html"
        accepted = self.request.headers.get("accept", "")
        first = accepted.split(",")[0].split(";")[0].strip()
        return first == "text/html"

    def layer(self, action: str) -> LayerSpec:
        """The declaration of the layer that the path names, once the caller may do `action` with it; raises NotFound."""
        spec = self.spatial.layers.spec(self.collection)
        require(self.caller, action, spec.owner)
        return spec

    def allow(self, names: Iterable[str]) -> None:
        """Refuse parameters that are not among these; raises Invalid."""
        known = {"f", *names}
        unknown = [name for name in self.query if name not in known]
        twice = [name for name in set(self.query.keys()) if len(self.query.getlist(name)) > 1]
        if unknown or twice:
            raise Invalid(
                *(Fault(name[:100], "spatial.parameter", {"known": ", ".join(sorted(known))}) for name in unknown + twice)
            )
        if self.query.get("f", "json") not in ("json", "html", "geojson", "mvt"):
            raise Invalid.field("f", "field.choice", expected="json, html")

    def url(self, path: str, **query: Any) -> str:
        """An address of the face."""
        text = "/".join(quote(part, safe="{}") for part in path.split("/"))
        given = {k.replace("_", "-"): v for k, v in query.items() if v is not None}
        return f"{self.base}{text}" + (f"?{urlencode(given)}" if given else "")

    def link(self, rel: str, path: str, type_: str = "application/json", title: str = "", **query: Any) -> dict[str, str]:
        """A link in a document."""
        made = {"rel": rel, "type": type_, "href": self.url(path, **query)}
        return made | ({"title": title} if title else {})


async def body_of(request: Request, most: int = MOST_BODY) -> bytes:
    """The body of a request, at most so many bytes; raises TooLarge."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(limit=f"{most} bytes")
        parts.append(part)
    return b"".join(parts)


def json_answer(
    content: Any, status: int = 200, type_: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON document."""
    return Response(msgspec.json.encode(content), status, headers, type_)


def html_answer(text: str) -> Response:
    """A page."""
    return Response(text, 200, {"Vary": "Accept, Accept-Language"}, _HTML)
