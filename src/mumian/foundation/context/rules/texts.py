"""Texts that must have a form: identifiers (URIs), instants, names of attributes, scopes."""

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache

from mumian.foundation.context.errors import BadRequestData

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x1f]+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d{1,6}\d*)?(Z|[+-]\d\d:\d\d)")
_NAME = re.compile(r"[^\s<>\"'=;()\x00-\x1f,|\[\]{}\\^`]+")
_SCOPE = re.compile(r"/?[^\W\d_]\w*(/[^\W\d_]\w*)*/?")
_FILLERS = frozenset({0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x034F})
LONGEST = 2000
_REMEMBERED = 20_000
_GOOD: set[str] = set()


def is_uri(text: object) -> bool:
    """Whether it is an absolute URI (or IRI)."""
    if not isinstance(text, str) or len(text) > LONGEST or _URI.fullmatch(text) is None:
        return False
    return text.isascii() or not any(map(_unseen, text))


def _unseen(mark: str) -> bool:
    """Characters that nobody sees, or that turn the order of others, make two ids look like one."""
    code = ord(mark)
    category = unicodedata.category(mark)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return category[0] in "CZ" or selector or code in _FILLERS


def uri(text: object, field: str) -> str:
    """An absolute URI; raises BadRequestData."""
    if not is_uri(text):
        raise BadRequestData.field(field, "context.uri", given=str(text)[:200])
    return str(text)


def microseconds(text: object) -> int | None:
    """An ISO 8601 instant as µs since 1970-01-01 UTC; None if it is none."""
    return _microseconds(text) if isinstance(text, str) else None


@lru_cache(maxsize=8192)
def _microseconds(text: str) -> int | None:
    if _INSTANT.fullmatch(text) is None:
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


def universal(text: object, field: str) -> int:
    """An instant written with `Z`, as data must have it; raises BadRequestData."""
    if not isinstance(text, str) or not text.endswith("Z"):
        raise BadRequestData.field(field, "context.instant", given=str(text)[:60])
    return moment(text, field)


def name(text: str, field: str) -> str:
    """A name of an attribute or type, short or a URI; raises BadRequestData."""
    if text in _GOOD:
        return text
    if not text or len(text) > LONGEST or _NAME.fullmatch(text) is None or text in (".", "..") or text[0] in "0123456789-@":
        raise BadRequestData.field(field, "context.name", given=text[:200])
    if len(_GOOD) < _REMEMBERED:
        _GOOD.add(text)
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
