"""Topology 网络拓扑: which nodes and links of a network are single points of failure, and which nodes miss a plane.

Articulation points and bridges by depth-first search (Hopcroft and Tarjan, 1973), in linear time and without recursion.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Link = tuple[str, str, str]  # code of the link and of the two nodes that it joins


@dataclass(frozen=True)
class Weakness:
    """What the failure of one node or link would do: `alone` are the nodes that lose the largest part that remains."""

    code: str
    type: str
    alone: int


@dataclass(frozen=True)
class Topology:
    """A network looked at: its parts (sets of joined nodes), single points of failure, and links whose ends are not known."""

    nodes: int
    links: int
    parts: list[list[str]]
    weak: list[Weakness]
    loose: list[str]


def looked_at(nodes: Sequence[str], links: Iterable[Link]) -> Topology:
    """The topology of nodes and links; parallel links protect each other."""
    known = set(nodes)
    sound = [link for link in links if link[1] in known and link[2] in known and link[1] != link[2]]
    loose = sorted({link[0] for link in links} - {link[0] for link in sound}) if isinstance(links, Sequence) else []
    near: dict[str, list[tuple[str, str]]] = {node: [] for node in sorted(known)}
    for code, one, other in sorted(sound):
        near[one].append((other, code))
        near[other].append((one, code))
    seen: set[str] = set()
    parts: list[list[str]] = []
    weak: list[Weakness] = []
    for node in near:
        if node not in seen:
            part, found = _search(node, near)
            seen.update(part)
            parts.append(sorted(part))
            weak += found
    parts.sort(key=lambda part: (-len(part), part))
    return Topology(len(known), len(sound), parts, sorted(weak, key=lambda w: (-w.alone, w.type, w.code)), loose)


def _search(root: str, near: Mapping[str, Sequence[tuple[str, str]]]) -> tuple[list[str], list[Weakness]]:
    """Depth-first from a root: the nodes joined with it, and the weaknesses among them."""
    found, low, size = {root: 0}, {root: 0}, {root: 1}
    cut: dict[str, list[int]] = {}
    bridges: list[tuple[str, int]] = []
    stack = [(root, "", iter(near[root]))]
    while stack:
        node, by, left = stack[-1]
        step = next(left, None)
        if step is not None:
            other, code = step
            if other not in found:
                found[other] = low[other] = len(found)
                size[other] = 1
                stack.append((other, code, iter(near[other])))
            elif code != by:
                low[node] = min(low[node], found[other])
            continue
        stack.pop()
        if stack:
            above = stack[-1][0]
            low[above], size[above] = min(low[above], low[node]), size[above] + size[node]
            if low[node] >= found[above]:
                cut.setdefault(above, []).append(size[node])
            if low[node] > found[above]:
                bridges.append((by, size[node]))
    return list(found), _weaknesses(root, len(found), cut, bridges)


def _weaknesses(root: str, total: int, cut: Mapping[str, list[int]], bridges: Iterable[tuple[str, int]]) -> list[Weakness]:
    weak = [Weakness(code, "link", min(below, total - below)) for code, below in bridges]
    for node, below in cut.items():
        rest = total - 1 - sum(below)
        pieces = below + ([rest] if rest else [])
        if node != root or len(below) > 1:
            weak.append(Weakness(node, "node", total - 1 - max(pieces)))
    return weak


def missing_planes(
    nodes: Iterable[str], links: Iterable[tuple[str, str, str, str]], planes: Sequence[str]
) -> dict[str, list[str]]:
    """Nodes without a link in one of the planes: node → planes missed; links are (code, node, node, plane)."""
    have: dict[str, set[str]] = {node: set() for node in nodes}
    for _, one, other, plane in links:
        for node in (one, other):
            if node in have:
                have[node].add(plane)
    return {node: lacking for node in sorted(have) if (lacking := [plane for plane in planes if plane not in have[node]])}
