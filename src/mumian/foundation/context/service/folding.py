"""Folding: the history of entities moves from the records to the lake, each change exactly once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.context import store
from mumian.foundation.context.rules.core import VALUE_KEYS
from mumian.foundation.context.rules.texts import microseconds
from mumian.foundation.context.settings import ContextSettings
from mumian.foundation.ledger.api import LakeSeals
from mumian.foundation.storage.contracts import NONE, Column, Lake, Position, Table
from mumian.kernel.background import Loop
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row

LOG = "context"
TABLE = Table(
    "context_instance",
    (
        Column("number", "BIGINT"),
        Column("place", "BIGINT"),
        Column("entity", "VARCHAR"),
        Column("attribute", "VARCHAR"),
        Column("kind", "VARCHAR"),
        Column("observed", "BIGINT"),
        Column("recorded", "BIGINT"),
        Column("value", "DOUBLE"),
        Column("body", "VARCHAR"),
    ),
    ("entity", "attribute", "recorded"),
)
_TEXTS = {column.name for column in TABLE.columns if column.type == "VARCHAR"}
_MOST = 50_000


def instances(change: Row) -> list[dict[str, Any]]:
    """The rows of the history that a change stands for: values, and names (with dataset) that were deleted or forgotten."""
    form = msgspec.json.decode(change["body"])
    base = {"number": change["number"], "entity": change["entity"], "recorded": change["time"]}
    rows: list[dict[str, Any]] = []
    for name, held in form["a"].items():
        for instance in held:
            at = microseconds(instance.get("observedAt"))
            value = instance.get(VALUE_KEYS[instance["type"]])
            number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
            body = msgspec.json.encode(instance).decode()
            rows.append({**base, "attribute": name, "kind": "value", "observed": at, "value": number, "body": body})
    if change["kind"] == "delete":  # whoever bears the id later has a past of its own
        rows.append({**base, "attribute": "*", "kind": "forgotten", "observed": None, "value": float("nan"), "body": ""})
    kind = "forgotten" if change["kind"] == "forget" else "deleted"
    for name, of in form.get("g", ()):
        rows.append({**base, "attribute": name, "kind": kind, "observed": None, "value": float("nan"), "body": of or ""})
    return [{**row, "place": place} for place, row in enumerate(rows)]


def columns(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rows as the columns of the lake's table."""
    made: dict[str, Any] = {}
    for column in TABLE.columns:
        found = [row[column.name] for row in rows]
        if column.name in _TEXTS:
            made[column.name] = np.array([*found, None], np.object_)[:-1]
        elif column.type == "DOUBLE":
            made[column.name] = np.array(found, np.float64)
        else:
            made[column.name] = np.array([NONE if value is None else value for value in found], np.int64)
    return made


class Folding:
    """Moves changes in groups; the position in the lake and the rows are one commit, the records forget them afterwards."""

    def __init__(self, platform: Platform, settings: ContextSettings) -> None:
        self._platform = platform
        self._busy = asyncio.Lock()
        self._loop = Loop("context history", platform.clock, self.settle, settings.fold_seconds)
        self._made = False

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End after the fold under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Move all that waits; True if anything did."""
        async with self._busy:
            done = False
            while await self._fold():
                done = True
            return done

    async def _fold(self) -> bool:
        records = self._platform.records
        changes = await records.read(lambda session: store.changes(session, _MOST))
        if not changes:
            return False
        seals = self._platform.get(LakeSeals)
        if not self._made:
            await seals.create(TABLE)
            self._made = True
        last = int(changes[-1]["number"])
        async with seals.writing("context") as change:
            await asyncio.to_thread(self._append, changes, last)
            await change.tell(lambda tx: store.forget_changes(tx, last))
        return True

    def _append(self, changes: Sequence[Row], last: int) -> None:
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        known = lake.position(LOG)
        rows = [row for change in changes if change["number"] > known for row in instances(change)]
        if rows:
            lake.append(TABLE.name, columns(rows), Position(LOG, last))
