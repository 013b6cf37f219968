"""Grouping: the records that a change can touch, put into entities component by component, with the pairs left for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.registers.rules import clustering, learning, naming, preparing
from mumian.elements.registers.rules.comparing import column
from mumian.elements.registers.service.layout import Layout
from mumian.foundation.storage.contracts import Lake

Numbers = NDArray[np.int64]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Grouped:
    """The cluster of each live record that was touched, the names of clusters, and why strong pairs were refused."""

    clusters: Mapping[int, int]
    names: naming.Names
    refused: Mapping[Pair, clustering.Reason]


class Grouping:
    """Works on the tables that scoring left, on the same thread."""

    def __init__(self, lake: Lake, layout: Layout) -> None:
        self._lake = lake
        self._layout = layout
        self._match = learning.bits(layout.spec.match)

    def touch(self, waiting: Iterable[int], whole: bool) -> int:
        """Find all records whose entity may change; `waiting` are those that people decided on. Returns how many there are.

        These are the new, the changed and the gone ones, whoever is in an entity with them, and whoever is strongly tied to any
        of these: whole components of the graph, so that the outcome is the same as if all were matched anew.
        """
        layout, lake = self._layout, self._lake
        given = {"number": np.array(sorted(waiting), dtype=np.int64)}
        lake.columns("CREATE OR REPLACE TEMP TABLE registers_waiting AS SELECT * FROM given", {"given": given})
        ended = f"SELECT m.record FROM {layout.member} m ANTI JOIN {layout.record} r ON r.number = m.record AND r.ended IS NULL"
        lake.rows(f"CREATE OR REPLACE TEMP TABLE registers_changed AS SELECT number FROM registers_pending UNION {ended}")
        old = (
            f"UNION ALL SELECT p.a, p.b, p.weight, p.levels, p.weights FROM {layout.pair} p "
            "ANTI JOIN registers_changed x ON x.number = p.a ANTI JOIN registers_changed y ON y.number = p.b"
        )
        lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_edge AS SELECT a, b, weight, levels, weights FROM registers_kept "
            + ("" if whole else old)
        )
        lake.rows(
            "CREATE OR REPLACE TEMP TABLE registers_touched AS SELECT number FROM registers_changed UNION "
            "SELECT number FROM registers_waiting"
        )
        return self._grow()

    def group(self, same: Iterable[Pair], different: Iterable[Pair]) -> Grouped:
        """Cluster what was touched, and name the clusters after the entities that were there."""
        nodes = self._nodes()
        edges = self._lake.columns(
            "SELECT a, b, weight FROM registers_edge SEMI JOIN registers_touched s ON s.number = a "
            "SEMI JOIN registers_touched t ON t.number = b ORDER BY a, b"
        )
        apart, together = list(different), [pair for pair in same if pair[0] in nodes and pair[1] in nodes]
        strong = edges["weight"] >= self._match
        links = np.array(together, dtype=np.int64).reshape(-1, 2)
        a, b = np.concatenate([edges["a"][strong], links[:, 0]]), np.concatenate([edges["b"][strong], links[:, 1]])
        component = components(np.array(sorted(nodes), dtype=np.int64), a, b)
        clusters, refused = self._cluster(nodes, edges, component, together, apart)
        before = self._lake.columns(
            f"SELECT m.record, m.entity FROM {self._layout.member} m SEMI JOIN registers_touched t ON t.number = m.record"
        )
        members = dict(zip(before["record"].tolist(), before["entity"].tolist(), strict=True))
        return Grouped(clusters, naming.name(clusters, members), refused)

    def _cluster(
        self,
        nodes: Mapping[int, clustering.Node],
        edges: Mapping[str, NDArray[Any]],
        component: Mapping[int, int],
        same: list[Pair],
        different: list[Pair],
    ) -> tuple[dict[int, int], dict[Pair, clustering.Reason]]:
        members: dict[int, list[clustering.Node]] = {}
        for number, label in component.items():
            members.setdefault(label, []).append(nodes[number])
        inside: dict[int, list[clustering.Edge]] = {}
        columns = (edges["a"].tolist(), edges["b"].tolist(), edges["weight"].tolist())
        for a, b, weight in zip(*columns, strict=True):
            if component.get(a, -1) == component.get(b, -2):
                inside.setdefault(component[a], []).append(clustering.Edge(a, b, weight))
        decided = _by_component(same, component), _by_component(different, component)
        clusters: dict[int, int] = {}
        refused: dict[Pair, clustering.Reason] = {}
        for label, group in members.items():
            if len(group) == 1:
                clusters[group[0].number] = group[0].number
                continue
            found = clustering.cluster(
                group,
                inside.get(label, ()),
                self._match,
                self._layout.spec.cohesion,
                decided[0].get(label, ()),
                decided[1].get(label, ()),
            )
            clusters |= found.of
            refused |= found.refused
        return clusters, refused

    def _nodes(self) -> dict[int, clustering.Node]:
        identities = [a for a in self._layout.spec.attributes if a.identity]
        names = [column(a.name) for a in identities]
        found = self._lake.columns(
            f"SELECT {', '.join(['r.number', 'r.dataset', *names])} FROM {self._layout.record} r "
            "SEMI JOIN registers_touched t ON t.number = r.number WHERE r.ended IS NULL"
        )
        unique = {dataset: index for index, dataset in enumerate(self._layout.unique)}
        values = [found[name].tolist() for name in names]
        schemes = [a.scheme if a.kind == "identifier" else "any" for a in identities]
        nodes = {}
        for row, (number, dataset) in enumerate(zip(found["number"].tolist(), found["dataset"].tolist(), strict=True)):
            mine = tuple(
                (index, value)
                for index, (column_, scheme) in enumerate(zip(values, schemes, strict=True))
                if (value := column_[row]) is not None and preparing.valid(str(value), scheme)
            )
            nodes[number] = clustering.Node(number, unique.get(dataset), tuple((i, str(v)) for i, v in mine))
        return nodes

    def _grow(self) -> int:
        lake, member = self._lake, self._layout.member
        count = self._count()
        while True:
            lake.rows(
                f"INSERT INTO registers_touched SELECT DISTINCT o.record FROM {member} o "
                f"SEMI JOIN (SELECT m.entity FROM {member} m SEMI JOIN registers_touched t ON t.number = m.record) e "
                "ON e.entity = o.entity ANTI JOIN registers_touched t ON t.number = o.record"
            )
            for near, far in (("a", "b"), ("b", "a")):
                lake.rows(
                    f"INSERT INTO registers_touched SELECT DISTINCT e.{far} FROM registers_edge e "
                    f"SEMI JOIN registers_touched t ON t.number = e.{near} ANTI JOIN registers_touched u ON u.number = e.{far} "
                    f"WHERE e.weight >= {self._match:.6f}"
                )
            found = self._count()
            if found == count:
                return count
            count = found

    def _count(self) -> int:
        return int(self._lake.rows("SELECT count(*) FROM registers_touched")[0][0])


def components(nodes: Numbers, a: Numbers, b: Numbers) -> dict[int, int]:
    """The lowest node of each node's component; `nodes` are sorted, and every edge is between two of them."""
    place = np.arange(len(nodes))
    first, second = np.searchsorted(nodes, a), np.searchsorted(nodes, b)
    while len(first):
        low = np.minimum(place[first], place[second])
        before = place.copy()
        np.minimum.at(place, first, low)
        np.minimum.at(place, second, low)
        np.minimum.at(place, before, place[np.arange(len(nodes))])
        place = place[place]
        if np.array_equal(before, place):
            break
    return dict(zip(nodes.tolist(), nodes[place].tolist(), strict=True))


def _by_component(pairs: Iterable[Pair], component: Mapping[int, int]) -> dict[int, list[Pair]]:
    found: dict[int, list[Pair]] = {}
    for a, b in pairs:
        label = component.get(a)
        if label is not None and label == component.get(b):
            found.setdefault(label, []).append((a, b))
    return found
