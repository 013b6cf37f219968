"""Errors as CKAN tells them: the status, `__type` and shape that its clients turn back into exceptions."""

from typing import Any

from mumian.elements.opening.rules.asking import Refused
from mumian.kernel import errors
from mumian.kernel.i18n import text
from mumian.kernel.web.problems import status_of


class CkanError(Exception):
    """What CKAN would answer: `status`, and `error` as it stands in the body; a text alone is a bad request."""

    def __init__(self, status: int, error: dict[str, Any] | str) -> None:
        self.status, self.error = status, error
        super().__init__(error)


def wrong(**faults: Any) -> CkanError:
    """A validation error: what is wrong, by parameter."""
    listed = {name: fault if isinstance(fault, list) else [fault] for name, fault in faults.items()}
    return CkanError(409, {**listed, "__type": "Validation Error"})


def missing(what: str = "") -> CkanError:
    """There is no such thing."""
    return CkanError(404, {"message": f"Not found: {what}" if what else "Not found", "__type": "Not Found Error"})


def denied(why: str = "") -> CkanError:
    """The caller may not."""
    return CkanError(403, {"message": f"Access denied: {why}" if why else "Access denied", "__type": "Authorization Error"})


def misread(query: str) -> CkanError:
    """A search that cannot be understood."""
    return CkanError(400, {"message": f"Search Query is invalid: {query!r}", "__type": "Search Query Error"})


def translated(error: Exception, language: str) -> CkanError:
    """What CKAN would answer for an error of this city."""
    if isinstance(error, CkanError):
        return error
    if isinstance(error, Refused):
        return wrong(**{error.part: f'invalid value "{error.value}"'})
    if not isinstance(error, errors.MumianError):
        return CkanError(500, {"message": text("error.internal", language), "__type": "Internal Server Error"})
    message = text(error.key, language, **error.values)
    if isinstance(error, errors.Invalid):
        return _invalid(error, message, language)
    if isinstance(error, errors.NotFound):
        return missing(message)
    if isinstance(error, errors.Forbidden | errors.Unauthenticated):
        return denied(message)
    kinds = {409: "Validation Error", 413: "Request Entity Too Large", 429: "Too Many Requests", 507: "Insufficient Storage"}
    status = status_of(error)
    return CkanError(status, {"message": message, "__type": kinds.get(status, "Service Unavailable")})


def _invalid(error: errors.Invalid, message: str, language: str) -> CkanError:
    """What is wrong, by parameter; of SQL that the gate refused by `query`."""
    faults: dict[str, list[str]] = {}
    for fault in error.faults:
        name = "query" if error.key == "protection.query" else fault.field or "message"
        faults.setdefault(name, []).append(text(fault.key, language, **fault.values))
    return wrong(**(faults or {"message": [message]}))
