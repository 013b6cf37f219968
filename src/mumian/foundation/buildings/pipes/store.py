"""Store of networks: each whole as it was last brought in, with a digest over all of it."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.buildings.pipes.contracts import Edge, Network, Node
from mumian.foundation.buildings.rules.ground import Bounds, cell_of, cells_of
from mumian.kernel.unit_of_work import Row, Session, encode

_NETWORK = Network.__struct_fields__
_NODE = Node.__struct_fields__
_EDGE = Edge.__struct_fields__
_BOX = ("west", "south", "east", "north", "cell")
_PAGE = 5_000
_SELECT = f"SELECT {', '.join(_NETWORK)} FROM buildings_network"


def network(session: Session, name: str) -> Network | None:
    """A network by its name."""
    row = session.row(f"{_SELECT} WHERE name = :name", name=name)
    return None if row is None else _network(row)


def networks(session: Session, after: str, limit: int, kind: str | None) -> list[Network]:
    """Networks by name after one."""
    where, params = (" AND kind = :kind", {"kind": kind}) if kind else ("", {})
    sql = f"{_SELECT} WHERE name > :after{where} ORDER BY name LIMIT :limit"
    return [_network(row) for row in session.rows(sql, after=after, limit=limit, **params)]


def names(session: Session) -> list[str]:
    """The names of all networks."""
    return [row["name"] for row in session.rows("SELECT name FROM buildings_network ORDER BY name")]


def _network(row: Row) -> Network:
    return Network(**{**row, "title": msgspec.json.decode(row["title"]), "directed": bool(row["directed"])})


def remove(session: Session, name: str) -> None:
    """Take a network away."""
    session.execute("DELETE FROM buildings_pipe_edge WHERE network = :name", name=name)
    session.execute("DELETE FROM buildings_pipe_node WHERE network = :name", name=name)
    session.execute("DELETE FROM buildings_network WHERE name = :name", name=name)


def keep(session: Session, made: Network, nodes: Sequence[Node], edges: Sequence[Edge], boxes: Sequence[Bounds | None]) -> None:
    """Put a network in the place of what it was; `boxes` are the bounds of the edges' lines."""
    remove(session, made.name)
    row = {name: getattr(made, name) for name in _NETWORK}
    row |= {"title": encode(made.title).decode(), "directed": int(made.directed)}
    _insert(session, "buildings_network", [row])
    _insert(session, "buildings_pipe_node", [{"network": made.name} | {f: getattr(node, f) for f in _NODE} for node in nodes])
    rows = []
    for edge, box in zip(edges, boxes, strict=True):
        values: dict[str, Any] = {"network": made.name} | {field: getattr(edge, field) for field in _EDGE}
        place = dict(zip(_BOX, (*(box or (None,) * 4), cell_of(box)), strict=True))
        rows.append(values | {"closed": int(edge.closed)} | place)
    _insert(session, "buildings_pipe_edge", rows)


def _insert(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        columns = list(rows[0])
        session.execute_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(':' + c for c in columns)})", rows)


def nodes(session: Session, name: str) -> list[Node]:
    """All nodes of a network."""
    return [Node(**row) for page in _pages(session, "buildings_pipe_node", _NODE, name) for row in page]


def edges(session: Session, name: str) -> list[Edge]:
    """All edges of a network."""
    return [_edge(row) for page in _pages(session, "buildings_pipe_edge", _EDGE, name) for row in page]


def _edge(row: Row) -> Edge:
    return Edge(**{**row, "closed": bool(row["closed"])})


def _pages(session: Session, table: str, columns: Sequence[str], name: str) -> Iterator[list[Row]]:
    after = ""
    sql = f"SELECT {', '.join(columns)} FROM {table} WHERE network = :name AND id > :after ORDER BY id LIMIT :limit"
    while rows := session.rows(sql, name=name, after=after, limit=_PAGE):
        yield rows
        after = rows[-1]["id"]


def edges_page(session: Session, name: str, after: str, limit: int) -> list[Edge]:
    """Edges by id after one."""
    sql = f"SELECT {', '.join(_EDGE)} FROM buildings_pipe_edge WHERE network = :name AND id > :after ORDER BY id LIMIT :limit"
    return [_edge(row) for row in session.rows(sql, name=name, after=after, limit=limit)]


def within(session: Session, bounds: Bounds, limit: int, network: str | None = None) -> list[tuple[str, str, Edge]]:
    """Edges whose lines meet bounds, each with its network and the network's kind."""
    west, south, east, north = bounds
    params: dict[str, Any] = {"w": west, "s": south, "e": east, "n": north, "limit": limit}
    where = "e.west <= :e AND e.east >= :w AND e.south <= :n AND e.north >= :s"
    ranges = cells_of(bounds)
    if ranges is not None:
        where += f" AND (e.cell = -1 OR {' OR '.join(f'e.cell BETWEEN :a{i} AND :b{i}' for i in range(len(ranges)))})"
        for i, (first, last) in enumerate(ranges):
            params |= {f"a{i}": first, f"b{i}": last}
    if network is not None:
        where, params = f"{where} AND e.network = :network", params | {"network": network}
    chosen = ", ".join(f"e.{name}" for name in _EDGE)
    sql = (
        f"SELECT e.network AS network, n.kind AS network_kind, {chosen} FROM buildings_pipe_edge e "
        f"JOIN buildings_network n ON n.name = e.network WHERE {where} ORDER BY e.network, e.id LIMIT :limit"
    )
    return [(row.pop("network"), row.pop("network_kind"), _edge(row)) for row in session.rows(sql, **params)]


def digest(session: Session, name: str) -> str:
    """SHA-256 over a network, its nodes and its edges as they are kept."""
    total = sha256()
    row = session.row(f"{_SELECT} WHERE name = :name", name=name)
    total.update(encode(row) + b"\n")
    for table, columns in (("buildings_pipe_node", _NODE), ("buildings_pipe_edge", (*_EDGE, *_BOX))):
        for page in _pages(session, table, columns, name):
            for one in page:
                total.update(encode(one) + b"\n")
    return total.hexdigest()
