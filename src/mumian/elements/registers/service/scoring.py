"""Scoring: which records meet, how far they agree, and what that weighs, all in DuckDB on temporary tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.registers.contracts import Model
from mumian.elements.registers.rules import learning
from mumian.elements.registers.rules.comparing import column, key_sql, level_sql
from mumian.elements.registers.service.layout import Layout
from mumian.foundation.storage.contracts import Lake

_SAMPLED = 300_000
_MOST_RECORDS = 1_000_000
_LEARNED_PAIRS = 4_000_000
_SEED = 20_140_101
_TERMS = 200_000
_PASSES = 3


@dataclass(frozen=True)
class Met:
    """How many records are there and are new to matching, how many pairs met, and how many blocks were too common."""

    records: int
    pending: int
    pairs: int
    skipped: int


class Scoring:
    """The steps of one run, in this order: `meet`, `levels`, (`teach`,) `weigh`; all on one thread."""

    def __init__(self, lake: Lake, layout: Layout) -> None:
        self._lake = lake
        self._layout = layout

    def meet(self, whole: bool) -> Met:
        """Find the pairs that agree in all of a blocking rule, and of which at least one record is new; `whole`: all are."""
        layout, lake = self._layout, self._lake
        lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_pending AS SELECT r.number, r.revision "
            f"FROM {layout.record} r LEFT JOIN {layout.member} m ON m.record = r.number WHERE r.ended IS NULL "
            f"AND ({whole} OR m.record IS NULL OR m.revision <> r.revision)"
        )
        keys = " UNION ALL ".join(self._keys(index, rule) for index, rule in enumerate(layout.spec.blocking))
        lake.rows(f"CREATE OR REPLACE TEMP TABLE registers_key AS {keys}")
        lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_block AS SELECT rule, key, count(*) AS size FROM registers_key "
            "GROUP BY rule, key HAVING count(*) > 1 AND bool_or(pending)"
        )
        unique = ", ".join(f"'{name}'" for name in layout.unique) or "''"
        lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_pairs AS SELECT l.number AS a, r.number AS b, "
            "bit_or(CAST(1 << l.rule AS INTEGER)) AS rules "
            "FROM registers_key l JOIN registers_key r ON l.rule = r.rule AND l.key = r.key AND l.number < r.number "
            f"JOIN registers_block k ON k.rule = l.rule AND k.key = l.key AND k.size <= {layout.spec.block} "
            f"WHERE (l.pending OR r.pending) AND NOT (l.dataset = r.dataset AND l.dataset IN ({unique})) "
            "GROUP BY l.number, r.number"
        )
        return Met(
            self._count(f"{layout.record} WHERE ended IS NULL"),
            self._count("registers_pending"),
            self._count("registers_pairs"),
            self._count(f"registers_block WHERE size > {layout.spec.block}"),
        )

    def levels(self) -> None:
        """How far the records of each pair agree in each comparison."""
        self._take("SELECT a FROM registers_pairs UNION SELECT b FROM registers_pairs")
        self._agree("registers_levels", "registers_pairs")

    def teach(self, decided: dict[str, NDArray[Any]], records: int, number: int) -> Model:
        """Learn how records agree; `decided` are pairs a, b that people decided on, same (1) or different (0)."""
        layout, sizes = self._layout, [one.size for one in self._layout.compared]
        self._terms(records)
        self._sample(records)
        self._lake.columns("CREATE OR REPLACE TEMP TABLE registers_verdict AS SELECT * FROM decided", {"decided": decided})
        pairs, kept = self._count("registers_levels"), "true"
        if pairs > _LEARNED_PAIRS:
            kept = f"hash(a, b) % {pairs // _LEARNED_PAIRS + 1} = 0"
        sessions = []
        for index, rule in enumerate(layout.spec.blocking):
            names = {part.partition(":")[0] for part in rule}
            free = [one.attribute not in names for one in layout.compared]
            patterns = self._patterns("registers_levels", f"rules & {1 << index} <> 0 AND {kept}")
            if patterns.total() and any(free):
                sessions.append((patterns, free))
        sampled, whole = self._patterns("registers_sampled", "true"), self._patterns("registers_levels", kept)
        possible = max(records * (records - 1) / 2, 1.0)
        random, share = sampled, pairs / max(whole.total(), 1.0)
        for _ in range(_PASSES):
            u = [one.u or got for one, got in zip(layout.compared, learning.chances(random, sizes), strict=True)]
            m = self._learn(sessions, u)
            matches = learning.share_of_matches(whole, m, u, 0.3) * share if pairs else 0.0
            prior = layout.spec.prior or min(max(matches, 0.5) / possible, 0.5)
            random = learning.without_matches(sampled, m, u, prior)
        datasets = tuple(row[0] for row in self._lake.rows(f"SELECT DISTINCT dataset FROM {layout.record} WHERE ended IS NULL"))
        return Model(number, tuple(m), tuple(u), prior, records, pairs, round(matches, 1), tuple(sorted(datasets)))

    def _learn(
        self, sessions: Sequence[tuple[learning.Patterns, Sequence[bool]]], u: Sequence[Sequence[float]]
    ) -> list[tuple[float, ...]]:
        """m of all comparisons, from what each blocking rule shows of those that it does not decide itself."""
        fixed = [one.m for one in self._layout.compared]
        found = [(learning.learn(patterns, u, free, fixed, 0.3), free) for patterns, free in sessions]
        m = learning.together(found, [one.size for one in self._layout.compared])
        return [given or got for given, got in zip(fixed, m, strict=True)]

    def terms(self) -> dict[str, NDArray[Any]]:
        """How common values are: what was just learned, to be kept."""
        return self._lake.columns("SELECT attribute, value, share FROM registers_terms")

    def recall(self) -> None:
        """Take up how common values are from where it is kept."""
        self._lake.rows(f"CREATE OR REPLACE TEMP TABLE registers_terms AS SELECT * FROM {self._layout.term}")

    def weigh(self, model: Model) -> int:
        """Keep the pairs that are worth a person's look, with their weights; returns how many there are."""
        layout = self._layout
        joins, weights = [], []
        for index, one in enumerate(layout.compared):
            table = [learning.weight(m, u) for m, u in zip(model.m[index], model.u[index], strict=True)]
            cases = [f"WHEN {code + 1} THEN {weight:.6f}" for code, weight in enumerate(table)]
            if one.frequency and one.levels and one.levels[0].name == "exact":
                name = f"t{index}"
                joins.append(
                    f"LEFT JOIN registers_terms {name} ON {name}.attribute = '{one.attribute}' "
                    f"AND {name}.value = {name}v.{column(one.attribute)}"
                )
                joins.insert(0, f"JOIN registers_taken {name}v ON {name}v.number = g.a")
                rare = 1.0 / max(model.records, 2)
                exact = f"log2({model.m[index][-1]:.9f} / greatest(coalesce({name}.share, {rare:.12f}), {rare:.12f}))"
                cases[-1] = f"WHEN {one.size} THEN {exact}"
            weights.append(f"CASE g{index} {' '.join(cases)} ELSE 0 END AS w{index}")
        total = " + ".join([f"{log2(model.prior / (1 - model.prior)):.6f}", *(f"w{i}" for i in range(len(weights)))])
        codes = " || ".join(f"CAST(g{i} AS VARCHAR)" for i in range(len(weights)))
        listed = " || ',' || ".join(f"CAST(round(w{i}, 3) AS VARCHAR)" for i in range(len(weights)))
        self._lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_kept AS SELECT a, b, weight, levels, weights FROM ("
            f"SELECT a, b, round({total}, 4) AS weight, {codes} AS levels, {listed} AS weights FROM ("
            f"SELECT g.*, {', '.join(weights)} FROM registers_levels g {' '.join(joins)})) "
            f"WHERE weight >= {learning.bits(layout.spec.review):.6f}"
        )
        return self._count("registers_kept")

    def _keys(self, index: int, rule: Sequence[str]) -> str:
        parts = [part.partition(":") for part in rule]
        keys = [key_sql(name, transform) for name, _, transform in parts]
        there = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        return (
            f"SELECT CAST({index} AS INTEGER) AS rule, hash({', '.join(keys)}) AS key, r.number, r.dataset, "
            f"p.number IS NOT NULL AS pending FROM {self._layout.record} r "
            f"LEFT JOIN registers_pending p ON p.number = r.number WHERE r.ended IS NULL AND {there}"
        )

    def _take(self, numbers: str) -> None:
        names = ", ".join(name for name, _ in self._layout.prepared)
        self._lake.rows(
            f"CREATE OR REPLACE TEMP TABLE registers_taken AS SELECT number, {names} FROM {self._layout.record} "
            f"WHERE ended IS NULL AND number IN ({numbers})"
        )

    def _agree(self, target: str, pairs: str) -> None:
        levels = ", ".join(
            f"CAST({level_sql(one.attribute, one.kind, one.levels)} AS INTEGER) AS g{index}"
            for index, one in enumerate(self._layout.compared)
        )
        self._lake.rows(
            f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT p.a, p.b, p.rules, {levels} FROM {pairs} p "
            "JOIN registers_taken l ON l.number = p.a JOIN registers_taken r ON r.number = p.b"
        )

    def _sample(self, records: int) -> None:
        """Pairs of records taken at random, the same in every run over the same records."""
        step = max(1, records // _MOST_RECORDS)
        self._take(f"SELECT number FROM {self._layout.record} WHERE ended IS NULL AND number % {step} = 0")
        numbers = self._lake.columns("SELECT number FROM registers_taken ORDER BY number")["number"]
        chance = np.random.default_rng(_SEED)
        size = min(_SAMPLED, len(numbers) * len(numbers))
        a, b = (numbers[chance.integers(0, len(numbers), size)] if size else numbers for _ in range(2))
        apart = a != b
        pairs = {"a": a[apart], "b": b[apart], "rules": np.zeros(int(apart.sum()), dtype=np.int64)}
        self._lake.columns("CREATE OR REPLACE TEMP TABLE registers_random AS SELECT * FROM pairs", {"pairs": pairs})
        self._agree("registers_sampled", "registers_random")
        self._take("SELECT a FROM registers_pairs UNION SELECT b FROM registers_pairs")

    def _terms(self, records: int) -> None:
        """How common each value is that occurs more than once, of attributes where that counts."""
        wanted = [one.attribute for one in self._layout.compared if one.frequency]
        parts = [
            f"SELECT '{name}' AS attribute, {column(name)} AS value, count(*) / {max(records, 1)}.0 AS share "
            f"FROM {self._layout.record} WHERE ended IS NULL AND {column(name)} IS NOT NULL GROUP BY {column(name)} "
            f"HAVING count(*) > 1 ORDER BY count(*) DESC, {column(name)} LIMIT {_TERMS}"
            for name in wanted
        ]
        nothing = "SELECT '' AS attribute, '' AS value, CAST(0 AS DOUBLE) AS share WHERE false"
        union = " UNION ALL ".join(f"(SELECT * FROM ({part}))" for part in [nothing, *parts])
        self._lake.rows(f"CREATE OR REPLACE TEMP TABLE registers_terms AS {union}")

    def _patterns(self, table: str, where: str) -> learning.Patterns:
        names = [f"g{i}" for i in range(len(self._layout.compared))]
        verdicts = "registers_verdict v ON v.a = g.a AND v.b = g.b"
        judged = table == "registers_levels"
        same, different = ("count(*) FILTER (v.same = 1)", "count(*) FILTER (v.same = 0)") if judged else ("0", "0")
        found = self._lake.columns(
            f"SELECT {', '.join(names)}, count(*) AS n, {same} AS same, {different} AS different FROM "
            f"(SELECT * FROM {table} WHERE {where}) g {'LEFT JOIN ' + verdicts if judged else ''} "
            f"GROUP BY {', '.join(names)} ORDER BY {', '.join(names)}"
        )
        levels = np.stack([found[name].astype(np.int64) for name in names], axis=1)
        return learning.Patterns(levels, *(found[name].astype(np.float64) for name in ("n", "same", "different")))

    def _count(self, what: str) -> int:
        return int(self._lake.rows(f"SELECT count(*) FROM {what}")[0][0])
