"""Refusing: every error as the problem that NGSI-LD names for it (RFC 9457, and ETSI GS CIM 009, 5.5.2 and 6.3.2)."""

from typing import Any

import msgspec

from mumian.foundation.context import errors
from mumian.foundation.context.ngsild.request import JSON, Answer, Header
from mumian.kernel.errors import Conflict, Invalid, Malformed, MumianError, NotFound, TooLarge, Unavailable
from mumian.kernel.i18n import preferred, text
from mumian.kernel.web.problems import problem, status_of

_ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
_TABLE: dict[type[MumianError], tuple[int, str]] = {
    errors.BadRequestData: (400, "BadRequestData"),
    errors.InvalidRequest: (400, "InvalidRequest"),
    errors.AlreadyExists: (409, "AlreadyExists"),
    errors.ResourceNotFound: (404, "ResourceNotFound"),
    errors.OperationNotSupported: (422, "OperationNotSupported"),
    errors.LdContextNotAvailable: (504, "LdContextNotAvailable"),
    errors.NoTenants: (501, "NoMultiTenantSupport"),
    errors.TooComplexQuery: (403, "TooComplexQuery"),
    errors.MediaType: (415, "InvalidRequest"),
    errors.NotAcceptable: (406, "InvalidRequest"),
    errors.LengthRequired: (411, "InvalidRequest"),
    errors.NotAllowed: (405, "OperationNotSupported"),
    Malformed: (400, "InvalidRequest"),
    Invalid: (400, "BadRequestData"),
    NotFound: (404, "ResourceNotFound"),
    Conflict: (409, "AlreadyExists"),
    TooLarge: (413, "InvalidRequest"),
    Unavailable: (503, "InternalError"),
}


def details(error: MumianError, language: str) -> dict[str, Any]:
    """The ProblemDetails of an error, with the fields at fault."""
    body = problem(error, language)
    known = next((_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE), None)
    status, name = known or (status_of(error), "InternalError" if status_of(error) >= 500 else "BadRequestData")
    if isinstance(error, errors.NotAllowed):
        body["detail"] = text(error.key, language, **error.values)
    address = body["type"] if status in (401, 403, 429) and known is None else _ERRORS + name
    return {**body, "type": address, "title": name if known else body["title"], "status": status}


def refusal(error: MumianError, headers: dict[bytes, bytes]) -> Answer:
    """An error as an answer in the reader's language."""
    language = preferred(headers.get(b"accept-language", b"").decode("latin-1"))
    body = details(error, language)
    extra: list[Header] = [(b"content-language", language.encode()), (b"vary", b"Accept-Language")]
    if body["status"] == 401:
        extra.append((b"www-authenticate", b"Bearer"))
    return Answer(body["status"], msgspec.json.encode(body), JSON, extra)
