"""Problems: the one table from errors to HTTP answers, as RFC 9457 documents in the reader's language."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from mumian.kernel import errors
from mumian.kernel.errors import Fault, Invalid, MumianError
from mumian.kernel.i18n import preferred, text
from mumian.kernel.validation import faults_from

STATUS: dict[type[MumianError], int] = {
    errors.Malformed: 400,
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.Stale: 412,
    errors.Conflict: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.StorageFull: 507,
    errors.Unavailable: 503,
    errors.MissingPort: 503,
}
_TITLES = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
}
_TITLES |= {409: "conflict", 412: "stale", 413: "too-large", 415: "media-type", 422: "invalid", 429: "too-many"}
_TITLES |= {500: "internal", 503: "unavailable", 507: "storage-full"}
_log = logging.getLogger("mumian.web")
_FAULT = {
    "type": "object",
    "required": ["field", "key", "message"],
    "properties": {name: {"type": "string"} for name in ("field", "key", "message", "file")}
    | {"line": {"type": ["integer", "null"]}},
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "key"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "key")},
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": _FAULT},
    },
}
_CONTENT = {"application/problem+json": {"schema": _PROBLEM}}
DESCRIBED: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused; the problem says why and how to mend it.", "content": _CONTENT},
    "5XX": {"description": "Not possible just now.", "content": _CONTENT},
}


def status_of(error: MumianError) -> int:
    """The HTTP status of an error: that of its nearest class in the table."""
    return next((STATUS[c] for c in type(error).__mro__ if c in STATUS), 500)


def problem(error: MumianError, language: str) -> dict[str, Any]:
    """The RFC 9457 body of an error: type, title, status, detail, key, and one entry in `errors` for each fault."""
    status = status_of(error)
    return _body(status, error.key, text(error.key, language, **error.values), [_entry(f, language) for f in error.faults])


def _entry(fault: Fault, language: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"field": fault.field, "key": fault.key, "message": text(fault.key, language, **fault.values)}
    if fault.file is not None:
        entry |= {"file": fault.file, "line": fault.line}
    return entry


def _body(status: int, key: str, detail: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    name = _TITLES.get(status, "problem")
    body: dict[str, Any] = {"type": f"/problems/{name}", "title": name, "status": status, "detail": detail, "key": key}
    return body | ({"errors": entries} if entries else {})


def problem_response(error: MumianError, accept_language: str | None) -> JSONResponse:
    """An error as an HTTP answer."""
    body = problem(error, preferred(accept_language))
    headers = {"Content-Language": preferred(accept_language), "Vary": "Accept-Language"}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TooMany):
        headers["Retry-After"] = str(error.values.get("seconds", 1))
    return _answer(body, headers)


def install(app: FastAPI) -> None:
    """Let `app` answer every error as a problem; what nobody foresaw is logged and answered without its details."""
    app.add_exception_handler(MumianError, _expected)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, MumianError)
    if status_of(error) >= 500:
        _log.warning("%s %s: %s", request.method, request.url.path, error)
    return problem_response(error, request.headers.get("accept-language"))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    findings = list(error.errors())
    faults = faults_from([_placed(e) for e in findings], Fault)
    malformed = any(e["type"] == "json_invalid" for e in findings)
    raised = errors.Malformed(*faults) if malformed else Invalid(*faults)
    return problem_response(raised, request.headers.get("accept-language"))


def _placed(error: Mapping[str, Any]) -> dict[str, Any]:
    location = tuple(error["loc"])
    if location and location[0] == "body":
        location = () if error["type"] == "json_invalid" else location[1:]
    elif location and location[0] in ("query", "path", "header", "cookie"):
        location = location[1:]
    return {**error, "loc": location}


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    language = preferred(request.headers.get("accept-language"))
    keys = {404: "error.no_route", 405: "error.method", 400: "error.malformed"}
    key = keys.get(error.status_code, "error.invalid" if error.status_code < 500 else "error.internal")
    detail = text(key, language, path=request.url.path, method=request.method)
    headers = {**(error.headers or {}), "Content-Language": language}
    return _answer(_body(error.status_code, key, detail, []), headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    language = preferred(request.headers.get("accept-language"))
    return _answer(_body(500, "error.internal", text("error.internal", language), []), {"Content-Language": language})


def _answer(body: dict[str, Any], headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")
