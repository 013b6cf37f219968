"""Conditions that people write over the fields of a row: read by sqlglot, and let through only as far as every part is known."""

from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_NODES = frozenset(
    "Column Identifier Paren Literal Null Boolean DataType DataTypeParam And Or Xor Not EQ NEQ GT GTE LT LTE NullSafeEQ "
    "NullSafeNEQ Is In Between Like ILike Escape Add Sub Mul Div IntDiv Mod Neg DPipe Case If Cast TryCast Interval Var Tuple "
    "Extract Anonymous".split()
)
_FUNCTIONS = frozenset(
    "abs round floor ceil ceiling trunc sign sqrt least greatest coalesce ifnull nullif lower upper length strlen trim ltrim "
    "rtrim substr substring left right starts_with ends_with contains prefix suffix strpos position split_part str_position "
    "regexp_like regexp_matches regexp_full_match year month day hour minute second dayofweek isodow dayofyear quarter week "
    "date_part date_trunc date_diff datediff date_sub epoch isnan isfinite concat replace reverse last_day make_date "
    "timestamp_trunc day_of_week day_of_week_iso day_of_year week_of_year".split()
)
DEEPEST = 40


class Unclear(ValueError):
    """A condition that is not let through; the text says why."""


def condition(text: str, fields: Mapping[str, str]) -> str:
    """A condition as SQL with every column quoted; `fields` are the names there are, by name in lower case. Raises Unclear."""
    if _depth(text) > DEEPEST:
        raise Unclear(f"is nested deeper than {DEEPEST} levels")
    try:
        parsed = [tree for tree in sqlglot.parse(f"SELECT 1 WHERE ({text}\n)", dialect="duckdb") if tree is not None]
        if len(parsed) != 1 or not isinstance(parsed[0], exp.Select):
            raise Unclear("is not one condition")
        tree = parsed[0].args["where"].this
        if any(value for name, value in parsed[0].args.items() if name not in ("expressions", "where")):
            raise Unclear("is not one condition")
        if not isinstance(tree, exp.Paren):
            raise Unclear("is not one condition")
        for node in tree.walk():
            _check(node, fields)
        return str(tree.sql(dialect="duckdb", comments=False))
    except SqlglotError as error:
        raise Unclear(str(error).splitlines()[0][:200]) from error
    except RecursionError:
        raise Unclear("is too deep") from None


def mentioned(sql: str, fields: Mapping[str, str]) -> set[str]:
    """The fields that a condition speaks of, as they are called in the dataset."""
    tree = sqlglot.parse_one(f"SELECT 1 WHERE {sql}", dialect="duckdb")
    return {fields[column.name.casefold()] for column in tree.find_all(exp.Column) if column.name.casefold() in fields}


def _check(node: exp.Expr, fields: Mapping[str, str]) -> None:
    kind = type(node).__name__
    if isinstance(node, exp.Column):
        _column(node, fields)
    elif isinstance(node, exp.Func) and not isinstance(node, exp.And | exp.Or | exp.Xor | exp.Case | exp.If | exp.Cast):
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).casefold()
        if name not in _FUNCTIONS:
            raise Unclear(f"uses {name}, which is not allowed here")
    elif kind not in _NODES:
        raise Unclear(f"uses {kind.upper()}, which is not allowed here")


def _column(column: exp.Column, fields: Mapping[str, str]) -> None:
    name = fields.get(column.name.casefold())
    if name is None or column.args.get("table") is not None:
        raise Unclear(f"speaks of {column.sql(dialect='duckdb')[:80]}, which is no field")
    column.set("this", exp.to_identifier(name, quoted=True))


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest
