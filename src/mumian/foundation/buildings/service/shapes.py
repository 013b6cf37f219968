"""Shapes: the surfaces of levels of detail, kept in the lake under their digest and read again when somebody asks."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.buildings.contracts import Shape
from mumian.foundation.ledger.api import LakeSeals
from mumian.foundation.storage.contracts import Column, Lake, Table
from mumian.kernel.platform import Platform

TABLE = Table(
    "buildings_shape",
    (Column("digest", "VARCHAR"), Column("crs", "VARCHAR"), Column("shapes", "VARCHAR")),
    ("digest",),
)
_CHUNK = 5_000


def encoded(shapes: Sequence[Shape]) -> tuple[str, str]:
    """The digest of shapes, and their JSON; two empty texts for none."""
    if not shapes:
        return "", ""
    text = msgspec.json.encode(list(shapes))
    return sha256(text).hexdigest(), text.decode()


class Shapes:
    """The shapes in the lake; reading blocks and belongs in a thread."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @property
    def _lake(self) -> Lake:
        return self._platform.get(Lake)  # type: ignore[type-abstract]

    async def keep(self, crs: str, texts: Mapping[str, str]) -> None:
        """Keep shapes by their digests; those that are there already stay as they are."""
        if not texts:
            return
        seals = self._platform.get(LakeSeals)
        await seals.create(TABLE)
        known = await asyncio.to_thread(self._known, list(texts))
        fresh = [digest for digest in texts if digest not in known]
        if not fresh:
            return
        async with seals.writing("foundation.buildings"):
            await asyncio.to_thread(self._append, crs, {digest: texts[digest] for digest in fresh})

    def _append(self, crs: str, texts: Mapping[str, str]) -> None:
        columns = {"digest": list(texts), "crs": [crs] * len(texts), "shapes": list(texts.values())}
        self._lake.append(TABLE.name, {name: np.array(values, object) for name, values in columns.items()})

    def _known(self, digests: list[str]) -> set[str]:
        return {row[0] for row in self._rows("digest", digests)}

    def read(self, digests: Iterable[str]) -> dict[str, list[Shape]]:
        """Shapes by digest; what the lake does not have is left out."""
        wanted = sorted({digest for digest in digests if digest})
        if not wanted or not self._lake.has(TABLE):
            return {}
        return {row[0]: msgspec.json.decode(row[1], type=list[Shape]) for row in self._rows("digest, shapes", wanted)}

    def _rows(self, chosen: str, digests: list[str]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(digests), _CHUNK):
            some = digests[start : start + _CHUNK]
            found += self._lake.rows(f"SELECT {chosen} FROM {TABLE.name} WHERE digest IN (SELECT unnest($some))", some=some)
        return found
