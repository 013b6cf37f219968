"""Store of buildings: registers of versions (buildings, models, premises), each with digests of what a batch wrote."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Generic, TypeVar

import msgspec

from mumian.foundation.buildings.contracts import Building, Model, Premises, Versioned
from mumian.foundation.buildings.rules.ground import LARGE, Bounds, cell_of, cells_of
from mumian.kernel.unit_of_work import Row, Session, encode

V = TypeVar("V", bound=Versioned)
_JSON = {"title", "lods", "attributes", "classes", "structure"}
_IN = 400
_PAGE = 5_000


class Register(Generic[V]):
    """One table of versions, of which the newest of each code holds; versions are never changed."""

    def __init__(self, name: str, made: type[V], derived: Mapping[str, Callable[[V], Any]] | None = None) -> None:
        self.name = name
        self.table = f"buildings_{name}"
        self.fields: tuple[str, ...] = made.__struct_fields__
        self._made = made
        self._derived = dict(derived or {})
        self.select = f"SELECT {', '.join(self.fields)} FROM {self.table}"

    def load(self, row: Row) -> V:
        """A version from its row."""
        return self._made(**{name: msgspec.json.decode(value) if name in _JSON else value for name, value in row.items()})

    def write(self, session: Session, versions: Sequence[V], batch: str) -> None:
        """Keep versions, each newer than those before of its code."""
        if not versions:
            return
        rows = [self._row(version, batch) for version in versions]
        older = [{"code": version.code} for version in versions if version.version > 1]
        if older:
            session.execute_many(f"UPDATE {self.table} SET newest = 0 WHERE code = :code AND newest = 1", older)
        names = list(rows[0])
        session.execute_many(
            f"INSERT INTO {self.table} ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})", rows
        )

    def _row(self, version: V, batch: str) -> dict[str, Any]:
        row = {name: getattr(version, name) for name in self.fields}
        texts = {name: encode(row[name]).decode() for name in self.fields if name in _JSON}
        derived = {name: work(version) for name, work in self._derived.items()}
        return row | texts | derived | {"batch": batch, "newest": 1}

    def get(self, session: Session, code: str) -> V | None:
        """The version of a code that holds."""
        row = session.row(f"{self.select} WHERE code = :code AND newest = 1", code=code)
        return None if row is None else self.load(row)

    def history(self, session: Session, code: str, before: int, limit: int) -> list[V]:
        """Versions of a code before one, the newest first."""
        sql = f"{self.select} WHERE code = :code AND version < :before ORDER BY version DESC LIMIT :limit"
        return [self.load(row) for row in session.rows(sql, code=code, before=before, limit=limit)]

    def of(self, session: Session, column: str, values: Iterable[str], **equal: str) -> list[V]:
        """The versions that hold with one of the values in a column, and others equal (names are the caller's constants)."""
        found: list[V] = []
        wanted = list(dict.fromkeys(values))
        also = "".join(f" AND {name} = :{name}" for name in equal)
        for start in range(0, len(wanted), _IN):
            some = wanted[start : start + _IN]
            marks = ", ".join(f":v{i}" for i in range(len(some)))
            params = {f"v{i}": value for i, value in enumerate(some)} | equal
            sql = f"{self.select} WHERE {column} IN ({marks}) AND newest = 1{also} ORDER BY code"
            found += [self.load(row) for row in session.rows(sql, **params)]
        return found

    def page(self, session: Session, after: str, limit: int, equal: Mapping[str, str], more: str = "", **params: Any) -> list[V]:
        """Versions that hold, by code after one; `equal` and `more` filter (names and SQL are the caller's constants)."""
        where = "".join(f" AND {column} = :{column}" for column in equal) + more
        sql = f"{self.select} WHERE code > :after AND newest = 1{where} ORDER BY code LIMIT :limit"
        return [self.load(row) for row in session.rows(sql, after=after, limit=limit, **equal, **params)]

    def digest(self, session: Session, batch: str) -> tuple[int, str]:
        """Count and SHA-256 of the versions that a batch wrote."""
        total, count, after = sha256(), 0, ("", 0)
        names = ", ".join((*self.fields, *self._derived))
        sql = (
            f"SELECT {names} FROM {self.table} WHERE batch = :batch AND (code > :code OR (code = :code AND version > :version)) "
            "ORDER BY code, version LIMIT :limit"
        )
        while rows := session.rows(sql, batch=batch, code=after[0], version=after[1], limit=_PAGE):
            for row in rows:
                total.update(encode(row) + b"\n")
            count, after = count + len(rows), (rows[-1]["code"], rows[-1]["version"])
        return count, total.hexdigest()

    def batches(self, session: Session) -> set[str]:
        """Every batch that a version speaks of."""
        return {row["batch"] for row in session.rows(f"SELECT DISTINCT batch FROM {self.table}")}

    def misplaced(self, session: Session) -> int:
        """How many versions are marked as the newest and are not, or the other way round."""
        newest = f"SELECT MAX(b.version) FROM {self.table} b WHERE b.code = a.code"
        sql = f"SELECT COUNT(*) FROM {self.table} a WHERE (a.newest = 1) <> (a.version = ({newest}))"
        return int(session.value(sql))

    def counts(self, session: Session, column: str, more: str = "", **params: Any) -> dict[str, int]:
        """How many versions hold, by a column of the table (the caller's own constant)."""
        sql = f"SELECT {column} AS k, COUNT(*) AS n FROM {self.table} WHERE newest = 1{more} GROUP BY {column} ORDER BY {column}"
        return {str(row["k"]): int(row["n"]) for row in session.rows(sql, **params)}


def bounds_of(building: Building) -> Bounds | None:
    """The bounds of a footprint; None without one."""
    if building.west is None or building.south is None or building.east is None or building.north is None:
        return None
    return building.west, building.south, building.east, building.north


BUILDINGS: Register[Building] = Register("building", Building, {"cell": lambda building: cell_of(bounds_of(building))})
MODELS: Register[Model] = Register("model", Model)
PREMISES: Register[Premises] = Register("premises", Premises)
REGISTERS: dict[str, Register[Any]] = {register.name: register for register in (BUILDINGS, MODELS, PREMISES)}
STANDS = " AND state IN ('standing', 'planned')"


def within(bounds: Bounds) -> tuple[str, dict[str, Any]]:
    """The condition, and its parameters, that a row's bounds meet these."""
    west, south, east, north = bounds
    params: dict[str, Any] = {"w": west, "s": south, "e": east, "n": north}
    sql = " AND west <= :e AND east >= :w AND south <= :n AND north >= :s"
    ranges = cells_of(bounds)
    if ranges is not None:
        spans = [f"cell BETWEEN :a{i} AND :b{i}" for i in range(len(ranges))]
        sql += f" AND (cell = {LARGE} OR {' OR '.join(spans)})"
        for i, (first, last) in enumerate(ranges):
            params |= {f"a{i}": first, f"b{i}": last}
    return sql, params


def children(session: Session, codes: Sequence[str]) -> list[Building]:
    """The parts of these buildings."""
    return BUILDINGS.of(session, "parent", codes)


def newest_batch(session: Session) -> str:
    """The batch that changed buildings last; empty before the first."""
    return str(session.value("SELECT MAX(batch) FROM buildings_building") or "")
