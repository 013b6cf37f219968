"""Keeping networks: files become networks in WGS 84, whole and in one commit; graphs are kept in memory by version."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.buildings.contracts import ObjectFault
from mumian.foundation.buildings.errors import BadModel
from mumian.foundation.buildings.events import NetworkRecorded, NetworkRemoved
from mumian.foundation.buildings.files.bodies import decoded, refused
from mumian.foundation.buildings.pipes import store
from mumian.foundation.buildings.pipes.contracts import Edge, Network, Node
from mumian.foundation.buildings.pipes.inp import read_inp
from mumian.foundation.buildings.pipes.lines import read_lines
from mumian.foundation.buildings.pipes.reading import MOST, BadNetwork, Drawn
from mumian.foundation.buildings.pipes.rules import Graph
from mumian.foundation.buildings.rules.ground import METRES, Bounds
from mumian.kernel.errors import Fault, Invalid, NotFound
from mumian.kernel.unit_of_work import Session, Transaction

Convert = Callable[[Any, Any, str, str], tuple[Any, Any]]
_DEGREES = ("CRS84", "EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09")
_MOST_GRAPHS = 16


@dataclass(frozen=True)
class Options:
    """How a file is read: what it is a network of, where it lies (a system, or an `anchor` for drawings in metres)."""

    kind: str | None
    title: dict[str, str]
    owner: str
    source: str
    crs: str | None = None
    anchor: tuple[float, float] | None = None
    tolerance: float = 0.1
    directed: bool | None = None


@dataclass(frozen=True)
class Read:
    """A network on its way in."""

    drawn: Drawn
    crs: str
    nodes: list[Node]
    edges: list[Edge]
    boxes: list[Bounds | None]
    faults: list[ObjectFault]


def read(content: bytes, options: Options, convert: Convert) -> Read:
    """A network of the bytes of a file; blocks. Raises BadModel with the line, and Invalid for systems and kinds."""
    drawn, faults = _drawn(content, options)
    if options.directed is not None:
        drawn.directed = options.directed
    crs = "CRS84" if options.anchor else options.crs or ("" if _is_inp(content) else "CRS84")
    if not crs and drawn.points:
        raise Invalid(Fault("crs", "buildings.no_crs", {}))
    x, y, lost = _moved(drawn, crs, options.anchor, convert)
    for name, index in x.items():
        node = drawn.nodes.get(name)
        if node is not None:
            node.longitude, node.latitude = index, y[name]
    boxes = [_line(drawn, edge, lost) for edge in drawn.edges.values()]
    return Read(drawn, crs or "CRS84", list(drawn.nodes.values()), list(drawn.edges.values()), boxes, faults)


def _is_inp(content: bytes) -> bool:
    return not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _drawn(content: bytes, options: Options) -> tuple[Drawn, list[ObjectFault]]:
    if _is_inp(content):
        try:
            drawn = read_inp(_text(content))
        except BadNetwork as error:
            fault = Fault(f"line {error.line}", error.key, dict(error.values), line=error.line)
            raise BadModel(fault) from error
        drawn.kind = options.kind or drawn.kind
        return drawn, []
    document = decoded(content)
    features = document.get("features") if isinstance(document, dict) and document.get("type") == "FeatureCollection" else None
    if not isinstance(features, list) or len(features) > MOST:
        raise refused(f"it is no GeoJSON FeatureCollection of at most {MOST} features")
    if options.kind is None:
        raise Invalid.field("kind", "field.missing")
    degrees = options.anchor is None and (options.crs or "CRS84") in _DEGREES
    directed = options.kind == "drainage" if options.directed is None else options.directed
    drawn, faults = read_lines(features, options.kind, directed, degrees, options.tolerance)
    if not drawn.edges:
        raise BadModel(*[Fault(f"features[{f.object}].{f.field}", f.key, dict(f.values)) for f in faults[:20]] or _none())
    return drawn, faults


def _none() -> list[Fault]:
    return [Fault("features", "buildings.no_nodes", {})]


def _text(content: bytes) -> str:
    if b"\x00" in content:
        raise refused("it is no text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _moved(
    drawn: Drawn, crs: str, anchor: tuple[float, float] | None, convert: Convert
) -> tuple[dict[str, float], dict[str, float], dict[str, list[tuple[float, float]]]]:
    """Longitudes and latitudes of nodes by id, and the corners of edges by id, in WGS 84."""
    names = list(drawn.points)
    bends = [(edge, point) for edge, corners in drawn.corners.items() for point in corners]
    if not drawn.points and not bends:
        return {}, {}, {}
    points = np.array([*drawn.points.values(), *(point for _, point in bends)], np.float64).reshape(-1, 2)
    if anchor is not None and len(points):
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        narrow = np.cos(np.radians(anchor[1]))
        x, y = (points - middle).T / METRES
        x, y = anchor[0] + x / narrow, anchor[1] + y
    else:
        x, y = convert(points[:, 0], points[:, 1], crs or "CRS84", "CRS84")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.abs(x) <= 180).all() and (np.abs(y) <= 90).all()):
        raise Invalid.field("crs", "buildings.off_earth")
    x, y = np.round(x, 7).tolist(), np.round(y, 7).tolist()
    corners: dict[str, list[tuple[float, float]]] = {}
    for (edge, _), longitude, latitude in zip(bends, x[len(names) :], y[len(names) :], strict=True):
        corners.setdefault(edge, []).append((longitude, latitude))
    return dict(zip(names, x, strict=False)), dict(zip(names, y, strict=False)), corners


def _line(drawn: Drawn, edge: Edge, corners: dict[str, list[tuple[float, float]]]) -> Bounds | None:
    """Give an edge its line; returns the line's bounds, None where an end has no place."""
    ends = [drawn.nodes[edge.a], drawn.nodes[edge.b]]
    places = [(node.longitude, node.latitude) for node in ends if node.longitude is not None and node.latitude is not None]
    if len(places) < 2:
        return None
    line = [places[0], *corners.get(edge.id, ()), places[1]]
    edge.line = msgspec.json.encode({"type": "LineString", "coordinates": line}).decode()
    xs, ys = [float(x) for x, _ in line if x is not None], [float(y) for _, y in line if y is not None]
    return min(xs), min(ys), max(xs), max(ys)


def keep(tx: Transaction, name: str, found: Read, options: Options, content: bytes) -> tuple[Network, bool]:
    """Put a network in the place of what it was; the same file read the same way changes nothing (False)."""
    old, file = store.network(tx.session, name), sha256(content).hexdigest()
    made = Network(
        name=name,
        version=old.version + 1 if old else 1,
        changed=tx.now_text,
        kind=found.drawn.kind,
        title=options.title,
        owner=options.owner,
        source=options.source,
        crs=found.crs,
        directed=found.drawn.directed,
        nodes=len(found.nodes),
        edges=len(found.edges),
        file=file,
    )
    if old is not None and _same(tx.session, old, made, found):
        return old, False
    store.keep(tx.session, made, found.nodes, found.edges, found.boxes)
    digest = store.digest(tx.session, name)
    counts = {"nodes": made.nodes, "edges": made.edges}
    tx.emit(NetworkRecorded(subject=name, kind=made.kind, version=made.version, digest=digest, file=file, **counts))
    return made, True


def _same(session: Session, old: Network, new: Network, found: Read) -> bool:
    if msgspec.structs.replace(new, version=old.version, changed=old.changed) != old:
        return False
    by_id: Callable[[Any], str] = lambda element: element.id  # noqa: E731
    nodes_same = sorted(store.nodes(session, old.name), key=by_id) == sorted(found.nodes, key=by_id)
    return nodes_same and sorted(store.edges(session, old.name), key=by_id) == sorted(found.edges, key=by_id)


def remove(tx: Transaction, name: str) -> None:
    """Take a network away; raises NotFound."""
    old = here(tx.session, name)
    store.remove(tx.session, name)
    tx.emit(NetworkRemoved(subject=name, version=old.version))


def here(session: Session, name: str) -> Network:
    """A network; raises NotFound."""
    found = store.network(session, name)
    if found is None:
        raise NotFound(kind="network", name=name)
    return found


class Graphs:
    """Networks in memory, the last ones asked for, each as of its version."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Graph]] = {}
        self._lock = threading.Lock()

    def of(self, session: Session, name: str) -> Graph:
        """The graph of a network; raises NotFound."""
        network = here(session, name)
        state = f"{network.version} {network.changed} {network.file}"
        known = self._kept.get(name)
        if known is not None and known[0] == state:
            return known[1]
        made = Graph(store.nodes(session, name), store.edges(session, name), network.directed)
        with self._lock:
            while len(self._kept) >= _MOST_GRAPHS:
                self._kept.pop(next(iter(self._kept)))
            self._kept[name] = (state, made)
        return made


def demand(ids: Sequence[str], graph: Graph, element: str) -> None:
    """Raise NotFound where an id is no node (or edge) of the graph."""
    held: Any = graph.nodes if element == "node" else graph.edges
    for id_ in ids:
        if id_ not in held:
            raise NotFound(kind=element, name=id_[:100])
