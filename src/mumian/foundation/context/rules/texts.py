"""Texts that must have a form: identifiers (URIs), instants, names of attributes, scopes."""

import re
from datetime import UTC, datetime

from mumian.foundation.context.errors import BadRequestData

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f]+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d{1,6}\d*)?(Z|[+-]\d\d:\d\d)")
_NAME = re.compile(r"[^\s<>\"'=;()\x00-\x1f,|\[\]{}\\^`]+")
_SCOPE = re.compile(r"/?[^\W\d][\w-]*(/[^\W\d][\w-]*)*/?")
LONGEST = 2000


def is_uri(text: object) -> bool:
    """Whether it is an absolute URI (or IRI)."""
    return isinstance(text, str) and len(text) <= LONGEST and _URI.fullmatch(text) is not None


def uri(text: object, field: str) -> str:
    """An absolute URI; raises BadRequestData."""
    if not is_uri(text):
        raise BadRequestData.field(field, "context.uri", given=str(text)[:200])
    return str(text)


def microseconds(text: object) -> int | None:
    """An ISO 8601 instant as µs since 1970-01-01 UTC; None if it is none."""
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        return None
    text = text.replace(",", ".")
    head, point, rest = text.partition(".")
    if point:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{head}.{digits[:6]:0<6}{rest[len(digits) :]}"
    try:
        delta = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def moment(text: object, field: str) -> int:
    """An instant in µs since 1970-01-01 UTC; raises BadRequestData."""
    found = microseconds(text)
    if found is None:
        raise BadRequestData.field(field, "context.instant", given=str(text)[:60])
    return found


def name(text: str, field: str) -> str:
    """A name of an attribute or type, short or a URI; raises BadRequestData."""
    if not text or len(text) > LONGEST or _NAME.fullmatch(text) is None or text in (".", ".."):
        raise BadRequestData.field(field, "context.name", given=text[:200])
    return text


def scopes(value: object) -> tuple[str, ...]:
    """One scope or several, each like `/city/district`; raises BadRequestData."""
    found = value if isinstance(value, list) else [value]
    if not found:
        raise BadRequestData.field("scope", "context.scope", given="[]")
    for scope in found:
        if not isinstance(scope, str) or len(scope) > LONGEST or _SCOPE.fullmatch(scope) is None:
            raise BadRequestData.field("scope", "context.scope", given=str(scope)[:200])
    return tuple("/" + str(scope).strip("/") for scope in found)
