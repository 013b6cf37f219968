"""Parsing: SQL that others wrote, read into a tree of nothing but one SELECT; whatever is not known to be harmless is refused."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mumian.elements.protection.errors import BadQuery
from mumian.kernel.errors import Fault

LONGEST = 20_000
DEEPEST = 60
RESERVED = "mumian_"
_NODES = frozenset(
    "Select Union Except Intersect Subquery With CTE From Join Where Group Having Qualify Order Ordered Limit Offset Distinct "
    "Table TableAlias Identifier Column Star Alias Aliases Paren "
    "Tuple Literal Null Boolean Placeholder Var DataType DataTypeParam "
    "And Or Not EQ NEQ GT GTE LT LTE NullSafeEQ "
    "NullSafeNEQ Is In Between Like ILike Glob SimilarTo Escape RegexpLike RegexpILike "
    "Add Sub Mul Div IntDiv Mod Neg DPipe BitwiseAnd BitwiseOr BitwiseXor BitwiseNot BitwiseLeftShift BitwiseRightShift "
    "Case If Cast TryCast Interval Exists Any All Filter Window WindowSpec WithinGroup IgnoreNulls RespectNulls Rollup Cube "
    "GroupingSets Values Unnest Lateral Bracket Slice "
    "Array Struct PropertyEQ JSONPath JSONPathKey JSONPathRoot JSONPathSubscript "
    "Anonymous Extract Collate".split()
)


def bad(key: str, **values: Any) -> BadQuery:
    """What is wrong with the SQL of a request."""
    return BadQuery(Fault("sql", key, values))


def parse(sql: str, params: Mapping[str, Any]) -> exp.Query:
    """The tree of one SELECT (or WITH, UNION …) whose every node is known; raises BadQuery."""
    if len(sql) > LONGEST:
        raise bad("protection.sql.long", most=LONGEST)
    if RESERVED in sql.casefold() or "\x00" in sql:
        raise bad("protection.sql.name", name=RESERVED)
    if _depth(sql) > DEEPEST:
        raise bad("protection.sql.deep", most=DEEPEST)
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect="duckdb") if tree is not None]
        if len(trees) != 1 or not isinstance(trees[0], exp.Query):
            raise bad("protection.sql.select")
        _check(trees[0], params)
        return trees[0]
    except SqlglotError as error:
        raise bad("protection.sql.syntax", reason=_reason(error)) from error
    except RecursionError:
        raise bad("protection.sql.deep", most=DEEPEST) from None


def parse_condition(text: str) -> exp.Expression:
    """A row filter: one condition over columns, without subqueries, placeholders or stars; raises BadQuery."""
    if len(text) > LONGEST or _depth(text) > DEEPEST or RESERVED in text.casefold():
        raise BadQuery.field("rows", "protection.sql.syntax", reason="too long or too deep")
    try:
        tree = cast(exp.Expression, exp.condition(text, dialect="duckdb"))
        _check(tree, {})
    except (SqlglotError, RecursionError) as error:
        raise BadQuery.field("rows", "protection.sql.syntax", reason=_reason(error)) from error
    if any(isinstance(node, exp.Query | exp.Table | exp.Star | exp.Placeholder) for node in tree.walk()):
        raise BadQuery.field("rows", "protection.sql.condition")
    return tree


def condition_fields(text: str) -> frozenset[str]:
    """The fields, in lower case, that a row condition speaks of; raises BadQuery for what is no condition."""
    return frozenset(column.name.casefold() for column in parse_condition(text).find_all(exp.Column))


def text(tree: exp.Expr) -> str:
    """The SQL of a tree, without the comments of whoever wrote it."""
    return tree.sql(dialect="duckdb", comments=False)


def sources(tree: exp.Expr) -> Iterator[exp.Table]:
    """The tables of a query that name no CTE which can be seen where they stand."""
    for table in list(tree.find_all(exp.Table)):
        if table.args.get("db") is not None or table.name.casefold() not in _visible(table):
            yield table


def dataset_name(table: exp.Table) -> str:
    """The dataset that a table names: quoted as it is, or as words with dots."""
    return ".".join(part.name if part.args.get("quoted") else part.name.casefold() for part in table.parts)


def _check(tree: exp.Expr, params: Mapping[str, Any]) -> None:
    for node in tree.walk():
        kind = type(node).__name__
        if kind not in _NODES and not isinstance(node, exp.Func):
            raise bad("protection.sql.construct", construct=kind)
        if isinstance(node, exp.Placeholder) and (not isinstance(node.this, str) or node.this not in params):
            raise bad("protection.sql.parameter", name=str(node.this or "?"))
        if isinstance(node, exp.Table) and not all(isinstance(part, exp.Identifier) for part in node.parts):
            raise bad("protection.sql.function", name=text(node)[:60])
        if isinstance(node, exp.With) and node.args.get("recursive"):
            raise bad("protection.sql.construct", construct="RECURSIVE")
        if isinstance(node, exp.CTE) and node.alias.casefold().startswith(("pg_", "duckdb_", "sqlite_", "information_")):
            raise bad("protection.sql.name", name=node.alias)


def _visible(node: exp.Expr) -> set[str]:
    """The names (in lower case) of the CTEs that a node can see: of each query around it, in a WITH the earlier ones."""
    names: set[str] = set()
    inner: exp.Expr = node
    above = node.parent
    while above is not None:
        if isinstance(above, exp.With):
            for cte in above.expressions:
                if cte is inner:
                    break
                names.add(cte.alias.casefold())
        else:
            around = above.args.get("with_") or above.args.get("with")
            if around is not None and around is not inner:
                names.update(cte.alias.casefold() for cte in around.expressions)
        inner, above = above, above.parent
    return names


def _depth(sql: str) -> int:
    """How deep brackets are nested, counted also where they stand in literals."""
    deepest = depth = 0
    for character in sql:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
