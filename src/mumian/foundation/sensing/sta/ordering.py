"""Ordering: the keys by which a page is sorted, and what lies behind the last entity of the page before.

Missing values come first in ascending order and last in descending order, as OGC 18-088 asks; the id decides among equals.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mumian.foundation.sensing.sta.dialects import Dialect
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.model import EntitySet
from mumian.foundation.sensing.sta.options import Options
from mumian.foundation.sensing.sta.sql import Compiler
from mumian.kernel.errors import Invalid

_CONSTANT = re.compile(r"\(*[$:]\w+\)*")


@dataclass(frozen=True)
class Key:
    """One key: its SQL, whether it descends and whether it is text."""

    sql: str
    descending: bool
    text: bool


@dataclass(frozen=True)
class Keys:
    """The keys of an order, with the joins and parameters that they need; the last one is unique."""

    keys: Sequence[Key]
    joins: Sequence[str]
    params: dict[str, Any]


def keys_of(entities: EntitySet, options: Options, dialect: Dialect, now: int, own: str = "") -> Keys:
    """The keys that the options ask for (`own`: the order that a link has by itself), and the id in the direction of the last."""
    compiler = Compiler(MODEL, entities, dialect, options.name("$orderby"), now, prefix="o")
    keys: list[Key] = []
    for expression, descending in options.orderby:
        keys += [Key(sql, descending, text) for sql, text in compiler.keys(expression)]
    if own and not keys:
        keys.append(Key(own.format(v="v"), False, False))
    return Keys([*keys, Key("e.id", keys[-1].descending if keys else False, False)], compiler.joins.clauses, compiler.params)


def order_by(keys: Keys) -> str:
    """The ORDER BY clause; what is the same for all decides nothing, and DuckDB takes no bare parameter there."""
    deciding = [key for key in keys.keys if not _CONSTANT.fullmatch(key.sql)]
    return ", ".join(f"{key.sql} {'DESC NULLS LAST' if key.descending else 'ASC NULLS FIRST'}" for key in deciding)


def after(keys: Keys, options: Options, dialect: Dialect, params: dict[str, Any]) -> list[str]:
    """The condition to lie behind the entity with the keys `options.after`; its values go to `params`."""
    values = options.after
    if values is None:
        return []
    if len(values) != len(keys.keys) or not all(_fits(key, value) for key, value in zip(keys.keys, values, strict=False)):
        raise Invalid.field("$skiptoken", "field.cursor")
    alternatives, equal = [], "1 = 1"
    for place, (key, value) in enumerate(zip(keys.keys, values, strict=True)):
        name = f"{dialect.mark}a{place}"
        bound = f"CAST({name} AS TEXT)" if key.text else name
        if value is not None:
            params[f"a{place}"] = value
        behind = _behind(key, value, bound)
        if behind:
            alternatives.append(f"({equal} AND {behind})")
        equal += f" AND {key.sql} {'IS NULL' if value is None else f'= {bound}'}"
    return [f"({' OR '.join(alternatives)})"]


def _fits(key: Key, value: Any) -> bool:
    return value is None or (isinstance(value, str) if key.text else isinstance(value, int | float))


def _behind(key: Key, value: Any, bound: str) -> str:
    if value is None:
        return "" if key.descending else f"{key.sql} IS NOT NULL"
    return f"({key.sql} < {bound} OR {key.sql} IS NULL)" if key.descending else f"{key.sql} > {bound}"
