"""Store of grids: four registers of versions (grids, buildings, components, visits), and what codes turned into."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Generic, TypeVar

import msgspec

from mumian.foundation.grids.contracts import Building, Component, Grid, Versioned, Visit
from mumian.kernel.unit_of_work import Row, Session, encode

V = TypeVar("V", bound=Versioned)
_JSON = {"title", "people", "evidence"}
_IN = 400


class Register(Generic[V]):
    """One table of versions: the open one of each code, all before it, and digests of what a batch wrote and ended."""

    def __init__(self, name: str, made: type[V]) -> None:
        self.name = name
        self.fields: tuple[str, ...] = made.__struct_fields__
        self._made = made
        self._table = f"grids_{name}"
        self._select = f"SELECT {', '.join(self.fields)} FROM {self._table}"
        every = (*self.fields, "batch", "ended_by")
        self._insert = f"INSERT INTO {self._table} ({', '.join(every)}) VALUES ({', '.join(':' + f for f in every)})"

    def load(self, row: Row) -> V:
        """A version from its row."""
        return self._made(**{name: msgspec.json.decode(value) if name in _JSON else value for name, value in row.items()})

    def insert(self, session: Session, versions: Sequence[V], batch: str) -> None:
        """Keep versions."""
        if versions:
            session.execute_many(self._insert, [self._row(version, batch) for version in versions])

    def _row(self, version: V, batch: str) -> dict[str, Any]:
        row = {name: getattr(version, name) for name in self.fields}
        return row | {n: encode(row[n]).decode() for n in self.fields if n in _JSON} | {"batch": batch, "ended_by": ""}

    def end(self, session: Session, version: V, until: str, batch: str) -> bool:
        """End an open version; False where it has ended already."""
        return (
            session.execute(
                f"UPDATE {self._table} SET valid_to = :until, ended_by = :batch "
                "WHERE code = :code AND version = :version AND valid_to = ''",
                until=until,
                batch=batch,
                code=version.code,
                version=version.version,
            )
            == 1
        )

    def history(self, session: Session, code: str) -> list[V]:
        """All versions of a code, the oldest first."""
        return [self.load(row) for row in session.rows(f"{self._select} WHERE code = :code ORDER BY version", code=code)]

    def at(self, session: Session, code: str, when: str) -> V | None:
        """The version of a code that holds at a time."""
        sql = (
            f"{self._select} WHERE code = :code AND valid_from <= :at AND (valid_to = '' OR valid_to > :at) ORDER BY version DESC"
        )
        row = session.row(sql, code=code, at=when)
        return None if row is None else self.load(row)

    def last_versions(self, session: Session, codes: Iterable[str]) -> dict[str, V]:
        """The newest version of each code that has any, open or ended."""
        found: dict[str, V] = {}
        values = list(dict.fromkeys(codes))
        for start in range(0, len(values), _IN):
            some = values[start : start + _IN]
            marks = ", ".join(f":v{i}" for i in range(len(some)))
            params = {f"v{i}": value for i, value in enumerate(some)}
            for row in session.rows(f"{self._select} WHERE code IN ({marks}) ORDER BY version", **params):
                found[row["code"]] = self.load(row)
        return found

    def page(self, session: Session, after: str, limit: int, equal: Mapping[str, str], when: str) -> list[V]:
        """Versions that hold at a time, by code after one; `equal` filters columns (its keys are constants of the caller)."""
        where = "".join(f" AND {column} = :{column}" for column in equal)
        sql = (
            f"{self._select} WHERE code > :after AND valid_from <= :at AND (valid_to = '' OR valid_to > :at){where} "
            "ORDER BY code LIMIT :limit"
        )
        return [self.load(row) for row in session.rows(sql, after=after, at=when, limit=limit, **equal)]

    def live(self, session: Session, when: str, **equal: str) -> list[V]:
        """All versions that hold at a time, by code."""
        where = "".join(f" AND {column} = :{column}" for column in equal)
        sql = f"{self._select} WHERE valid_from <= :at AND (valid_to = '' OR valid_to > :at){where} ORDER BY code"
        return [self.load(row) for row in session.rows(sql, at=when, **equal)]

    def digest(self, session: Session, batch: str) -> tuple[int, str, int, str]:
        """Count and SHA-256 of the versions that a batch recorded (all but their end), and of those that it ended."""
        names = ", ".join(name for name in self.fields if name != "valid_to")
        order = "ORDER BY code, version"
        recorded = session.rows(f"SELECT {names} FROM {self._table} WHERE batch = :batch {order}", batch=batch)
        sql = f"SELECT code, version, valid_to FROM {self._table} WHERE ended_by = :batch AND ended_by <> '' {order}"
        ended = session.rows(sql, batch=batch)
        return len(recorded), _sum(recorded), len(ended), _sum(ended)

    def batches(self, session: Session) -> set[str]:
        """Every batch that a version speaks of."""
        sql = f"SELECT batch AS b FROM {self._table} UNION SELECT ended_by AS b FROM {self._table} WHERE ended_by <> ''"
        return {row["b"] for row in session.rows(sql)}

    def loose_ends(self, session: Session) -> int:
        """How many versions ended without a batch, or are open although a batch ended them."""
        return int(session.value(f"SELECT COUNT(*) FROM {self._table} WHERE (valid_to = '') <> (ended_by = '')"))

    def counts(self, session: Session, column: str, when: str) -> dict[str, int]:
        """How many versions hold at a time, by a column of the table (the caller's own constant)."""
        sql = (
            f"SELECT {column} AS k, COUNT(*) AS n FROM {self._table} "
            "WHERE valid_from <= :at AND (valid_to = '' OR valid_to > :at) "
            f"GROUP BY {column} ORDER BY {column}"
        )
        return {row["k"]: int(row["n"]) for row in session.rows(sql, at=when)}


def _sum(rows: Iterable[Row]) -> str:
    total = sha256()
    for row in rows:
        total.update(encode(row) + b"\n")
    return total.hexdigest()


GRIDS = Register("grid", Grid)
BUILDINGS = Register("building", Building)
COMPONENTS = Register("component", Component)
VISITS = Register("visit", Visit)
REGISTERS: dict[str, Register[Any]] = {register.name: register for register in (GRIDS, BUILDINGS, COMPONENTS, VISITS)}


def keep_lineage(session: Session, batch: str, action: str, pairs: Iterable[tuple[str, str]], date: str) -> None:
    """Keep which codes turned into which."""
    rows = [{"batch": batch, "action": action, "old": old, "new": new, "date": date} for old, new in pairs]
    if rows:
        session.execute_many(
            "INSERT INTO grids_lineage (batch, action, old, new, date) VALUES (:batch, :action, :old, :new, :date)", rows
        )


def lineage(session: Session) -> list[Row]:
    """All steps of codes: action, old, new, date, batch."""
    return session.rows("SELECT action, old, new, date, batch FROM grids_lineage ORDER BY date, batch, old, new")


def newest_batch(session: Session) -> str:
    """The batch that changed grids last; empty before the first."""
    found = session.value(
        "SELECT MAX(b) FROM (SELECT MAX(batch) AS b FROM grids_grid UNION SELECT MAX(ended_by) AS b FROM grids_grid) t"
    )
    return str(found or "")
