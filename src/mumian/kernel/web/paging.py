"""Keyset paging: lists answer `items` and an opaque `next` cursor, stable while rows come and go."""

import base64
import binascii
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel

from mumian.kernel.errors import Invalid

T = TypeVar("T")
MOST = 1000


class Page(BaseModel, Generic[T]):
    """One page of a list; `next` is null on the last."""

    items: list[T]
    next: str | None = None


def cursor(*keys: Any) -> str:
    """The cursor that stands behind a row with these sort keys."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def parse_cursor(text: str | None, *types: type) -> list[Any] | None:
    """The sort keys in a cursor, each of the given type; None for the first page; raises Invalid."""
    if text is None:
        return None
    try:
        keys = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise Invalid.field("cursor", "field.cursor") from error
    if (
        not isinstance(keys, list)
        or len(keys) != len(types)
        or not all(isinstance(k, t) for k, t in zip(keys, types, strict=True))
    ):
        raise Invalid.field("cursor", "field.cursor")
    if any(isinstance(k, int) and abs(k) >= 2**63 for k in keys):
        raise Invalid.field("cursor", "field.cursor")
    return keys
