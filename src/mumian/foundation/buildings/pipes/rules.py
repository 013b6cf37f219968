"""Rules of networks: what lies up and down of a node, which valves shut an edge off, and what does not fit."""

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from mumian.foundation.buildings.pipes.contracts import SINKS, SUPPLIES, Edge, Isolation, NetworkFault, Node, Trace

_ENDS = (*SUPPLIES, *SINKS, "hydrant", "consumer", "valve", "storage", "divider")
_RISE = 0.001


class Graph:
    """A network in memory: every edge names two nodes that are there."""

    def __init__(self, nodes: Sequence[Node], edges: Sequence[Edge], directed: bool) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.edges = {edge.id: edge for edge in edges}
        self.directed = directed
        self.out: dict[str, list[Edge]] = {node.id: [] for node in nodes}
        self.into: dict[str, list[Edge]] = {node.id: [] for node in nodes}
        for edge in edges:
            self.out[edge.a].append(edge)
            self.into[edge.b].append(edge)

    def at(self, node: str) -> list[Edge]:
        """All edges of a node; a loop is there twice."""
        return self.out[node] + self.into[node]

    def supplies(self) -> list[str]:
        """The nodes that feed the network."""
        return [node.id for node in self.nodes.values() if node.kind in SUPPLIES]

    def sinks(self) -> list[str]:
        """The nodes at which flow leaves the network."""
        return [node.id for node in self.nodes.values() if node.kind in SINKS]

    def reached(self, starts: Iterable[str], without: Iterable[str] = (), shut: Iterable[str] = ()) -> list[str]:
        """Nodes joined to any of `starts` by open edges, in the order of meeting; not by nodes `without` nor edges `shut`."""
        barred, closed = set(without), set(shut)
        seen = dict.fromkeys(start for start in starts if start not in barred)
        queue = deque(seen)
        while queue:
            here = queue.popleft()
            for edge in self.at(here):
                other = edge.b if edge.a == here else edge.a
                if not edge.closed and edge.id not in closed and other not in barred and other not in seen:
                    seen[other] = None
                    queue.append(other)
        return list(seen)


def trace(graph: Graph, start: str, direction: str) -> Trace:
    """What lies up or down of a node.

    Where flow has a direction that is everything on the way. Under pressure, up is the shortest way from the nearest supply, and
    down are the nodes that would have no supply without this one.
    """
    if graph.directed:
        return _flow(graph, start, direction)
    return _way_up(graph, start) if direction == "up" else _dependents(graph, start)


def _flow(graph: Graph, start: str, direction: str) -> Trace:
    seen, edges = {start: None}, dict[str, None]()
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for edge in graph.out[here] if direction == "down" else graph.into[here]:
            if edge.closed:
                continue
            edges[edge.id] = None
            other = edge.b if direction == "down" else edge.a
            if other not in seen:
                seen[other] = None
                queue.append(other)
    return _traced(graph, start, direction, list(seen), list(edges))


def _way_up(graph: Graph, start: str) -> Trace:
    """Dijkstra's shortest way by length (1 m where it is not known) to the nearest supply; the start alone without one."""
    ends, best, came = set(graph.supplies()), {start: 0.0}, dict[str, tuple[str, str]]()
    heap = [(0.0, start)]
    while heap:
        cost, here = heappop(heap)
        if cost > best[here]:
            continue
        if here in ends:
            return _walked(graph, start, here, came)
        for edge in graph.at(here):
            other, further = edge.b if edge.a == here else edge.a, cost + _metres(edge)
            if not edge.closed and further < best.get(other, float("inf")):
                best[other], came[other] = further, (here, edge.id)
                heappush(heap, (further, other))
    return _traced(graph, start, "up", [start], [])


def _walked(graph: Graph, start: str, end: str, came: dict[str, tuple[str, str]]) -> Trace:
    nodes, edges = [end], list[str]()
    while nodes[-1] != start:
        before, edge = came[nodes[-1]]
        nodes.append(before)
        edges.append(edge)
    return _traced(graph, start, "up", nodes[::-1], edges[::-1])


def _dependents(graph: Graph, start: str) -> Trace:
    supplies = graph.supplies()
    with_it = graph.reached(supplies)
    without = set(graph.reached(supplies, without=[start]))
    lost = set(with_it) - without
    if start not in lost:
        return _traced(graph, start, "down", [start], [])
    nodes = [start, *(node for node in with_it if node in lost and node != start)]
    edges = {edge.id: None for node in nodes for edge in graph.at(node) if edge.a in lost and edge.b in lost and not edge.closed}
    return _traced(graph, start, "down", nodes, list(edges))


def _metres(edge: Edge) -> float:
    return edge.length if edge.length is not None and edge.length > 0 else 1.0


def _traced(graph: Graph, start: str, direction: str, nodes: list[str], edges: list[str]) -> Trace:
    metres = round(sum(graph.edges[edge].length or 0.0 for edge in edges), 2)
    return Trace(start, direction, nodes, edges, metres)


def isolate(graph: Graph, edge: str) -> Isolation:
    """The valves that part an edge from the rest, what lies still between them, and who else then has no supply."""
    broken = graph.edges[edge]
    still_nodes, still_edges = dict[str, None](), {edge: None}
    valve_edges, valve_nodes = dict[str, None](), dict[str, None]()
    queue = deque([broken.a, broken.b])
    while queue:
        here = queue.popleft()
        if here in still_nodes or here in valve_nodes:
            continue
        if graph.nodes[here].kind == "valve":
            valve_nodes[here] = None
            continue
        still_nodes[here] = None
        for way in graph.at(here):
            if way.closed or way.id in still_edges:
                continue
            if way.kind == "valve":
                valve_edges[way.id] = None
                continue
            still_edges[way.id] = None
            queue += [way.a, way.b]
    supplies = graph.supplies()
    before = graph.reached(supplies)
    running = [supply for supply in supplies if supply not in still_nodes]
    after = set(graph.reached(running, without=[*still_nodes, *valve_nodes], shut=[*valve_edges, *still_edges]))
    cut = [node for node in before if node not in after and node not in still_nodes and node not in valve_nodes]
    stopped = [supply for supply in supplies if supply in still_nodes]
    return Isolation(edge, list(valve_edges), list(valve_nodes), list(still_nodes), list(still_edges), stopped, cut)


def faults(graph: Graph) -> list[NetworkFault]:
    """What does not fit, nodes first; see `NetworkFault`."""
    return [*_unjoined(graph), *_unsupplied(graph), *_edges(graph), *_narrowing(graph)]


def _unjoined(graph: Graph) -> list[NetworkFault]:
    made = []
    for node in graph.nodes.values():
        ways = graph.at(node.id)
        if not ways:
            made.append(NetworkFault("alone", "node", node.id))
        elif len(ways) == 1 and node.kind not in _ENDS and not (graph.directed and graph.out[node.id]):
            made.append(NetworkFault("dead_end", "node", node.id))
    return made


def _unsupplied(graph: Graph) -> list[NetworkFault]:
    if graph.directed:
        fine: set[str] = set()
        queue = deque(graph.sinks())
        while queue:
            here = queue.popleft()
            if here not in fine:
                fine.add(here)
                queue += [edge.a for edge in graph.into[here] if not edge.closed]
    else:
        fine = set(graph.reached(graph.supplies()))
    return [NetworkFault("unsupplied", "node", node) for node in graph.nodes if node not in fine and graph.at(node)]


def _edges(graph: Graph) -> list[NetworkFault]:
    made = [NetworkFault("loop", "edge", edge.id) for edge in graph.edges.values() if edge.a == edge.b]
    for edge in graph.edges.values():
        if graph.directed and edge.kind == "pipe" and edge.invert_a is not None and edge.invert_b is not None:
            rise = edge.invert_b - edge.invert_a
            if rise > _RISE:
                made.append(NetworkFault("uphill", "edge", edge.id, round(rise, 3)))
    return made


def _narrowing(graph: Graph) -> list[NetworkFault]:
    """Where flow has a direction, a single pipe out that is narrower than the widest pipe in."""
    made = []
    for node in graph.nodes if graph.directed else ():
        out = [edge for edge in graph.out[node] if edge.kind == "pipe" and edge.diameter]
        into = [edge.diameter for edge in graph.into[node] if edge.kind == "pipe" and edge.diameter]
        if len(graph.out[node]) == 1 and out and into and out[0].diameter and out[0].diameter < max(into) - 0.5:
            made.append(NetworkFault("narrowing", "edge", out[0].id, round((max(into) - out[0].diameter) / 1000, 3)))
    return made
