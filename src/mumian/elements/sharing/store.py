"""SQL of sharing: things with a life, each step told and remembered, kept as their records say."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from types import UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from mumian.elements.sharing.contracts import Application, Delivery, Demand, Grant, Objection, canonical
from mumian.kernel.unit_of_work import Row, Session, Transaction

T = TypeVar("T", bound=msgspec.Struct)
_COLUMNS = {"grant": "grant_id", "key": "row_key"}


def digest(thing: msgspec.Struct) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON of something."""
    return sha256(canonical(thing)).hexdigest()


@dataclass(frozen=True)
class Shelf(Generic[T]):
    """Where things of one type are kept: `table`, and `key`, the field that names them."""

    type: type[T]
    table: str
    key: str = "number"

    def find(self, session: Session, name: str) -> T | None:
        """The thing of that name."""
        row = session.row(f"SELECT {self._names()} FROM {self.table} WHERE {self.key} = :name", name=name)
        return None if row is None else self.load(row)

    def insert(self, session: Session, thing: T) -> None:
        """Keep a new thing."""
        values = self._values(thing)
        names = ", ".join(values)
        session.execute(f"INSERT INTO {self.table} ({names}) VALUES ({', '.join(':' + name for name in values)})", **values)

    def update(self, session: Session, thing: T, seen: int) -> bool:
        """Keep the next version of a thing; False if `seen` is not the version kept."""
        values = self._values(thing)
        names = ", ".join(f"{name} = :{name}" for name in values if name != self.key)
        return (
            session.execute(
                f"UPDATE {self.table} SET {names} WHERE {self.key} = :{self.key} AND version = :seen", **values, seen=seen
            )
            == 1
        )

    def page(
        self, session: Session, wanted: dict[str, Any], limit: int, after: str | None = None, newest: bool = False
    ) -> list[T]:
        """Things by name; `wanted` narrows columns (a tuple: any of these), a key that ends in ` <=` or ` >` compares."""
        conditions, params = _conditions(wanted)
        if after is not None:
            conditions.append(f"{self.key} {'<' if newest else '>'} :after")
            params["after"] = after
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        order = f"{self.key} {'DESC' if newest else 'ASC'}"
        sql = f"SELECT {self._names()} FROM {self.table} {where}ORDER BY {order} LIMIT :limit"
        return [self.load(row) for row in session.rows(sql, limit=limit, **params)]

    def due(self, session: Session, column: str, wanted: dict[str, Any], now: str, limit: int) -> list[T]:
        """Things whose time in `column` has come, the longest waiting first."""
        conditions, params = _conditions(wanted | {f"{column} <=": now})
        where = " AND ".join(conditions)
        sql = f"SELECT {self._names()} FROM {self.table} WHERE {where} ORDER BY {column}, {self.key} LIMIT :limit"
        return [self.load(row) for row in session.rows(sql, limit=limit, **params)]

    def digests(self, session: Session) -> list[tuple[str, int, str, str]]:
        """Of every thing its name, version, state and the digest of what is kept."""
        found = []
        for row in session.rows(f"SELECT {self._names()} FROM {self.table} ORDER BY {self.key}"):
            name, version, state = row[self.key], row["version"], row["state"]
            try:
                found.append((name, version, state, digest(self.load(row))))
            except msgspec.ValidationError as error:
                found.append((name, version, state, str(error)))
            except msgspec.DecodeError as error:
                found.append((name, version, state, str(error)))
        return found

    def load(self, row: Row) -> T:
        """A thing from its row."""
        values: dict[str, Any] = {}
        for name, nested in _shape(self.type).items():
            value = row[_COLUMNS.get(name, name)]
            values[name] = msgspec.json.decode(value) if nested else value
        return msgspec.convert(values, self.type, strict=False)

    def _names(self) -> str:
        return ", ".join(_COLUMNS.get(name, name) for name in _shape(self.type))

    def _values(self, thing: T) -> dict[str, Any]:
        values: dict[str, Any] = {"digest": digest(thing)}
        for name, nested in _shape(self.type).items():
            value = getattr(thing, name)
            values[_COLUMNS.get(name, name)] = (
                canonical(value).decode() if nested else int(value) if value in (True, False) else value
            )
        return values


@cache
def _shape(type_: type[msgspec.Struct]) -> dict[str, bool]:
    """The fields of a type, and whether they are kept as JSON."""
    return {name: _nested(hint) for name, hint in get_type_hints(type_).items() if name in type_.__struct_fields__}


def _nested(hint: Any) -> bool:
    if isinstance(hint, UnionType):
        return any(_nested(each) for each in get_args(hint))
    return get_origin(hint) in (tuple, dict) or (isinstance(hint, type) and issubclass(hint, msgspec.Struct))


def _conditions(wanted: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    params: dict[str, Any] = {}
    for index, (name, value) in enumerate(wanted.items()):
        if value is None:
            continue
        if isinstance(value, tuple):
            names = [f"w{index}_{place}" for place in range(len(value))]
            conditions.append(f"{name} IN ({', '.join(':' + each for each in names)})" if names else "1 = 0")
            params |= dict(zip(names, value, strict=True))
            continue
        conditions.append(f"{name} :w{index}" if name.endswith(("<=", ">")) else f"{name} = :w{index}")
        params[f"w{index}"] = value
    return conditions, params


APPLICATIONS = Shelf(Application, "sharing_application")
GRANTS = Shelf(Grant, "sharing_grant", "id")
OBJECTIONS = Shelf(Objection, "sharing_objection")
DEMANDS = Shelf(Demand, "sharing_demand")
DELIVERIES = Shelf(Delivery, "sharing_delivery")


def remember(tx: Transaction, thing: str, version: int, step: tuple[str, str, str, str]) -> None:
    """One row of history; `step` is action, state before, state after, note."""
    action, source, target, note = step
    tx.session.execute(
        "INSERT INTO sharing_history (thing, version, time, actor, action, from_state, to_state, note) "
        "VALUES (:thing, :version, :time, :actor, :action, :source, :target, :note)",
        thing=thing,
        version=version,
        time=tx.now_text,
        actor=tx.actor.id,
        action=action,
        source=source,
        target=target,
        note=note,
    )


def history(session: Session, thing: str) -> list[Row]:
    """The steps of something, oldest first."""
    return session.rows(
        "SELECT version, time, actor, action, from_state, to_state, note FROM sharing_history WHERE thing = :thing "
        "ORDER BY version",
        thing=thing,
    )


def cart(session: Session, person: str) -> list[Row]:
    """What somebody put into the cart, oldest first."""
    return session.rows(
        "SELECT dataset, item, added_at FROM sharing_cart WHERE person = :person ORDER BY added_at, dataset", person=person
    )


def put_in_cart(tx: Transaction, person: str, dataset: str, item: bytes) -> None:
    """Put a dataset into somebody's cart, in the place of what was there of it."""
    tx.session.execute(
        "INSERT INTO sharing_cart (person, dataset, item, added_at) VALUES (:person, :dataset, :item, :now) "
        "ON CONFLICT (person, dataset) DO UPDATE SET item = :item",
        person=person,
        dataset=dataset,
        item=item.decode(),
        now=tx.now_text,
    )


def drop_from_cart(tx: Transaction, person: str, dataset: str | None) -> None:
    """Take a dataset, or all, out of somebody's cart."""
    tx.session.execute(
        "DELETE FROM sharing_cart WHERE person = :person AND (:everything = 1 OR dataset = :dataset)",
        person=person,
        dataset=dataset or "",
        everything=int(dataset is None),
    )
