"""Rows of entities: inserted, changed and deleted, with what they link to."""

import json
from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value

Bounds = tuple[float, float, float, float] | None


def written(value: Any) -> str:
    """A value as JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def insert(tx: Transaction, table: str, sequence: str, values: Row) -> int:
    """Add a row with the next id of `sequence`; returns the id."""
    new = next_value(tx.session, sequence)
    row = {"id": new, **values}
    columns = ", ".join(row)
    tx.session.execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(':' + name for name in row)})", **row)
    return new


def update(tx: Transaction, table: str, number: int, values: Row) -> None:
    """Change columns of the row with this id."""
    if values:
        changes = ", ".join(f"{name} = :{name}" for name in values)
        tx.session.execute(f"UPDATE {table} SET {changes} WHERE id = :id", **{**values, "id": number})


def delete(tx: Transaction, table: str, number: int, column: str = "id") -> None:
    """Remove the rows whose column has this number."""
    tx.session.execute(f"DELETE FROM {table} WHERE {column} = :number", number=number)


def place(bounds: Bounds) -> Row:
    """The columns of a geometry's bounds."""
    return dict(zip(("west", "south", "east", "north"), bounds or (None,) * 4, strict=True))


def linked(session: Session, table: str, own: str, other: str, number: int) -> list[int]:
    """The ids that a table of pairs has beside this one."""
    return [int(row[other]) for row in session.rows(f"SELECT {other} FROM {table} WHERE {own} = :n ORDER BY {other}", n=number)]
