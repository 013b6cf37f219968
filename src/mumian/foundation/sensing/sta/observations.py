"""Asking for observations: from memory where it reaches back far enough, else from the lake and what still waits for it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import NONE, Int64, Observations
from mumian.foundation.sensing.service.amending import shown_sql
from mumian.foundation.sensing.service.finder import WAITING, columns_of
from mumian.foundation.sensing.sta.dialects import DIALECTS
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.newest import Newest
from mumian.foundation.sensing.sta.options import Options
from mumian.foundation.sensing.sta.ordering import Keys, after, keys_of, order_by
from mumian.foundation.sensing.sta.records import MOST_IDS, Page
from mumian.foundation.sensing.sta.sql import Compiler
from mumian.foundation.sensing.sta.syntax import Expression
from mumian.foundation.storage.contracts import Lake

SET = MODEL["Observations"]
_COLUMNS = ("id", "stream", "time", "result", "result_time", "flags", "detail")
_LAKE = "o.stream, o.time, o.result, o.result_time, coalesce(o.flags, 0) AS flags, o.detail"
_WAITING = (
    "o.stream, o.time, nullif(o.result, 'NaN'::DOUBLE) AS result, "
    f"nullif(o.result_time, {NONE}) AS result_time, o.flags, CAST(o.detail AS VARCHAR) AS detail"
)
_PARAMETER = re.compile(r"\$([a-z]\w*)")
_FEATURE = SET.properties["#feature"].sql.format(a="e")
_DUCKDB = DIALECTS["duckdb"]


@dataclass(frozen=True)
class Streams:
    """Whose observations are asked for: those of streams, or (`features`: feature by stream) those of features of interest.

    With `features`, `ids` are the features, and the streams those that may have observations of them.
    """

    ids: Sequence[int]
    features: Mapping[int, int] | None = None
    candidates: Sequence[int] = ()


@dataclass
class _Question:
    source: str
    conditions: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, dict[str, Any]] = field(default_factory=dict)
    parent: str = "0"


class ObservationSearch:
    """Answers questions for observations; all lake work runs off the event loop."""

    def __init__(self, sensing: Sensing, now: int) -> None:
        self._sensing = sensing
        self._now = now

    async def page(
        self, options: Options, condition: Expression | None, owners: Streams | None, id_: int | None = None, each: bool = False
    ) -> Page:
        """A page (for `each` owner one) of observations, as tuples of `observed.Row` with sort keys behind."""
        if condition is None and id_ is None and owners is not None and owners.features is None:
            newest = Newest(self._sensing, options)
            if newest.fits:
                return await (newest.each(owners.ids) if each else newest.one(int(owners.ids[0])))
        page: Page = await self._ask(lambda waiting: self._page(waiting, options, condition, owners, id_, each))
        return page

    async def owners(self, condition: Expression, option: str, features: bool) -> list[int]:
        """The streams (or the features that observations name themselves) with an observation that fulfils a condition."""
        ids: list[int] = await self._ask(lambda waiting: self._owners(waiting, condition, option, features))
        return ids

    async def _ask(self, work: Any) -> Any:
        while True:
            recorder = self._sensing.recorder
            before = (recorder.folded, recorder.tail.generation)
            waiting = recorder.tail.rows(recorder.folded)
            found = await asyncio.to_thread(work, waiting)
            # A fold in between would show rows twice or not at all: look again.
            if before == (recorder.folded, recorder.tail.generation):
                return found

    def _question(self, waiting: Observations, condition: Expression | None, option: str, owners: Streams | None) -> _Question:
        compiler = Compiler(MODEL, SET, _DUCKDB, option, self._now)
        amendments = self._sensing.amendments
        if amendments.any:
            lake, added = shown_sql("observation", _LAKE), shown_sql(WAITING, _WAITING)
        else:
            lake, added = f"SELECT id, {_LAKE} FROM observation o", f"SELECT id, {_WAITING} FROM {WAITING} o"
        asked = _Question(f"({lake} UNION ALL {added}) e" if len(waiting) else f"({lake}) e")
        asked.arrays = dict(amendments.relations()) if amendments.any else {}
        if len(waiting):
            asked.arrays["waiting"] = columns_of(waiting, whole=True)
        if owners is not None:
            self._owned(asked, owners, compiler)
        if condition is not None:
            asked.conditions.append(compiler.where(condition)[1])
        asked.params |= compiler.params
        return asked

    def _owned(self, asked: _Question, owners: Streams, compiler: Compiler) -> None:
        if owners.features is None:
            asked.parent = "e.stream"
            one = f"e.stream = {compiler.bind(owners.ids[0])}" if len(owners.ids) == 1 else ""
            asked.conditions.append(one or _DUCKDB.member("e.stream", owners.ids, compiler.bind))
            return
        streams = np.fromiter(owners.features, np.int64, len(owners.features))
        features = np.fromiter(owners.features.values(), np.int64, len(owners.features))
        asked.arrays["places"] = {"stream": streams, "feature": features}
        asked.source += " LEFT JOIN places s ON s.stream = e.stream"
        asked.parent = f"coalesce({_FEATURE}, s.feature)"
        asked.conditions.append(_DUCKDB.member("e.stream", owners.candidates, compiler.bind))
        asked.conditions.append(_DUCKDB.member(asked.parent, owners.ids, compiler.bind))

    def _page(
        self,
        waiting: Observations,
        options: Options,
        condition: Expression | None,
        owners: Streams | None,
        id_: int | None,
        each: bool,
    ) -> Page:
        asked = self._question(waiting, condition, options.name("$filter"), owners)
        counted = (list(asked.conditions), dict(asked.params))
        if id_ is not None:
            asked.conditions.append("e.id = $id_")
            asked.params["id_"] = id_
        keys = keys_of(SET, options, _DUCKDB, self._now)
        asked.params |= keys.params
        asked.conditions += after(keys, options, _DUCKDB, asked.params)
        found = self._columns(self._statement(asked, keys, options, each), asked)
        page = _paged(found, keys, options, each)
        if options.count:
            asked.conditions, asked.params = counted
            page.counts = self._counts(asked, each)
        return page

    def _statement(self, asked: _Question, keys: Keys, options: Options, each: bool) -> str:
        asked.params["skip_"] = options.skip
        columns = [*(f"e.{name} AS {name}" for name in _COLUMNS), *(f"{key.sql} AS k{n}_" for n, key in enumerate(keys.keys))]
        where = " AND ".join(asked.conditions or ["1 = 1"])
        if not each:
            asked.params["top_"] = options.top + 1
            page = f"SELECT {', '.join(columns)}, 0 AS parent_ FROM {asked.source} WHERE {where} ORDER BY {order_by(keys)}"
            return f"{page} LIMIT $top_ OFFSET $skip_"
        asked.params["last_"] = options.skip + options.top + 1
        columns.append(f"{asked.parent} AS parent_")
        columns.append(f"row_number() OVER (PARTITION BY {asked.parent} ORDER BY {order_by(keys)}) AS place_")
        inner = f"SELECT {', '.join(columns)} FROM {asked.source} WHERE {where}"
        return f"SELECT * FROM ({inner}) w WHERE place_ > $skip_ AND place_ <= $last_ ORDER BY parent_, place_"

    def _counts(self, asked: _Question, each: bool) -> dict[int, int]:
        parent = asked.parent if each else "0"
        where = " AND ".join(asked.conditions or ["1 = 1"])
        sql = f"SELECT {parent} AS parent_, count(*) AS n FROM {asked.source} WHERE {where} GROUP BY 1"
        found = self._columns(sql, asked)
        return dict(zip(found["parent_"].tolist(), found["n"].tolist(), strict=True)) or {0: 0}

    def _owners(self, waiting: Observations, condition: Expression, option: str, features: bool) -> list[int]:
        asked = self._question(waiting, condition, option, None)
        column = _FEATURE if features else "e.stream"
        own = f" AND {_FEATURE} IS NOT NULL" if features else ""
        where = " AND ".join(asked.conditions)
        sql = f"SELECT DISTINCT {column} AS id FROM {asked.source} WHERE {where}{own} LIMIT {MOST_IDS + 1}"
        ids: Int64 = self._columns(sql, asked)["id"]
        return [int(number) for number in ids.tolist()]

    def _columns(self, sql: str, asked: _Question) -> dict[str, Any]:
        """The answer of the lake, which takes no parameter that the statement does not have."""
        used = set(_PARAMETER.findall(sql))
        lake = self._sensing.platform.get(Lake)  # type: ignore[type-abstract]
        return lake.columns(sql, asked.arrays, **{name: value for name, value in asked.params.items() if name in used})


def _paged(found: Mapping[str, Any], keys: Keys, options: Options, each: bool) -> Page:
    page, kept = Page(), dict[int, list[Any]]()
    columns = [_column(found[name]) for name in (*_COLUMNS, *(f"k{n}_" for n in range(len(keys.keys))))]
    columns[3] = found["result"].astype(np.float64).tolist()
    columns[4] = [NONE if moment is None else moment for moment in columns[4]]
    for parent, row in zip(found["parent_"].tolist(), zip(*columns, strict=True), strict=True):
        rows = kept.setdefault(parent if each else 0, [])
        if len(rows) == options.top:
            page.more.add(parent if each else 0)
        else:
            rows.append(row)
    page.rows.update(kept)
    return page


def _column(values: Any) -> list[Any]:
    """A column as Python values, missing ones as None."""
    if values.dtype.kind == "f":
        return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124
    if values.dtype.kind == "i":
        return [None if value == NONE else value for value in values.tolist()]
    return list(values.tolist())
