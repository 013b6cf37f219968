"""Golden records: what survives of each entity that was touched, compared with what stood there, and written in one commit."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.catalog.api import TableInfo
from mumian.elements.registers.rules.surviving import Survival, survivor_sql
from mumian.elements.registers.service.grouping import Grouped
from mumian.elements.registers.service.layout import Layout
from mumian.foundation.storage.contracts import Lake, LakeTransaction, Position
from mumian.kernel.unit_of_work import encode

PIECE = 100_000
_SQL_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}
Arrays = dict[str, NDArray[Any]]
Ask = Callable[[Callable[[], Arrays]], "Future[Arrays]"]


@dataclass(frozen=True)
class Outcome:
    """What a run would write: how many versions are new, and how many records were touched."""

    versions: int
    touched: int


class Golden:
    """Computes on the reading thread (`compute`), and writes in whatever thread holds the lake's transaction (`write`)."""

    def __init__(self, lake: Lake, layout: Layout, golden: TableInfo, now: int) -> None:
        self._lake = lake
        self._layout = layout
        self._golden = golden
        self._now = now

    def compute(self, grouped: Grouped, entities: Mapping[int, int]) -> Outcome:
        """Leave in temporary tables what is to be written; `entities` names each cluster."""
        self._members(grouped, entities)
        self._edges(grouped)
        self._survivors()
        self._versions(grouped, entities)
        return Outcome(self._count("registers_versions"), self._count("registers_touched"))

    def write(self, work: LakeTransaction, run: int, ask: Ask) -> str:
        """Write members, pairs and versions, and return the SELECT of new rows of the golden dataset; `ask` reads elsewhere."""
        layout = self._layout
        self._bring(work, ask, "registers_in_touched", "SELECT number FROM registers_touched")
        work.execute(f"DELETE FROM {layout.member} WHERE record IN (SELECT number FROM registers_in_touched)")
        self._insert(work, ask, layout.member, "SELECT record, revision, entity FROM registers_now")
        for end in ("a", "b"):
            work.execute(f"DELETE FROM {layout.pair} WHERE {end} IN (SELECT number FROM registers_in_touched)")
        self._insert(work, ask, layout.pair, "SELECT a, b, weight, levels, weights, reason FROM registers_told")
        self._insert(
            work,
            ask,
            layout.version,
            f"SELECT entity, version, CAST({run} AS BIGINT) AS run, CAST({self._now} AS BIGINT) AS time, state, records, origin, "
            "successors, origins FROM registers_versions",
        )
        work.advance(Position(layout.position, run))
        return self._incoming(work, ask)

    def _incoming(self, work: LakeTransaction, ask: Ask) -> str:
        """The rows that end, as they stand but for their end, and the rows that begin."""
        self._bring(work, ask, "registers_in_ended", "SELECT entity FROM registers_versions")
        values = ", ".join(f"v_{name}" for name in self._layout.attributes)
        begins = f"SELECT entity, version, members, {values} FROM registers_versions WHERE state IN ('created', 'changed')"
        self._bring(work, ask, "registers_in_golden", begins)
        names = [field.name for field in self._golden.fields]
        now = f"make_timestamp({self._now})"
        ends = {"current": "false", "valid_to": now}
        old = ", ".join(f'{ends[name.casefold()]} AS "{name}"' if name.casefold() in ends else f'"{name}"' for name in names)
        new = ", ".join(f'{self._value(field.name, field.type, now)} AS "{field.name}"' for field in self._golden.fields)
        return (
            f"SELECT {old} FROM {self._golden.name} WHERE current AND entity IN (SELECT entity FROM registers_in_ended) "
            f"UNION ALL SELECT {new} FROM registers_in_golden"
        )

    def _value(self, field: str, type_: str, now: str) -> str:
        name = field.casefold()
        own = {
            "entity": "entity",
            "version": "version",
            "current": "true",
            "valid_from": now,
            "valid_to": "CAST(NULL AS TIMESTAMP)",
            "records": "members",
        }
        if name in own:
            return own[name]
        sql_type = _SQL_TYPES.get(type_, "VARCHAR")
        if name not in self._layout.attributes:
            return f"CAST(NULL AS {sql_type})"
        return f"v_{name}" if sql_type == "VARCHAR" else f"TRY_CAST(v_{name} AS {sql_type})"

    def _members(self, grouped: Grouped, entities: Mapping[int, int]) -> None:
        records = list(grouped.clusters)
        given: Arrays = {
            "record": np.array(records, dtype=np.int64),
            "entity": np.array([entities[grouped.clusters[number]] for number in records], dtype=np.int64),
        }
        self._lake.columns(
            "CREATE OR REPLACE TEMP TABLE registers_now AS SELECT g.record, r.revision, g.entity FROM given g "
            f"JOIN {self._layout.record} r ON r.number = g.record WHERE r.ended IS NULL",
            {"given": given},
        )
        ranks = " ".join(f"WHEN '{source.dataset}' THEN {source.rank}" for source in self._layout.spec.sources)
        values = ", ".join(f"r.a_{name}" for name in self._layout.attributes)
        self._lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_members AS SELECT n.entity, n.record, n.revision, "
            f"CASE r.dataset {ranks} ELSE 1001 END AS rank, r.updated, r.expires, {values} FROM registers_now n "
            f"JOIN {self._layout.record} r ON r.number = n.record AND r.ended IS NULL"
        )

    def _edges(self, grouped: Grouped) -> None:
        """Every pair with a touched record, and why its two records are apart, if they are."""
        pairs = list(grouped.refused)
        given: Arrays = {
            "a": np.array([a for a, _ in pairs], dtype=np.int64),
            "b": np.array([b for _, b in pairs], dtype=np.int64),
            "reason": np.array([*(grouped.refused[pair] for pair in pairs), None], dtype=object)[:-1],
        }
        self._lake.columns(_made("registers_refused", given), {"given": given})
        member = self._layout.member
        self._lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_placed AS SELECT record, entity FROM registers_now UNION ALL "
            f"SELECT m.record, m.entity FROM {member} m ANTI JOIN registers_touched t ON t.number = m.record "
            "SEMI JOIN (SELECT a AS n FROM registers_edge UNION SELECT b FROM registers_edge) e ON e.n = m.record"
        )
        self._lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_told AS SELECT e.a, e.b, e.weight, e.levels, e.weights, "
            "CASE WHEN x.entity = y.entity THEN NULL ELSE coalesce(f.reason, 'unsure') END AS reason FROM registers_edge e "
            "JOIN registers_placed x ON x.record = e.a JOIN registers_placed y ON y.record = e.b "
            "LEFT JOIN registers_refused f ON f.a = e.a AND f.b = e.b "
            "WHERE e.a IN (SELECT number FROM registers_touched) OR e.b IN (SELECT number FROM registers_touched)"
        )

    def _survivors(self) -> None:
        """One table with the surviving values of each entity, the way back of each, and its records."""
        lake = self._lake
        lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_entities AS SELECT entity, count(*) AS members, "
            "CAST(to_json(list(record ORDER BY record)) AS VARCHAR) AS records FROM registers_members GROUP BY entity"
        )
        joins, values, ways = [], [], []
        for index, attribute in enumerate(self._layout.spec.attributes):
            sql = survivor_sql(Survival(attribute.name, attribute.survival, attribute.most_days), "registers_members")
            lake.rows(f"CREATE OR REPLACE TEMP TABLE registers_survivor_{index} AS {sql}", now=self._now)
            joins.append(f"LEFT JOIN registers_survivor_{index} s{index} ON s{index}.entity = e.entity")
            values.append(f"s{index}.value AS v_{attribute.name}")
            way = f"[s{index}.record, s{index}.revision, s{index}.variants]"
            ways.append(
                f"CASE WHEN s{index}.value IS NULL THEN NULL ELSE '\"{attribute.name}\":[\"' || s{index}.rule || '\",' || "
                f"array_to_string({way}, ',') || ']' END"
            )
        lake.rows(
            f"CREATE OR REPLACE TEMP TABLE registers_golden AS SELECT e.entity, e.members, e.records, {', '.join(values)}, "
            f"'{{' || concat_ws(',', {', '.join(ways)}) || '}}' AS origin FROM registers_entities e {' '.join(joins)}"
        )

    def _versions(self, grouped: Grouped, entities: Mapping[int, int]) -> None:
        """What changed: new entities, those with other values or records, and those that are gone."""
        given = _gone(grouped, entities)
        self._lake.columns(_made("registers_leaving", given), {"given": given})
        names = self._layout.attributes
        types = {field.name: _SQL_TYPES.get(field.type, "VARCHAR") for field in self._golden.fields}
        known = ", ".join(f'"{name}" AS o_{name}' for name in names)
        now = [f"TRY_CAST(g.v_{n} AS {types[n]})" if types[n] != "VARCHAR" else f"g.v_{n}" for n in names]
        other = " OR ".join(f"{value} IS DISTINCT FROM o.o_{name}" for name, value in zip(names, now, strict=True))
        version, touched = (
            self._layout.version,
            "SELECT entity FROM registers_entities UNION SELECT entity FROM registers_leaving",
        )
        self._lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_last AS SELECT entity, max(version) AS version, "
            f"arg_max(records, version) AS records FROM {version} WHERE entity IN ({touched}) GROUP BY entity"
        )
        self._lake.rows(
            f"CREATE OR REPLACE TEMP TABLE registers_old AS SELECT entity, {known} FROM {self._golden.name} "
            f"WHERE current AND entity IN ({touched})"
        )
        nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS v_{name}" for name in names)
        self._lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_versions AS "
            "SELECT g.entity, coalesce(l.version, 0) + 1 AS version, "
            "CASE WHEN l.version IS NULL THEN 'created' ELSE 'changed' END "
            f"AS state, g.members, g.records, g.origin, '[]' AS successors, '[]' AS origins, {_listed('g', names)} "
            "FROM registers_golden g LEFT JOIN registers_last l ON l.entity = g.entity LEFT JOIN registers_old o "
            f"ON o.entity = g.entity WHERE l.version IS NULL OR o.entity IS NULL OR l.records <> g.records OR {other} "
            "UNION ALL SELECT w.entity, coalesce(l.version, 0) + 1, w.state, 0, '[]', '{}', w.successors, '[]', "
            f"{nothing} FROM registers_leaving w LEFT JOIN registers_last l ON l.entity = w.entity"
        )
        origins = _origins(self._lake, self._layout.member)
        self._lake.columns(_made("registers_from", origins), {"given": origins})
        self._lake.rows(
            "UPDATE registers_versions SET origins = f.origins FROM registers_from f WHERE f.entity = registers_versions.entity"
        )

    def _insert(self, work: LakeTransaction, ask: Ask, table: str, select: str) -> None:
        for piece in self._pieces(ask, select):
            work.offer("registers_piece", piece)
            work.execute(f"INSERT INTO {table} BY NAME SELECT * FROM registers_piece")

    def _bring(self, work: LakeTransaction, ask: Ask, target: str, select: str) -> None:
        first = True
        for piece in self._pieces(ask, select):
            work.offer("registers_piece", piece)
            begin = f"CREATE OR REPLACE TEMP TABLE {target} AS" if first else f"INSERT INTO {target} BY NAME"
            work.execute(f"{begin} SELECT {_typed(piece)} FROM registers_piece")
            first = False

    def _pieces(self, ask: Ask, select: str) -> Iterable[Arrays]:
        """At least one piece, so that columns are known where there are no rows."""
        start = 0
        ask(lambda: self._lake.columns(f"CREATE OR REPLACE TEMP TABLE registers_out AS {select}")).result()
        while True:
            begin = start
            sql = f"SELECT * FROM registers_out WHERE rowid >= {begin} AND rowid < {begin + PIECE}"
            piece = ask(lambda sql=sql: self._lake.columns(sql)).result()  # type: ignore[misc]
            count = len(next(iter(piece.values())))
            if count or start == 0:
                yield piece
            if count < PIECE:
                return
            start += PIECE

    def _count(self, table: str) -> int:
        return int(self._lake.rows(f"SELECT count(*) FROM {table}")[0][0])


def _gone(grouped: Grouped, entities: Mapping[int, int]) -> Arrays:
    """Entities that are gone, with those that took their records."""
    states = {0: "ended", 1: "merged"}
    found = [(entity, tuple(entities[cluster] for cluster in clusters)) for entity, clusters in grouped.names.gone.items()]
    return {
        "entity": np.array([entity for entity, _ in found], dtype=np.int64),
        "state": np.array([*(states.get(len(to), "split") for _, to in found), None], dtype=object)[:-1],
        "successors": np.array([*(encode(list(to)).decode() for _, to in found), None], dtype=object)[:-1],
    }


def _origins(lake: Lake, member: str) -> Arrays:
    """For each entity the others that its records were in before this run."""
    moved = lake.rows(
        f"SELECT n.entity, m.entity FROM registers_now n JOIN {member} m ON m.record = n.record WHERE n.entity <> m.entity "
        "GROUP BY n.entity, m.entity ORDER BY n.entity, m.entity"
    )
    found: dict[int, list[int]] = {}
    for entity, before in moved:
        found.setdefault(entity, []).append(before)
    return {
        "entity": np.array(list(found), dtype=np.int64),
        "origins": np.array([*(encode(each).decode() for each in found.values()), None], dtype=object)[:-1],
    }


def _listed(relation: str, names: Iterable[str]) -> str:
    return ", ".join(f"{relation}.v_{name}" for name in names)


def _made(table: str, arrays: Arrays) -> str:
    return f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {_typed(arrays)} FROM given"


def _typed(arrays: Arrays) -> str:
    """The columns, texts as such also where there is none to tell by."""
    return ", ".join(
        f'CAST("{name}" AS VARCHAR) AS "{name}"' if a.dtype.kind == "O" else f'"{name}"' for name, a in arrays.items()
    )
