"""Store of addresses: the library with its versions, the names in it, their aliases, and the statements that search them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from mumian.foundation.addresses.contracts import StandardAddress
from mumian.foundation.addresses.rules import standard
from mumian.kernel.unit_of_work import Row, Session, encode

FIELDS = StandardAddress.__struct_fields__
_DERIVED = ("hash", "number_value", "tail", "cell", "batch", "closed_by")
_ALL = (*FIELDS, *_DERIVED)
_SELECT = f"SELECT {', '.join(FIELDS)} FROM addresses_address"
_INSERT = f"INSERT INTO addresses_address ({', '.join(_ALL)}) VALUES ({', '.join(':' + name for name in _ALL)})"
_VALID = "valid_from <= :date AND (valid_to = '' OR valid_to > :date)"
_IN = 400
TERMS = ("road", "poi", "community")


def load(row: Row) -> StandardAddress:
    """An address from its row."""
    return StandardAddress(**row)


def row_of(address: StandardAddress, batch: str) -> dict[str, Any]:
    """The row of an address, with the keys that find it."""
    row: dict[str, Any] = {name: getattr(address, name) for name in FIELDS}
    located = address.longitude is not None and address.latitude is not None
    cell = standard.cell_of(address.longitude or 0.0, address.latitude or 0.0) if located else None
    return row | {
        "hash": standard.digest_of(address.standard),
        "number_value": standard.number_value(address.number),
        "tail": standard.tail(row),
        "cell": cell,
        "batch": batch,
        "closed_by": "",
    }


def insert(session: Session, addresses: Sequence[StandardAddress], batch: str) -> None:
    """Keep new versions, and the names in them."""
    if not addresses:
        return
    session.execute_many(_INSERT, [row_of(address, batch) for address in addresses])
    names = {(kind, getattr(a, kind)) for a in addresses for kind in TERMS if getattr(a, kind)}
    add_terms(session, names)


def add_terms(session: Session, names: Iterable[tuple[str, str]]) -> None:
    """Keep names of roads, compounds and communities with the forms that find them in spite of a slip."""
    terms = [{"kind": kind, "term": term} for kind, term in sorted(names)]
    if not terms:
        return
    session.execute_many("INSERT INTO addresses_term (kind, term) VALUES (:kind, :term) ON CONFLICT DO NOTHING", terms)
    forms = [t | {"variant": variant} for t in terms for variant in standard.variants(t["term"])]
    session.execute_many(
        "INSERT INTO addresses_variant (variant, kind, term) VALUES (:variant, :kind, :term) ON CONFLICT DO NOTHING", forms
    )


def close(session: Session, code: str, valid_from: str, valid_to: str, batch: str) -> bool:
    """End a version at a date; False if it was closed already."""
    return (
        session.execute(
            "UPDATE addresses_address SET valid_to = :until, closed_by = :batch "
            "WHERE code = :code AND valid_from = :since AND valid_to = ''",
            until=valid_to,
            batch=batch,
            code=code,
            since=valid_from,
        )
        == 1
    )


def current(session: Session, code: str, date: str) -> StandardAddress | None:
    """The version of an address that holds at a date."""
    row = session.row(f"{_SELECT} WHERE code = :code AND {_VALID} ORDER BY valid_from DESC", code=code, date=date)
    return None if row is None else load(row)


def history(session: Session, code: str) -> list[StandardAddress]:
    """All versions of an address, the oldest first."""
    return [load(row) for row in session.rows(f"{_SELECT} WHERE code = :code ORDER BY valid_from", code=code)]


def by_text(session: Session, text: str, date: str) -> list[StandardAddress]:
    """The addresses whose standard form is this text at a date."""
    sql = f"{_SELECT} WHERE hash = :hash AND standard = :text AND {_VALID} LIMIT 20"
    return [load(row) for row in session.rows(sql, hash=standard.digest_of(text), text=text, date=date)]


def live(session: Session, texts: Iterable[str], codes: Iterable[str]) -> list[StandardAddress]:
    """The open versions that have one of these standard forms or codes: what an import may repeat or change."""
    found: dict[str, StandardAddress] = {}
    for column, values in (("hash", [standard.digest_of(text) for text in texts]), ("code", [code for code in codes if code])):
        for start in range(0, len(values), _IN):
            some = values[start : start + _IN]
            marks = ", ".join(f":v{i}" for i in range(len(some)))
            params = {f"v{i}": value for i, value in enumerate(some)}
            for row in session.rows(f"{_SELECT} WHERE {column} IN ({marks}) AND valid_to = ''", **params):
                found[row["code"]] = load(row)
    return list(found.values())


def ended(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """The day on which the last ended version of each code ended."""
    found: dict[str, str] = {}
    values = [code for code in codes if code]
    for start in range(0, len(values), _IN):
        some = values[start : start + _IN]
        marks = ", ".join(f":v{i}" for i in range(len(some)))
        sql = (
            f"SELECT code, MAX(valid_to) AS last FROM addresses_address WHERE code IN ({marks}) AND valid_to <> '' GROUP BY code"
        )
        rows = session.rows(sql, **{f"v{i}": value for i, value in enumerate(some)})
        found |= {row["code"]: row["last"] for row in rows}
    return found


def search(session: Session, key: Mapping[str, Any], date: str, district: str, limit: int) -> list[StandardAddress]:
    """Addresses by columns that an index covers (`road`, `number_value`, `tail` | `poi`, `tail` | `community`), at a date."""
    where = " AND ".join(f"{column} = :{column}" + (f" AND {column} <> ''" if column in TERMS else "") for column in key)
    near = " AND district = :district" if district else ""
    params = {**key, "date": date, "limit": limit} | ({"district": district} if district else {})
    order = " ORDER BY number_value, tail" if "tail" not in key else ""
    return [load(row) for row in session.rows(f"{_SELECT} WHERE {where}{near} AND {_VALID}{order} LIMIT :limit", **params)]


def neighbours(session: Session, road: str, value: int, district: str, date: str) -> list[StandardAddress]:
    """The located addresses of a road with the next lower and the next higher number on the same side (odd or even)."""
    found = []
    near = " AND district = :district" if district else ""
    for sign, order in (("<", "DESC"), (">", "ASC")):
        row = session.row(
            f"{_SELECT} WHERE road = :road AND road <> '' AND number_value {sign} :value AND number_value >= 0 "
            f"AND number_value % 2 = :side AND cell IS NOT NULL{near} AND {_VALID} ORDER BY number_value {order} LIMIT 1",
            **({"district": district} if district else {}),
            road=road,
            value=value,
            side=value % 2,
            date=date,
        )
        found += [load(row)] if row else []
    return found


def along(session: Session, road: str, district: str, date: str, limit: int) -> list[tuple[float, float]]:
    """The points (longitude, latitude) of addresses on a road."""
    near = " AND district = :district" if district else ""
    rows = session.rows(
        f"SELECT longitude, latitude FROM addresses_address WHERE road = :road AND road <> '' AND cell IS NOT NULL{near} "
        f"AND {_VALID} ORDER BY number_value LIMIT :limit",
        **({"district": district} if district else {}),
        road=road,
        date=date,
        limit=limit,
    )
    return [(row["longitude"], row["latitude"]) for row in rows]


def in_cells(session: Session, ranges: Sequence[tuple[int, int]], date: str, limit: int) -> list[StandardAddress]:
    """The located addresses in runs of cells (first, last)."""
    found = []
    for first, last in ranges:
        sql = f"{_SELECT} WHERE cell BETWEEN :first AND :last AND {_VALID} LIMIT :limit"
        found += [load(row) for row in session.rows(sql, first=first, last=last, date=date, limit=limit)]
    return found


def terms_like(session: Session, kind: str, name: str, limit: int = 200) -> list[str]:
    """Names in the library that are one slip away, or that begin with this one."""
    forms = standard.variants(name)
    marks = ", ".join(f":v{i}" for i in range(len(forms)))
    rows = session.rows(
        f"SELECT DISTINCT term FROM addresses_variant WHERE kind = :kind AND variant IN ({marks}) LIMIT :limit",
        **{f"v{i}": form for i, form in enumerate(forms)},
        kind=kind,
        limit=limit,
    )
    begun = session.rows(
        "SELECT term FROM addresses_term WHERE kind = :kind AND term > :name AND term < :above LIMIT 20",
        kind=kind,
        name=name,
        above=name + "\uffff",
    )
    return list(dict.fromkeys([row["term"] for row in begun] + [row["term"] for row in rows]))


def names_for(session: Session, asked: Mapping[str, str]) -> list[Row]:
    """What the names of elements stand for, where they are aliases: element, alias, name, within, until."""
    if not asked:
        return []
    either = " OR ".join(f"(element = :e{i} AND alias = :a{i})" for i in range(len(asked)))
    params = {f"e{i}": element for i, element in enumerate(asked)} | {f"a{i}": alias for i, alias in enumerate(asked.values())}
    return session.rows(
        f"SELECT element, alias, name, within, until FROM addresses_alias WHERE {either} ORDER BY within DESC, name", **params
    )


def aliases(session: Session, element: str | None = None) -> list[Row]:
    """All aliases, of one element or of all."""
    where = "WHERE element = :element " if element else ""
    sql = f"SELECT element, alias, within, name, until, origin FROM addresses_alias {where}ORDER BY element, alias, within, name"
    return session.rows(sql, **({"element": element} if element else {}))


def put_alias(session: Session, alias: Mapping[str, str]) -> None:
    """Keep an alias (element, alias, within, name, until, origin), once."""
    session.execute(
        "INSERT INTO addresses_alias (element, alias, within, name, until, origin) "
        "VALUES (:element, :alias, :within, :name, :until, :origin) ON CONFLICT DO NOTHING",
        **alias,
    )


def drop_aliases(session: Session, origin: str) -> None:
    """Forget the aliases that a declaration brought."""
    session.execute("DELETE FROM addresses_alias WHERE origin = :origin", origin=origin)


def page(session: Session, after: str, limit: int, filters: Mapping[str, str], date: str) -> list[StandardAddress]:
    """Addresses by code after one, at a date, filtered by equal columns."""
    where = "".join(f" AND {column} = :{column}" for column in filters)
    sql = f"{_SELECT} WHERE code > :after AND {_VALID}{where} ORDER BY code LIMIT :limit"
    return [load(row) for row in session.rows(sql, after=after, date=date, limit=limit, **filters)]


def counts(session: Session) -> Row:
    """How many versions, open ones, roads and compounds there are."""
    return {
        "versions": session.value("SELECT COUNT(*) FROM addresses_address"),
        "in_force": session.value("SELECT COUNT(*) FROM addresses_address WHERE valid_to = ''"),
        **{kind: session.value("SELECT COUNT(*) FROM addresses_term WHERE kind = :kind", kind=kind) for kind in TERMS},
    }


def batch_digest(session: Session, batch: str) -> tuple[int, str, int, str]:
    """Rows and digest of what a batch recorded, and of what it closed: SHA-256 over canonical JSON lines, by code and date."""
    names = [name for name in FIELDS if name != "valid_to"]
    recorded = session.rows(
        f"SELECT {', '.join(names)} FROM addresses_address WHERE batch = :batch ORDER BY code, valid_from", batch=batch
    )
    closed = session.rows(
        "SELECT code, valid_from, valid_to FROM addresses_address WHERE closed_by = :batch AND closed_by <> '' "
        "ORDER BY code, valid_from",
        batch=batch,
    )
    return len(recorded), _digest(recorded), len(closed), _digest(closed)


def _digest(rows: Iterable[Row]) -> str:
    total = sha256()
    for row in rows:
        total.update(encode(row) + b"\n")
    return total.hexdigest()


def batches(session: Session) -> Iterator[str]:
    """Every batch that a row speaks of."""
    rows = session.rows(
        "SELECT batch AS b FROM addresses_address UNION SELECT closed_by AS b FROM addresses_address WHERE closed_by <> ''"
    )
    return (row["b"] for row in rows)
