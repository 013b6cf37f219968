"""What networks of pipes hand out: networks, nodes, edges, and answers about them."""

from typing import Literal

import msgspec

KINDS = ("water", "drainage", "gas", "heat", "power", "telecom")
SUPPLIES = ("source", "reservoir", "tank", "station", "plant")
SINKS = ("outfall",)
Direction = Literal["up", "down"]


class Node(msgspec.Struct, kw_only=True):
    """A node: junction, manhole, valve, one of SUPPLIES or SINKS, storage, hydrant … in WGS 84 degrees where it has a place.

    `ground` is the level of the ground, `invert` that of the pipe's foot, `depth` the metres between them.
    """

    id: str
    kind: str = "junction"
    longitude: float | None = None
    latitude: float | None = None
    ground: float | None = None
    invert: float | None = None
    depth: float | None = None


class Edge(msgspec.Struct, kw_only=True):
    """An edge from node `a` to node `b`: pipe, valve, pump, orifice, weir, cable …; where directed, the way of flow.

    `length` in metres, `diameter` (or height of the section) in millimetres, `depth` below the ground in metres, inverts are
    levels of its ends; `closed` lets nothing through. `line` is a GeoJSON LineString in WGS 84 (empty where nobody knows).
    """

    id: str
    kind: str = "pipe"
    a: str
    b: str
    length: float | None = None
    diameter: float | None = None
    material: str = ""
    year: int | None = None
    depth: float | None = None
    invert_a: float | None = None
    invert_b: float | None = None
    closed: bool = False
    line: str = ""


class Network(msgspec.Struct, kw_only=True):
    """A network: `kind` is one of KINDS, `directed` says that flow follows its edges (drainage) and not the pressure."""

    name: str
    version: int
    changed: str
    kind: str
    title: dict[str, str]
    owner: str
    source: str
    crs: str
    directed: bool
    nodes: int
    edges: int
    file: str


class Trace(msgspec.Struct, frozen=True):
    """What lies up or down of a node: nodes in the order in which they were met, edges, and the length of those in metres."""

    start: str
    direction: str
    nodes: list[str]
    edges: list[str]
    metres: float


class Isolation(msgspec.Struct, frozen=True):
    """How to shut an edge off: valves to close (edges and nodes), what then lies still, and who else loses supply.

    `supplies` are sources inside what lies still: they must be stopped, no valve parts them from it.
    """

    edge: str
    valve_edges: list[str]
    valve_nodes: list[str]
    nodes: list[str]
    edges: list[str]
    supplies: list[str]
    cut: list[str]


class NetworkFault(msgspec.Struct, frozen=True):
    """Something that does not fit in a network: `fault` is a key, `element` node or edge, and its id.

    alone: a node that nothing joins; loop: an edge back to where it began; unsupplied: no way to any supply (or, where flow has
    a direction, to any outfall); uphill: a pipe's foot rises along the flow by `metres`; narrowing: the way out is narrower than
    the widest way in by `metres`; dead_end: a single edge ends at a plain node.
    """

    fault: str
    element: str
    id: str
    metres: float | None = None
