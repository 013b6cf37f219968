"""The application: `/api/3/action/<name>`, GET and POST, JSON and forms, answered in CKAN's own shapes."""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mumian.elements.opening.ckan import groups, loading, reading, rows, searching, writing
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.errors import CkanError, missing, translated
from mumian.elements.opening.ckan.multipart import Reader, boundary_of
from mumian.elements.opening.rules.asking import Refused
from mumian.foundation.identity.api import authenticate
from mumian.kernel.errors import MumianError, TooLarge
from mumian.kernel.i18n import preferred
from mumian.kernel.platform import Platform

Action = Callable[[Ask], Awaitable[Any]]
_log = logging.getLogger("mumian.opening")
_READS: tuple[Action, ...] = (
    reading.package_list, reading.current_package_list_with_resources, reading.package_show, reading.package_autocomplete,
    reading.resource_show, reading.resource_search, reading.resource_view_list, reading.organization_list,
    reading.organization_show, reading.organization_list_for_user, reading.group_list, reading.group_show, reading.tag_list,
    reading.tag_show, reading.tag_search, reading.tag_autocomplete, reading.license_list, reading.user_list, reading.user_show,
    reading.status_show, reading.site_read, reading.vocabulary_list, searching.package_search,
    rows.datastore_search, rows.datastore_search_sql, rows.datastore_info,
)  # fmt: skip
_WRITES: tuple[Action, ...] = (
    writing.package_create, writing.package_update, writing.package_patch, writing.package_delete, writing.resource_create,
    writing.resource_update, writing.resource_patch, writing.resource_delete, groups.group_create, groups.group_update,
    groups.group_patch, groups.group_delete, groups.organization_create, groups.organization_update, groups.organization_patch,
    groups.organization_delete, loading.datastore_create, loading.datastore_upsert, loading.datastore_delete,
)  # fmt: skip
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


class Ckan:
    """Serves `/api/3` and `/api/action`; who shows no key sees what the public may see."""

    actions = ("open:read", "open:publish", "open:curate", "declaration:apply", "person:read")

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._reads = {action.__name__: action for action in (*_READS, _help)}
        self._reads["help_show"] = self._reads.pop("_help")
        self._actions = self._reads | {action.__name__: action for action in _WRITES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        status, body = await self._answer(request)
        content = b"" if request.method == "HEAD" else msgspec.json.encode(body)
        response = Response(content, status, _HEADERS, "application/json;charset=utf-8")
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> tuple[int, Any]:
        path = request.url.path.rstrip("/")
        if path in ("/api/3", "/api"):
            return 200, {"version": 3}
        name = path.rpartition("/action/")[2] if "/action/" in path else ""
        action = self._actions.get(name)
        if action is None:
            return 400, f"Bad request - Action name not known: {name[:100]}"
        if request.method not in ("GET", "HEAD", "POST") or (request.method != "POST" and name not in self._reads):
            return 400, "Bad request - Invalid request. Please use POST method for your request"
        told = {"help": f"{_address(request)}/api/3/action/help_show?name={name}"}
        uploads: list[Path] = []
        language = preferred(request.headers.get("accept-language"))
        try:
            ask = await self._asked(request, name, language, uploads)
            return 200, {**told, "success": True, "result": await action(ask)}
        except (CkanError, MumianError, Refused) as error:
            found = translated(error, language)
            if isinstance(found.error, str):
                return found.status, found.error
            return found.status, {**told, "success": False, "error": found.error}
        except Exception as error:
            _log.exception("%s %s failed", request.method, path)
            found = translated(error, language)
            return found.status, {**told, "success": False, "error": found.error}
        finally:
            for upload in uploads:
                upload.unlink(missing_ok=True)

    async def _asked(self, request: Request, name: str, language: str, uploads: list[Path]) -> Ask:
        caller = await authenticate(self._platform, _headers(request), request.method)
        peer = request.client.host if request.client is not None else "unknown"
        ask = Ask(self._platform, caller, {}, _address(request), peer, language, name)
        ask.must("open:read")
        data: dict[str, Any] = _pairs(request.url.query)
        if request.method != "POST":
            return replace(ask, data=data)
        kind = request.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            return await self._form(request, ask, data, kind, uploads)
        body = await _body(request, self._platform.settings.max_body_bytes)
        return replace(ask, data=data | _parsed(body, kind))

    async def _form(self, request: Request, ask: Ask, data: dict[str, Any], kind: str, uploads: list[Path]) -> Ask:
        """A form with files; only who may publish anything may send one."""
        if ask.caller.anonymous:
            ask.must("open:publish")
        reader = Reader(boundary_of(kind), self._platform.home / "uploads", ask.opening.settings.upload_bytes)
        try:
            await reader.read(request.stream())
        finally:
            uploads += reader.written
        return replace(ask, data=data | reader.fields, files=reader.files)


async def _help(ask: Ask) -> str:
    """Return the help string for a particular API action."""
    wanted = ask.text("name")
    found = next(
        (action for action in (*_READS, *_WRITES) if action.__name__ == wanted), _help if wanted == "help_show" else None
    )
    if found is None or found.__doc__ is None:
        raise missing("Action not found")
    return found.__doc__


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    """The headers with CKAN's bare keys as bearer tokens."""
    found = []
    for name, value in request.scope["headers"]:
        if name in (b"authorization", b"x-ckan-api-key") and value[:7].lower() != b"bearer ":
            found.append((b"authorization", b"Bearer " + value))
        else:
            found.append((name, value))
    return found


def _address(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _pairs(query: str) -> dict[str, Any]:
    """Parameters of a query or a form; those that come several times as a list."""
    found: dict[str, Any] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise CkanError(400, "Bad request - too many parameters") from None
    for name, value in pairs:
        if name in found:
            found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
        else:
            found[name] = value
    return found


async def _body(request: Request, most: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(limit=f"{most} bytes")
        parts.append(part)
    return b"".join(parts)


def _parsed(body: bytes, kind: str) -> dict[str, Any]:
    """The parameters in a body: JSON, also where it is sent as a form, as curl does by itself."""
    if not body:
        return {}
    if kind.startswith("application/x-www-form-urlencoded") and not body.lstrip().startswith((b"{", b"%7B", b"%7b")):
        return _pairs(body.decode("utf-8", "replace"))
    text = body.decode("utf-8", "replace")
    if text.lstrip()[:3].lower() == "%7b":
        text = next(iter(_pairs(text)), "")
    try:
        data = json.loads(text.rstrip("=") if kind.startswith("application/x-www-form") else text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise CkanError(400, f"Bad request - JSON Error: Error decoding JSON data. Error: {str(error)[:200]}") from None
    if not isinstance(data, dict):
        raise CkanError(400, "Bad request - JSON Error: Request data JSON decoded to something else than a dictionary")
    return data


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
