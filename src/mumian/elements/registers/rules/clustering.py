"""Clustering: which records are one entity; one strong pair may not chain together what contradicts itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["decided", "identity", "source", "chain"]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Node:
    """A record: its number, the source that holds each entity once (None for others), and its valid identifiers.

    `identifiers` pairs the index of an identifying attribute with a value.
    """

    number: int
    unique_source: int | None = None
    identifiers: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Edge:
    """Two records that were compared, the lower number first, and the weight of evidence that they are one entity."""

    a: int
    b: int
    weight: float


@dataclass(frozen=True)
class Clusters:
    """For each record the lowest number of its cluster, and the pairs that were strong enough but refused, with the reason."""

    of: Mapping[int, int]
    refused: Mapping[Pair, Reason]


@dataclass
class _Cluster:
    members: list[int]
    sources: set[int]
    identifiers: dict[int, set[str]]
    support: dict[int, int] = field(default_factory=dict)  # by root: how many pairs across speak for it


@dataclass
class _State:
    clusters: dict[int, _Cluster]
    root: dict[int, int]
    apart: Mapping[int, set[int]]


def cluster(
    nodes: Sequence[Node],
    edges: Iterable[Edge],
    match: float,
    cohesion: float,
    same: Iterable[Pair] = (),
    different: Iterable[Pair] = (),
) -> Clusters:
    """Cluster the records of one component of the graph.

    Decisions come first: `same` pairs are one entity whatever else is said (unless that would join a `different` pair), then the
    edges of at least `match`, the strongest first. Two clusters stay apart (1) when a person said so of any two of their records,
    (2) when their identifiers contradict, (3) when both have a record of a source that holds each entity once, (4) when less than
    the share `cohesion` of the pairs across them is among `edges`, which hold all pairs that speak for it at all.
    The outcome does not depend on the order of what is given.
    """
    given = sorted(edges, key=lambda edge: (-edge.weight, edge.a, edge.b))
    state = _start(nodes, given, different)
    refused: dict[Pair, Reason] = {}
    for a, b in sorted(same):
        first, second = state.root.get(a), state.root.get(b)
        if first is None or second is None or first == second:
            continue
        if _decided_apart(state, first, second):
            refused[a, b] = "decided"
        else:
            _join(state, first, second)
    for edge in given:
        if edge.weight < match:
            break
        first, second = state.root[edge.a], state.root[edge.b]
        if first == second:
            continue
        reason = _against(state, first, second, cohesion)
        if reason is None:
            _join(state, first, second)
        else:
            refused[edge.a, edge.b] = reason
    lowest = {root: min(each.members) for root, each in state.clusters.items()}
    return Clusters({number: lowest[root] for number, root in state.root.items()}, _still(state, refused))


def _start(nodes: Sequence[Node], edges: Sequence[Edge], different: Iterable[Pair]) -> _State:
    apart: dict[int, set[int]] = {}
    for a, b in different:
        apart.setdefault(a, set()).add(b)
        apart.setdefault(b, set()).add(a)
    clusters = {}
    for node in nodes:
        identifiers: dict[int, set[str]] = {}
        for attribute, value in node.identifiers:
            identifiers.setdefault(attribute, set()).add(value)
        sources = set() if node.unique_source is None else {node.unique_source}
        clusters[node.number] = _Cluster([node.number], sources, identifiers)
    for edge in edges:
        for a, b in ((edge.a, edge.b), (edge.b, edge.a)):
            support = clusters[a].support
            support[b] = support.get(b, 0) + 1
    return _State(clusters, {node.number: node.number for node in nodes}, apart)


def _against(state: _State, first: int, second: int, cohesion: float) -> Reason | None:
    one, other = state.clusters[first], state.clusters[second]
    if _decided_apart(state, first, second):
        return "decided"
    for attribute in one.identifiers.keys() & other.identifiers.keys():
        if not one.identifiers[attribute] & other.identifiers[attribute]:
            return "identity"
    if one.sources & other.sources:
        return "source"
    across = len(one.members) * len(other.members)
    return "chain" if one.support.get(second, 0) < cohesion * across else None


def _decided_apart(state: _State, first: int, second: int) -> bool:
    one, other = state.clusters[first], state.clusters[second]
    small, large = (one, second) if len(one.members) <= len(other.members) else (other, first)
    return any(state.root.get(number) == large for member in small.members for number in state.apart.get(member, ()))


def _join(state: _State, first: int, second: int) -> None:
    if len(state.clusters[first].members) < len(state.clusters[second].members):
        first, second = second, first
    into, gone = state.clusters[first], state.clusters.pop(second)
    for member in gone.members:
        state.root[member] = first
    into.members += gone.members
    into.sources |= gone.sources
    for attribute, values in gone.identifiers.items():
        into.identifiers.setdefault(attribute, set()).update(values)
    into.support.pop(second, None)
    for neighbour, count in gone.support.items():
        if neighbour == first:
            continue
        into.support[neighbour] = into.support.get(neighbour, 0) + count
        backward = state.clusters[neighbour].support
        backward[first] = backward.get(first, 0) + backward.pop(second)


def _still(state: _State, refused: Mapping[Pair, Reason]) -> dict[Pair, Reason]:
    """Refused pairs whose records did not come together another way."""
    return {pair: reason for pair, reason in refused.items() if state.root[pair[0]] != state.root[pair[1]]}
