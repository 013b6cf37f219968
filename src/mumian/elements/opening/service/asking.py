"""Asking for rows through the gate: one page and the total, remembered for as long as the rows stay as they are."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from mumian.elements.catalog.api import TableInfo, Tables
from mumian.elements.opening.rules import asking
from mumian.elements.opening.settings import OpeningSettings
from mumian.elements.protection.api import Answer, Gate, Limits, RowRequest
from mumian.foundation.identity.api import Caller
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform

PURPOSE = "open-data"
_REMEMBERED = 4096
_KNOWN = 5.0  # seconds; the gate judges each question anew, so that what is hidden meanwhile is refused, not shown


@dataclass(frozen=True)
class Asker:
    """Who asks, and for what purpose."""

    caller: Caller
    purpose: str = PURPOSE


@dataclass(frozen=True)
class Rows:
    """One page: the answer, its columns' types by name, and how many rows there are in all (None where nobody asked)."""

    answer: Answer
    total: int | None


class Asking:
    """Turns questions into SQL for the gate."""

    def __init__(self, platform: Platform, settings: OpeningSettings) -> None:
        self._platform = platform
        self._settings = settings
        self._totals: OrderedDict[Any, int] = OrderedDict()
        self._fields: OrderedDict[Any, tuple[float, dict[str, str]]] = OrderedDict()

    async def table(self, dataset: str) -> TableInfo:
        """The table of a dataset with rows; raises NotFound."""
        info = await self._platform.records.read(lambda session: self._platform.get(Tables).describe(session, dataset))
        if info is None:
            raise NotFound(kind="Rows", name=dataset)
        return info

    async def fields(self, asker: Asker, info: TableInfo) -> dict[str, str]:
        """The fields that somebody gets to see, by name with their types, `_id` first."""
        key = (info.dataset, info.loaded_at, asker.caller.rights, asker.purpose, self._platform.declarations.revision)
        known = self._fields.get(key)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        answer = await self._query(asker, asking.every(info.dataset), {}, 0)
        found = {column.name: column.type for column in answer.columns}
        fields = {"_id": found.pop("_id"), **found}
        self._fields[key] = (time.monotonic() + _KNOWN, fields)
        while len(self._fields) > _REMEMBERED:
            self._fields.popitem(last=False)
        return fields

    async def rows(self, asker: Asker, info: TableInfo, question: asking.Question, total: bool = True) -> Rows:
        """One page of rows; raises Refused for a question that cannot be, and whatever the gate raises."""
        fields = await self.fields(asker, info)
        made = asking.statement(info.dataset, fields, question)
        answer = await self._query(asker, made.sql, made.params, question.limit) if question.limit else None
        if answer is None:
            answer = await self._query(asker, made.sql.replace(" LIMIT 0 ", " LIMIT 1 "), made.params, 0)
        count = await self._total(asker, info, made) if total else None
        return Rows(answer, count)

    async def sql(self, asker: Asker, sql: str, limit: int) -> Answer:
        """The answer to SQL that somebody wrote."""
        return await self._query(asker, sql, {}, limit)

    async def _total(self, asker: Asker, info: TableInfo, made: asking.Statement) -> int:
        if not made.params and made.count.endswith(f"FROM {asking.quoted(info.dataset)}"):
            return info.rows
        values = tuple(sorted(made.params.items()))
        key = (made.count, values, asker.caller.rights, info.rows, info.loaded_at, self._platform.declarations.revision)
        known = self._totals.get(key)
        if known is None:
            answer = await self._query(asker, made.count, made.params, 1)
            known = self._totals[key] = int(answer.rows[0][0])
            while len(self._totals) > _REMEMBERED:
                self._totals.popitem(last=False)
        return known

    async def _query(self, asker: Asker, sql: str, params: dict[str, Any], limit: int) -> Answer:
        limits = Limits(rows=limit, seconds=self._settings.seconds)
        return await self._platform.get(Gate).query(RowRequest(asker.caller, asker.purpose, sql, params, None, limits))
