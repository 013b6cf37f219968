"""Columns: which output column of a query comes from which input columns, through CTEs, joins, unions, stars and aggregates."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mumian.elements.lineage.contracts import Column, Edge, Kind

LONGEST = 200_000
MOST_COLUMNS = 2000
_RANK: dict[str, int] = {"identity": 0, "transformation": 1, "aggregation": 2}


class NotAnalysed(Exception):
    """The SQL cannot be followed column by column; its text says why."""


def edges(sql: str, schemas: Mapping[str, Sequence[str]], output: str, fields: Sequence[str] | None = None) -> list[Edge]:
    """The edges from the columns of the datasets in `schemas` (dataset → fields) to those of the dataset `output`.

    `sql` is a SELECT, or an INSERT or CREATE TABLE AS with one, in DuckDB's SQL; datasets are named quoted or not. Output
    columns are matched with `fields` by name where given (others are left out), else as they are called. Raises NotAnalysed.
    """
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    if len(sql) > LONGEST:
        raise NotAnalysed(f"longer than {LONGEST} characters")
    try:
        tree, names = _named(_select(sql), schemas)
        known: dict[str, object] = {
            name: {field.casefold(): "TEXT" for field in schemas[dataset]} for name, dataset in names.items()
        }
        whole = qualify(tree, schema=dict(known), dialect="duckdb", validate_qualify_columns=False)
        scope = build_scope(cast(Any, whole))
        if scope is None or len(whole.named_selects) > MOST_COLUMNS:
            raise NotAnalysed("no columns, or too many")
        wanted = None if fields is None else {field.casefold(): field for field in fields}
        found: dict[tuple[Column, Column], Kind] = {}
        for name in whole.named_selects:
            target = name if wanted is None else wanted.get(name.casefold())
            if target is not None and name != "*":
                for source, kind in _sources(name, whole, known, scope, names, schemas):
                    key = (source, Column(output, target))
                    found[key] = max(found.get(key, kind), kind, key=_RANK.__getitem__)
    except (SqlglotError, RecursionError, ValueError, KeyError) as error:
        raise NotAnalysed(str(error).splitlines()[0][:200] if str(error) else type(error).__name__) from error
    return [Edge(source, target, kind) for (source, target), kind in found.items()]


def _select(sql: str) -> exp.Query:
    trees = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
    if len(trees) != 1:
        raise NotAnalysed("not one statement")
    tree: Any = trees[0]
    if isinstance(tree, exp.Insert | exp.Create):
        around = tree.args.get("with_")
        tree = tree.expression
        if around is not None and tree is not None:
            tree.set("with_", around)
    if isinstance(tree, exp.Subquery):
        tree = tree.unnest()
    if not isinstance(tree, exp.Query):
        raise NotAnalysed("no SELECT")
    return tree


def _named(tree: exp.Query, schemas: Mapping[str, Sequence[str]]) -> tuple[exp.Query, dict[str, str]]:
    """The tree with its datasets called d0, d1, …, and the dataset behind each name."""
    by_name = {dataset.casefold(): dataset for dataset in schemas}
    ctes = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    names: dict[str, str] = {}
    for table in list(tree.find_all(exp.Table)):
        called = ".".join(part.name for part in table.parts).casefold()
        dataset = by_name.get(called)
        if dataset is None:
            if called not in ctes:
                raise NotAnalysed(f"{called[:80]} is no input")
            continue
        short = next((name for name, known in names.items() if known == dataset), f"d{len(names)}")
        names[short] = dataset
        alias = table.alias or called
        if not table.alias:
            _requalify(tree, called)
        fresh = exp.Table(this=exp.to_identifier(short), joins=table.args.get("joins"))
        table.replace(exp.alias_(fresh, alias.replace(".", "_"), table=True))
    return tree, names


def _requalify(tree: exp.Query, called: str) -> None:
    for column in tree.find_all(exp.Column):
        qualifier = ".".join(part.name for part in column.parts[:-1]).casefold()
        if qualifier == called:
            for name in ("db", "catalog"):
                column.set(name, None)
            column.set("table", exp.to_identifier(called.replace(".", "_")))


def _sources(
    name: str, whole: Any, known: Mapping[str, Any], scope: Any, names: Mapping[str, str], schemas: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Column, Kind]]:
    from sqlglot.lineage import lineage

    waiting: list[tuple[Any, Kind]] = [(lineage(name, whole, dict(known), dialect="duckdb", scope=scope), "identity")]
    while waiting:
        node, kind = waiting.pop()
        if isinstance(node.source, exp.Table):
            dataset = names.get(node.source.name)
            field = sqlglot.parse_one(node.name, dialect="duckdb").name.casefold()
            if dataset is not None:
                original = next((one for one in schemas[dataset] if one.casefold() == field), field)
                if original != "*":
                    yield Column(dataset, original), kind
            continue
        if node.name != "UNION" and isinstance(node.expression, exp.Expr):
            kind = max(kind, _kind(node.expression), key=_RANK.__getitem__)
        waiting.extend((child, kind) for child in node.downstream)


def _kind(expression: Any) -> Kind:
    if expression.find(exp.AggFunc) is not None:
        return "aggregation"
    bare = expression.unalias()
    while isinstance(bare, exp.Paren):
        bare = bare.this
    return "identity" if isinstance(bare, exp.Column | exp.Table | exp.Query | exp.Star) else "transformation"
