"""Rewriting: each dataset in a query becomes a subquery over its lake table that shows what the policy lets through."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from mumian.elements.protection.rules import masking, parsing
from mumian.elements.protection.rules.policy import Shown


@dataclass(frozen=True)
class TablePolicy:
    """How one dataset is shown: its lake table, its fields, the condition its rows must meet, and fields to be matched exactly.

    `match` maps a field to the name of the parameter that it must equal.
    """

    dataset: str
    table: str
    fields: tuple[Shown, ...]
    rows: str | None = None
    match: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> tuple[str, str]:
        """Database and table: a copy in memory, or the lake."""
        return ("memory" if self.table.startswith("hot_") else "lake", self.table)


@dataclass(frozen=True)
class Used:
    """What a query takes of one dataset: the fields it can touch, and the keys of their tokens."""

    dataset: str
    place: tuple[str, str]
    fields: tuple[Shown, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Rewritten:
    """SQL that was written anew from the tree, what it takes of which dataset, and the caller's parameters that it has."""

    sql: str
    used: tuple[Used, ...]
    placeholders: tuple[str, ...]


PolicyFor = Callable[[str], TablePolicy]


def rewrite(tree: exp.Query, policy_for: PolicyFor, most: int | None, prefixes: Mapping[str, str]) -> Rewritten:
    """The query with every dataset behind its policy, and at most `most` rows in the answer.

    `prefixes` gives for the id of a key the prefix of its parameters. What `policy_for` raises goes through.
    """
    placeholders = {node.this for node in tree.find_all(exp.Placeholder)}
    names, star = _touched(tree)
    used: dict[str, Used] = {}
    for table in list(parsing.sources(tree)):
        policy = policy_for(parsing.dataset_name(table))
        fields = tuple(one for one in policy.fields if _taken(one.field.name.casefold(), names, star))
        _replace(tree, table, policy, fields, prefixes)
        keys = tuple(sorted({_key(one) for one in fields} - {""}))
        used[policy.dataset] = Used(policy.dataset, policy.place, fields, keys)
        placeholders.update(name for _, name in policy.match)
    tree = tree if most is None else _limited(tree, most)
    return Rewritten(parsing.text(tree), tuple(used.values()), tuple(sorted(placeholders)))


def inner(policy: TablePolicy, fields: Sequence[Shown], prefixes: Mapping[str, str]) -> str:
    """The SELECT over the lake table that shows `fields` as the policy says."""
    columns = [f"{_expression(one, prefixes)} AS {masking.quoted(one.field.name)}" for one in fields]
    conditions = [f"{masking.quoted(name)} = ${parameter}" for name, parameter in policy.match]
    if policy.rows is not None:
        conditions.append(f"({parsing.text(parsing.parse_condition(policy.rows))})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(columns) or 'NULL AS _'} FROM {'.main.'.join(policy.place)}{where}"


def _replace(
    tree: exp.Query, table: exp.Table, policy: TablePolicy, fields: Sequence[Shown], prefixes: Mapping[str, str]
) -> None:
    if any(value for name, value in table.args.items() if name not in ("this", "db", "catalog", "alias", "joins")):
        raise parsing.bad("protection.sql.construct", construct=parsing.text(table)[:60])
    body = sqlglot.parse_one(inner(policy, fields, prefixes), dialect="duckdb")
    alias = table.args.get("alias")
    if alias is None or not alias.name:
        alias = exp.TableAlias(this=exp.to_identifier(policy.dataset, quoted=True))
        _requalify(tree, policy.dataset)
    table.replace(exp.Subquery(this=body, alias=alias, joins=table.args.get("joins")))


def _requalify(tree: exp.Query, dataset: str) -> None:
    """Columns called `shops.open.name` become columns of the one table "shops.open"."""
    for column in tree.find_all(exp.Column):
        parts = column.parts[:-1]
        joined = ".".join(part.name if part.args.get("quoted") else part.name.casefold() for part in parts)
        if len(parts) > 1 and joined == dataset:
            for name in ("db", "catalog"):
                column.set(name, None)
            column.set("table", exp.to_identifier(dataset, quoted=True))


def _touched(tree: exp.Query) -> tuple[set[str], bool]:
    """Every name in the query, in lower case, and whether a star or a natural join takes all fields."""
    names = {node.name.casefold() for node in tree.find_all(exp.Identifier)}
    counted = (exp.Count,)
    star = any(not isinstance(node.parent, counted) for node in tree.find_all(exp.Star))
    natural = any(str(join.args.get("method") or "").upper() == "NATURAL" for join in tree.find_all(exp.Join))
    return names, star or natural


def _taken(name: str, names: set[str], star: bool) -> bool:
    """Whether a query can touch a field; those of the system (`_id`, `_load`) only by their name."""
    return name in names or (star and not name.startswith("_"))


def _limited(tree: exp.Query, most: int) -> exp.Query:
    """The query with a limit of its own that is not above `most`."""
    limit = tree.args.get("limit")
    if limit is None:
        return tree.limit(most, copy=False)
    number = limit.expression if isinstance(limit, exp.Limit) else None
    if isinstance(number, exp.Literal) and number.is_int and int(number.this) <= most:
        return tree
    return exp.select("*").from_(tree.subquery("answer", copy=False)).limit(most)


def _expression(one: Shown, prefixes: Mapping[str, str]) -> str:
    column = masking.quoted(one.field.name)
    if one.key is not None:
        return masking.token(column, one.field.type, prefixes[one.key])
    return column if one.mask is None else masking.masked(one.mask, column, one.field.type)


def _key(one: Shown) -> str:
    return one.key or ("hash" if one.mask is not None and one.mask.method == "hash" else "")
