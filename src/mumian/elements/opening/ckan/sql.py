"""SQL as CKAN's clients write it (PostgreSQL's), with ids of resources for tables, made into SQL over datasets for the gate."""

from collections.abc import Iterator, Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mumian.elements.opening.ckan.errors import CkanError, wrong

_LONGEST, _DEEPEST = 20_000, 60


def tables(text: str) -> list[str]:
    """The tables that a query names, as they are called there; raises what CKAN answers."""
    return list(dict.fromkeys(table.name for table in _sources(_parsed(text))))


def rewritten(text: str, known: Mapping[str, str]) -> str:
    """The query with datasets in the place of resources, in the words of the engine."""
    tree = _parsed(text)
    for table in list(_sources(tree)):
        alias = table.args.get("alias")
        fresh = exp.Table(this=exp.to_identifier(known[table.name], quoted=True))
        fresh.set("alias", alias or exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        fresh.set("joins", table.args.get("joins"))
        table.replace(fresh)
    try:
        return str(tree.sql(dialect="duckdb", comments=False))
    except (SqlglotError, RecursionError, ValueError) as error:
        raise _syntax(error) from None


def _parsed(text: str) -> exp.Query:
    if len(text) > _LONGEST or _depth(text) > _DEEPEST:
        raise wrong(query=["Query is too long or too deep"])
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="postgres") if tree is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        raise _syntax(error) from None
    if len(trees) != 1:
        raise wrong(query=["Query is not a single statement."])
    if not isinstance(trees[0], exp.Query):
        raise wrong(query=["Query is not a SELECT statement."])
    return trees[0]


def _sources(tree: exp.Query) -> Iterator[exp.Table]:
    """The tables that are no common table expressions; what else stands for a table the gate refuses."""
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and table.args.get("db") is None and table.name not in ctes:
            yield table


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _syntax(error: Exception) -> CkanError:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return wrong(query=[f"(ProgrammingError) {reason}"], info={"statement": [], "params": [], "orig": [reason]})
