"""Asking the records: pages of entities, entities of many owners at once, ids and geometries, each in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mumian.foundation.sensing.sta.dialects import DIALECTS, Dialect
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.model import EntitySet, Link, Property
from mumian.foundation.sensing.sta.options import Options
from mumian.foundation.sensing.sta.ordering import after, keys_of, order_by
from mumian.foundation.sensing.sta.spatial import Bounds
from mumian.foundation.sensing.sta.sql import Compiler
from mumian.foundation.sensing.sta.syntax import Expression
from mumian.kernel.unit_of_work import Row, Session

MOST_IDS = 1_000_000


@dataclass(frozen=True)
class Owners:
    """Whose entities are asked for: those that a link leads to from these entities of a set; `one`: there is only one such."""

    set: EntitySet
    link: str
    ids: Sequence[int]

    @property
    def target(self) -> Link:
        """The link."""
        return self.set.links[self.link]


@dataclass(frozen=True)
class Wish:
    """What is asked of a set: the condition (divided already), the options, of which entities, and by which id or ids."""

    set: EntitySet
    options: Options
    condition: Expression | None = None
    owners: Owners | None = None
    id: int | None = None
    each: bool = False
    among: Sequence[int] | None = None


@dataclass(frozen=True)
class Statement:
    """SQL with its parameters; `keys` is how many sort keys each row has, as `k0_`, `k1_`, …"""

    sql: str
    params: dict[str, Any]
    keys: int


@dataclass
class Page:
    """Rows, in order, each with `parent_` where owners were given; whether there are more, and how many there are in all.

    For `each` owner the rows, `more` and `counts` are by its id, else by 0.
    """

    rows: dict[int, Sequence[Any]] = field(default_factory=dict)
    more: set[int] = field(default_factory=set)
    counts: dict[int, int] = field(default_factory=dict)


def statement(wish: Wish, dialect: Dialect, now: int) -> Statement:
    """The page that is asked for, one row more than wanted."""
    source, conditions, params = _source(wish, dialect, now)
    keys = keys_of(wish.set, wish.options, dialect, now, "" if wish.owners is None else wish.owners.target.order)
    params |= keys.params
    conditions += after(keys, wish.options, dialect, params)
    joins = " ".join(keys.joins)
    columns = ["e.*", *(f"{key.sql} AS k{place}_" for place, key in enumerate(keys.keys))]
    if wish.owners is not None:
        columns.append("p.id AS parent_")
    top, skip = wish.options.top, wish.options.skip
    where = " AND ".join(conditions)
    if not wish.each:
        page = (
            f"SELECT {', '.join(columns)} FROM {source} {joins} WHERE {where} ORDER BY {order_by(keys)} LIMIT :top_ OFFSET :skip_"
        )
        return Statement(page, {**params, "top_": top + 1, "skip_": skip}, len(keys.keys))
    columns.append(f"row_number() OVER (PARTITION BY p.id ORDER BY {order_by(keys)}) AS place_")
    inner = f"SELECT {', '.join(columns)} FROM {source} {joins} WHERE {where}"
    page = f"SELECT * FROM ({inner}) w WHERE place_ > :skip_ AND place_ <= :last_ ORDER BY parent_, place_"
    return Statement(page, {**params, "skip_": skip, "last_": skip + top + 1}, len(keys.keys))


def _source(wish: Wish, dialect: Dialect, now: int) -> tuple[str, list[str], dict[str, Any]]:
    """The rows, the conditions on them and the parameters of these."""
    compiler = Compiler(MODEL, wish.set, dialect, wish.options.name("$filter"), now)
    conditions = [wish.set.only.format(a="e")] if wish.set.only else []
    source = f"{wish.set.rows} e"
    if wish.owners is not None:
        source, own = _owned(wish.owners, source)
        conditions += [own, dialect.member("p.id", wish.owners.ids, compiler.bind)]
    if wish.id is not None:
        conditions.append(f"e.id = {compiler.bind(wish.id)}")
    if wish.among is not None:
        conditions.append(dialect.member("e.id", wish.among, compiler.bind))
    if wish.condition is not None:
        joins, condition = compiler.where(wish.condition)
        source = f"{source} {joins}"
        conditions.append(condition)
    return source, conditions or ["1 = 1"], compiler.params


def _owned(owners: Owners, rows: str) -> tuple[str, str]:
    link = owners.target
    on = link.on.format(a="p", b="e", v="v")
    if not link.via:
        return f"{owners.set.rows} p JOIN {rows} ON {on}", "1 = 1"
    return f"{owners.set.rows} p JOIN {link.via} v ON {link.via_on.format(a='p', v='v')} JOIN {rows} ON {on}", "1 = 1"


def page(session: Session, engine: str, wish: Wish, now: int) -> Page:
    """Answer a wish."""
    dialect = DIALECTS[engine]
    found, kept = Page(), dict[int, list[Any]]()
    asked = statement(wish, dialect, now)
    for row in session.rows(asked.sql, **asked.params):
        parent = int(row["parent_"]) if wish.each else 0
        rows = kept.setdefault(parent, [])
        if len(rows) == wish.options.top:
            found.more.add(parent)
        else:
            rows.append(row)
    found.rows.update(kept)
    if wish.options.count:
        found.counts = counts(session, dialect, wish, now)
    return found


def counts(session: Session, dialect: Dialect, wish: Wish, now: int) -> dict[int, int]:
    """How many there are in all, by owner."""
    source, conditions, params = _source(wish, dialect, now)
    where = " AND ".join(conditions)
    if wish.each:
        rows = session.rows(f"SELECT p.id AS parent_, count(*) AS n FROM {source} WHERE {where} GROUP BY p.id", **params)
        return {int(row["parent_"]): int(row["n"]) for row in rows}
    return {0: int(session.value(f"SELECT count(*) FROM {source} WHERE {where}", **params))}


def ids(session: Session, engine: str, wish: Wish, now: int) -> list[int]:
    """The ids of all that fulfil a condition, `MOST_IDS` and one at most."""
    source, conditions, params = _source(wish, DIALECTS[engine], now)
    sql = f"SELECT DISTINCT e.id AS id FROM {source} WHERE {' AND '.join(conditions)} LIMIT {MOST_IDS + 1}"
    return [int(row["id"]) for row in session.rows(sql, **params)]


def geometries(session: Session, entities: EntitySet, known: Property, bounds: Bounds | None, most: int) -> list[Row]:
    """Ids and geometries of a set, only those that touch the bounds where these are kept; `most` and one at most."""
    column = known.sql.format(a="e")
    conditions = [f"{column} IS NOT NULL", *([entities.only.format(a="e")] if entities.only else [])]
    params: dict[str, float] = {}
    if bounds is not None and known.bits == "bounds":
        params = dict(zip(("w_", "s_", "e_", "n_"), bounds, strict=True))
        conditions += ["e.west <= :e_", "e.east >= :w_", "e.south <= :n_", "e.north >= :s_"]
    sql = f"SELECT e.id AS id, {column} AS geometry FROM {entities.rows} e WHERE {' AND '.join(conditions)} LIMIT {most + 1}"
    return session.rows(sql, **params)
