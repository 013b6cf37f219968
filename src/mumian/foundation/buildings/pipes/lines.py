"""Lines of GeoJSON as a network: each LineString an edge; ends that lie together, and points that are given, are its nodes."""

from collections.abc import Mapping
from math import cos, isfinite, radians
from typing import Any

from mumian.foundation.buildings.contracts import ObjectFault
from mumian.foundation.buildings.pipes.contracts import Edge, Node
from mumian.foundation.buildings.pipes.reading import Drawn
from mumian.foundation.buildings.rules import fields
from mumian.foundation.buildings.rules.ground import METRES

_WORDS: dict[str, tuple[str, ...]] = {
    "id": ("id", "code", "编号", "管线编号", "fid"),
    "kind": ("kind", "type", "类型", "特征", "附属物"),
    "from": ("from", "a", "起点", "起点编号", "起始点号"),
    "to": ("to", "b", "终点", "终点编号", "终止点号"),
    "diameter": ("diameter", "dn", "管径", "断面尺寸"),
    "depth": ("depth", "埋深", "平均埋深"),
    "material": ("material", "材质"),
    "year": ("year", "建设年代", "埋设年代", "建成年份"),
    "invert_a": ("invert_a", "起点管底高程", "起点高程"),
    "invert_b": ("invert_b", "终点管底高程", "终点高程"),
    "length": ("length", "管长", "长度"),
    "ground": ("ground", "elevation", "地面高程"),
    "closed": ("closed",),
}
_KINDS = {"阀门": "valve", "泵": "pump", "窨井": "manhole", "检查井": "manhole", "雨水口": "inlet", "排放口": "outfall"}
_KINDS["水源"] = "source"


def read_lines(
    features: list[Any], kind: str, directed: bool, degrees: bool, tolerance: float
) -> tuple[Drawn, list[ObjectFault]]:
    """A network of GeoJSON features; ends within `tolerance` metres are one node, `degrees` says the unit."""
    drawn, faults = Drawn(kind, directed), list[ObjectFault]()
    snap = _Snap(drawn, tolerance, degrees)
    numbered = list(enumerate(features, 1))
    for points in (True, False):
        for row, feature in numbered:
            fault = _take(drawn, snap, row, feature, points)
            if fault is not None:
                faults.append(fault)
    return drawn, faults


def _take(drawn: Drawn, snap: "_Snap", row: int, feature: Any, points: bool) -> ObjectFault | None:
    """Take a feature in where it is a point (or not one) as asked; the fault where it cannot be."""
    geometry = feature.get("geometry") if isinstance(feature, Mapping) else None
    type_ = geometry.get("type") if isinstance(geometry, Mapping) else None
    if points != (type_ == "Point"):
        return None
    assert isinstance(feature, Mapping) or not points
    given = feature.get("properties") if isinstance(feature, Mapping) else None
    given = given if isinstance(given, Mapping) else {}
    id_ = str(_of(given, "id") or (feature.get("id") if isinstance(feature, Mapping) else None) or row)[:101]
    if not id_.isprintable() or len(id_) > 100:
        return ObjectFault(str(row), "id", "buildings.bad_id", {})
    corners = _corners(geometry, points)
    if corners is None:
        return ObjectFault(id_, "geometry", "buildings.no_line", {})
    if id_ in (drawn.nodes if points else drawn.edges):
        return ObjectFault(id_, "id", "field.duplicate", {"name": id_})
    return _node(snap, id_, given, corners[0]) if points else _edge(drawn, snap, id_, given, corners)


def _of(given: Mapping[str, Any], name: str) -> Any:
    return fields.first(given, _WORDS[name])


def _number(given: Mapping[str, Any], name: str) -> float | None:
    return fields.number(_of(given, name))


def _corners(geometry: Any, point: bool) -> list[tuple[float, float]] | None:
    if not isinstance(geometry, Mapping) or geometry.get("type") not in ("Point", "LineString"):
        return None
    listed = geometry.get("coordinates")
    listed = [listed] if point else listed
    if not isinstance(listed, list) or not (1 if point else 2) <= len(listed) <= 100_000:
        return None
    made = []
    for pair in listed:
        if not isinstance(pair, list) or len(pair) < 2:
            return None
        x, y = fields.number(pair[0]), fields.number(pair[1])
        if x is None or y is None or isinstance(pair[0], str) or isinstance(pair[1], str):
            return None
        made.append((x, y))
    return made


def _node(snap: "_Snap", id_: str, given: Mapping[str, Any], point: tuple[float, float]) -> ObjectFault | None:
    word = str(_of(given, "kind") or "junction").strip().lower()[:40]
    node = Node(id=id_, kind=_KINDS.get(word, word), ground=_number(given, "ground"), depth=_number(given, "depth"))
    if node.ground is not None and node.depth is not None:
        node.invert = round(node.ground - node.depth, 3)
    snap.put(node, point)
    return None


def _edge(
    drawn: Drawn, snap: "_Snap", id_: str, given: Mapping[str, Any], corners: list[tuple[float, float]]
) -> ObjectFault | None:
    ends = []
    for name, point in (("from", corners[0]), ("to", corners[-1])):
        told = str(_of(given, name) or "")
        if told and told not in drawn.nodes:
            return ObjectFault(id_, name, "buildings.no_end", {"name": told[:100], "edge": id_})
        ends.append(told or snap.at(point))
    word = str(_of(given, "kind") or "pipe").strip().lower()[:40]
    edge = Edge(id=id_, kind=_KINDS.get(word, word), a=ends[0], b=ends[1], material=str(_of(given, "material") or "")[:60])
    edge.length = _number(given, "length") or round(snap.length(corners), 2)
    edge.diameter, edge.depth = _number(given, "diameter"), _number(given, "depth")
    edge.invert_a, edge.invert_b = _number(given, "invert_a"), _number(given, "invert_b")
    edge.year, edge.closed = fields.year_of(given, _WORDS["year"]), _of(given, "closed") in (True, 1, "true", "yes")
    drawn.edges[id_] = edge
    drawn.corners[id_] = corners[1:-1]
    return None


class _Snap:
    """Nodes by place: whatever lies within the tolerance of a node is that node."""

    def __init__(self, drawn: Drawn, tolerance: float, degrees: bool) -> None:
        self._drawn = drawn
        self._tolerance = max(tolerance, 1e-6)
        self._degrees = degrees
        self._narrow: float | None = None
        self._cells: dict[tuple[int, int], list[str]] = {}

    def _metres(self, point: tuple[float, float]) -> tuple[float, float]:
        if not self._degrees:
            return point
        if self._narrow is None:
            self._narrow = cos(radians(min(max(point[1], -89.0), 89.0)))
        return point[0] * METRES * self._narrow, point[1] * METRES

    def put(self, node: Node, point: tuple[float, float]) -> None:
        """Keep a node at a point."""
        self._drawn.nodes[node.id], self._drawn.points[node.id] = node, point
        self._cells.setdefault(self._cell(point), []).append(node.id)

    def _cell(self, point: tuple[float, float]) -> tuple[int, int]:
        x, y = self._metres(point)
        return int(x // self._tolerance), int(y // self._tolerance)

    def at(self, point: tuple[float, float]) -> str:
        """The node at a point; a new one where there is none."""
        column, row = self._cell(point)
        near = [id_ for i in (-1, 0, 1) for j in (-1, 0, 1) for id_ in self._cells.get((column + i, row + j), ())]
        within = [(self.length([point, self._drawn.points[id_]]), id_) for id_ in near]
        best = min(within, default=None)
        if best is not None and best[0] <= self._tolerance:
            return best[1]
        number = len(self._drawn.nodes) + 1
        while f"n{number}" in self._drawn.nodes:
            number += 1
        self.put(Node(id=f"n{number}"), point)
        return f"n{number}"

    def length(self, corners: list[tuple[float, float]]) -> float:
        """Metres along a line."""
        total = 0.0
        for (ax, ay), (bx, by) in zip(map(self._metres, corners), map(self._metres, corners[1:]), strict=False):
            total += ((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5
        return total if isfinite(total) else 0.0
