"""Behaviour of networks: read from files, traced, isolated and checked; the rules hold against brute force on any network."""

import gzip
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.buildings.pipes.contracts import Edge, Node
from mumian.foundation.buildings.pipes.inp import read_inp
from mumian.foundation.buildings.pipes.keeping import Options, read
from mumian.foundation.buildings.pipes.reading import BadNetwork
from mumian.foundation.buildings.pipes.rules import Graph, faults, isolate, trace
from mumian.foundation.ledger.api import Ledger
from tests.foundation.addresses.town import Town
from tests.foundation.buildings.conftest import SOUTH, WEST, B, content

N = f"{B}/networks"
EPANET = """\
[JUNCTIONS]
 j1 10 5 ; the first
 j2 9
 j3 8
[RESERVOIRS]
 r1 40
[PIPES]
 p1 r1 j1 100 300 100 0 Open
 p2 j2 j3 200 150 100 0 Open
[VALVES]
 v1 j1 j2 200 TCV 0
[OPTIONS]
 Units LPS
[COORDINATES]
 r1 0 0
 j1 100 0
 j2 110 0
 j3 310 0
"""
SWMM = """\
[OPTIONS]
FLOW_UNITS CMS
[JUNCTIONS]
a 10 3
b 9 3
[OUTFALLS]
out 5 FREE
[CONDUITS]
c1 a b 50 0.013 0 0
c2 b out 50 0.013 0.5 0
[XSECTIONS]
c1 CIRCULAR 0.8
c2 CIRCULAR 0.6
"""


async def lay(http: httpx.AsyncClient, name: str, text: str | bytes, **params: Any) -> httpx.Response:
    """Bring a network in."""
    return await http.put(f"{N}/{name}", params={"anchor": f"{WEST},{SOUTH}", **params}, content=text)


async def test_a_water_network_is_read_traced_isolated_and_told_to_the_ledger(town: Town, http: httpx.AsyncClient) -> None:
    made = (await lay(http, "east", EPANET, title_zh="东区")).json()
    assert (made["network"]["kind"], made["network"]["nodes"], made["network"]["edges"]) == ("water", 4, 3)
    assert made["network"]["title"] == {"zh": "东区", "en": "东区"}
    up = (await http.get(f"{N}/east/trace", params={"node": "j3", "direction": "up"})).json()
    assert (up["nodes"], up["metres"]) == (["j3", "j2", "j1", "r1"], 300.0)
    down = (await http.get(f"{N}/east/trace", params={"node": "j2"})).json()
    assert down["nodes"] == ["j2", "j3"]
    shut = (await http.get(f"{N}/east/isolation", params={"edge": "p2"})).json()
    assert (shut["valve_edges"], sorted(shut["nodes"]), shut["cut"], shut["supplies"]) == (["v1"], ["j2", "j3"], [], [])
    shut = (await http.get(f"{N}/east/isolation", params={"edge": "p1"})).json()
    assert (shut["valve_edges"], shut["supplies"], sorted(shut["cut"])) == (["v1"], ["r1"], ["j2", "j3"])
    assert [f["fault"] for f in (await http.get(f"{N}/east/faults")).json()["items"]] == ["dead_end"]
    assert town.platform.get(Ledger).verify_now().faults == ()


async def test_the_same_file_again_changes_nothing_another_replaces_it_and_a_hidden_change_is_found(
    town: Town, http: httpx.AsyncClient
) -> None:
    await lay(http, "east", EPANET)
    assert (await lay(http, "east", EPANET)).json()["changed"] is False
    second = (await lay(http, "east", EPANET.replace(" 200 150 ", " 210 150 "))).json()
    assert (second["changed"], second["network"]["version"]) == (True, 2)
    assert town.platform.get(Ledger).verify_now().faults == ()
    town.platform.records.write_now(lambda tx: tx.session.execute("UPDATE buildings_pipe_edge SET diameter = 1 WHERE id = 'p2'"))
    (fault,) = town.platform.get(Ledger).verify_now().faults
    assert (fault.table, fault.entry) == ("buildings_network", "east")
    assert (await http.delete(f"{N}/east")).status_code == 204
    assert (await http.get(f"{N}/east")).status_code == 404
    assert town.platform.get(Ledger).verify_now().faults == ()


async def test_drainage_flows_along_its_pipes_and_its_faults_are_found(http: httpx.AsyncClient) -> None:
    await lay(http, "west", SWMM + "[COORDINATES]\na 0 0\nb 50 0\nout 100 0\n")
    assert (await http.get(f"{N}/west/trace", params={"node": "a"})).json()["nodes"] == ["a", "b", "out"]
    assert (await http.get(f"{N}/west/trace", params={"node": "out", "direction": "up"})).json()["edges"] == ["c2", "c1"]
    (one, two) = (await http.get(f"{N}/west/edges")).json()["items"]
    assert (one["diameter"], one["invert_a"], one["invert_b"], one["depth"], two["invert_a"]) == (800.0, 10.0, 9.0, 3.0, 9.5)
    found = (await http.get(f"{N}/west/faults")).json()["items"]
    assert [(f["fault"], f["id"], f["metres"]) for f in found] == [("narrowing", "c2", 0.2)]
    uphill = read_inp(SWMM.replace("a 10 3", "a 8 3"))
    told = faults(Graph(list(uphill.nodes.values()), list(uphill.edges.values()), directed=True))
    assert ("uphill", "c1", 1.0) in [(f.fault, f.id, f.metres) for f in told]


async def test_lines_meet_where_their_ends_lie_together_and_bad_ones_are_told(http: httpx.AsyncClient) -> None:
    def line(id_: str, *corners: list[float], **more: Any) -> dict[str, Any]:
        geometry = {"type": "LineString", "coordinates": list(corners)}
        return {"type": "Feature", "geometry": geometry, "properties": {"编号": id_, "管径": "300", "埋深": 1.5, **more}}

    far = [WEST + 0.001, SOUTH]
    point = {"type": "Point", "coordinates": [WEST, SOUTH]}
    features = [
        line("a", [WEST, SOUTH], far, 材质="PE", 建设年代="2011年"),
        line("b", [far[0] + 2e-7, SOUTH], [WEST + 0.002, SOUTH]),
        line("b", [WEST, SOUTH], far),
        line("c", [WEST, SOUTH], ["x", 1]),
        {
            "type": "Feature",
            "geometry": point,
            "properties": {"id": "w", "kind": "水源"},
        },
    ]
    answer = await http.put(f"{N}/lines?kind=water", content=content({"type": "FeatureCollection", "features": features}))
    made = answer.json()
    assert (made["network"]["nodes"], made["network"]["edges"], made["refused"]) == (3, 2, 2), made
    (edge, _) = (await http.get(f"{N}/lines/edges")).json()["items"]
    assert (edge["a"], edge["diameter"], edge["depth"], edge["material"], edge["year"]) == ("w", 300.0, 1.5, "PE", 2011)
    assert edge["length"] == pytest.approx(102.4, abs=0.5)
    box = f"{WEST},{SOUTH - 0.001},{WEST + 0.0005},{SOUTH + 0.001}"
    drawn = (await http.get(f"{N}/features", params={"bbox": box})).json()
    assert [feature["id"] for feature in drawn["features"]] == ["lines:a"]


BROKEN = {
    "EPANET with a number that is none": (EPANET.replace(" 100 300 ", " x 300 "), "line 8"),
    "a node that is not there": (EPANET.replace("p2 j2 j3", "p2 j2 j9"), "line 9"),
    "an unknown section": (EPANET + "[FOO]\n1\n", "line 19"),
    "words before any section": ("hello\n" + EPANET, "line 1"),
    "an id twice": (EPANET.replace(" j2 9", " j1 9"), "line 3"),
    "too few words": (SWMM.replace("c2 b out 50 0.013 0.5 0", "c2 b"), "line 10"),
    "not a number but infinity": (EPANET.replace(" 100 300 ", " inf 300 "), "line 8"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_networks_are_refused_with_the_line(http: httpx.AsyncClient, name: str) -> None:
    text, line = BROKEN[name]
    answer = await lay(http, "broken", text)
    assert answer.status_code == 422, answer.text
    assert line in answer.text
    assert (await http.get(N)).json()["items"] == []


KNOWN = {"Net1.inp": (11, 13), "Net3.inp": (97, 119), "L-TOWN.inp": (785, 909), "ky4.inp": (964, 1158)}
KNOWN["broken_latin1.inp"] = (11, 13)
HERE = Options(None, {}, "", "", anchor=(WEST, SOUTH))


@pytest.mark.parametrize("name", KNOWN)
def test_published_networks_are_read_whole(shared_data: Path, name: str) -> None:
    found = read((shared_data / "epanet_networks" / name).read_bytes(), HERE, lambda x, y, *_: (x, y))
    assert (len(found.nodes), len(found.edges)) == KNOWN[name]


@pytest.mark.parametrize(
    ("name", "line"), [("broken_bad_syntax.inp", 330), ("broken_bad_values.inp", 56), ("Net1broken.inp", 24)]
)
def test_published_broken_networks_are_refused_with_the_line(shared_data: Path, name: str, line: int) -> None:
    with pytest.raises(BadNetwork) as caught:
        read_inp((shared_data / "epanet_networks" / name).read_text("latin-1"))
    assert caught.value.line == line


def test_a_network_of_twelve_thousand_nodes_is_read_and_isolated(shared_data: Path) -> None:
    drawn = read_inp(gzip.decompress((shared_data / "epanet_networks" / "BWSN_Network_2.inp.gz").read_bytes()).decode())
    graph = Graph(list(drawn.nodes.values()), list(drawn.edges.values()), drawn.directed)
    assert len(graph.nodes) == 12_527
    shut = isolate(graph, "LINK-0")
    assert set(shut.nodes) | set(shut.cut) <= set(graph.nodes)


KINDS = st.sampled_from(["junction", "junction", "valve", "reservoir", "outfall"])


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Node], list[Edge], bool]:
    """Any small network."""
    kinds = draw(st.lists(KINDS, min_size=1, max_size=7))
    nodes = [Node(id=str(i), kind=kind) for i, kind in enumerate(kinds)]
    ends = st.integers(0, len(nodes) - 1)
    ways = draw(st.lists(st.tuples(ends, ends, st.sampled_from(["pipe", "pipe", "valve"]), st.booleans()), max_size=10))
    edges = [Edge(id=f"e{i}", a=str(a), b=str(b), kind=k, closed=c and i % 3 == 0) for i, (a, b, k, c) in enumerate(ways)]
    return nodes, edges, draw(st.booleans())


def joined(nodes: list[Node], edges: list[Edge], directed: bool) -> set[tuple[str, str]]:
    """Every pair (from, to) between which there is a way, by Warshall's closure: slow, and plainly right."""
    ways = {(node.id, node.id) for node in nodes}
    for edge in edges:
        if not edge.closed:
            ways |= {(edge.a, edge.b)} if directed else {(edge.a, edge.b), (edge.b, edge.a)}
    for middle, left, right in product(nodes, nodes, nodes):
        if (left.id, middle.id) in ways and (middle.id, right.id) in ways:
            ways.add((left.id, right.id))
    return ways


@settings(max_examples=150)
@given(networks())
def test_what_lies_down_and_up_is_what_brute_force_finds(given_: tuple[list[Node], list[Edge], bool]) -> None:
    nodes, edges, directed = given_
    graph, ways = Graph(nodes, edges, directed), joined(nodes, edges, directed)
    supplies = [node.id for node in nodes if node.kind == "reservoir"]
    for start in graph.nodes:
        down, up = set(trace(graph, start, "down").nodes), trace(graph, start, "up").nodes
        if directed:
            assert down == {other for other in graph.nodes if (start, other) in ways}
            assert set(up) == {other for other in graph.nodes if (other, start) in ways}
            continue
        left = joined([n for n in nodes if n.id != start], [e for e in edges if start not in (e.a, e.b)], directed)
        fed = {other for other in graph.nodes if any((supply, other) in ways for supply in supplies)}
        still = {other for other in graph.nodes if any((supply, other) in left for supply in supplies if supply != start)}
        assert down == {start} | (fed - still if start in fed else set())
        assert (up[-1] in supplies) == (start in fed)


@settings(max_examples=150)
@given(networks())
def test_closed_valves_part_an_edge_from_everything_else_and_none_is_closed_for_nothing(
    given_: tuple[list[Node], list[Edge], bool],
) -> None:
    nodes, edges, _ = given_
    graph = Graph(nodes, edges, directed=False)
    for edge in edges:
        shut = isolate(graph, edge.id)
        open_edges = [e for e in edges if e.id not in shut.valve_edges and not {e.a, e.b} & set(shut.valve_nodes)]
        ways = joined(nodes, open_edges, directed=False)
        outside = set(graph.nodes) - set(shut.nodes) - set(shut.valve_nodes)
        assert not {(a, b) for a in shut.nodes for b in outside} & ways
        assert all(graph.nodes[node].kind == "valve" for node in shut.valve_nodes)
        assert all(graph.edges[valve].kind == "valve" for valve in shut.valve_edges)
        assert all({graph.edges[valve].a, graph.edges[valve].b} & set(shut.nodes) for valve in shut.valve_edges)
        running = {node.id for node in nodes if node.kind == "reservoir"} - set(shut.nodes)
        before = joined(nodes, edges, directed=False)
        fed = {b for a, b in before if graph.nodes[a].kind == "reservoir"}
        kept = {b for a, b in ways if a in running}
        assert set(shut.cut) == fed - kept - set(shut.nodes) - set(shut.valve_nodes)


@settings(max_examples=150)
@given(networks())
def test_unsupplied_are_those_from_which_no_way_leads_where_it_should(given_: tuple[list[Node], list[Edge], bool]) -> None:
    nodes, edges, directed = given_
    ways, wanted = joined(nodes, edges, directed), "outfall" if directed else "reservoir"
    ends = {node.id for node in nodes if node.kind == wanted}
    joins = {end for edge in edges for end in (edge.a, edge.b)}
    lost = {node.id for node in nodes if node.id in joins and not any((node.id, end) in ways for end in ends)}
    found = faults(Graph(nodes, edges, directed))
    assert {fault.id for fault in found if fault.fault == "unsupplied"} == lost
    assert {fault.id for fault in found if fault.fault == "loop"} == {edge.id for edge in edges if edge.a == edge.b}
    assert {fault.id for fault in found if fault.fault == "alone"} == {node.id for node in nodes} - joins


@given(st.text(alphabet="[]JUNCTIOSPE; \n.019abx*-", max_size=300))
def test_any_text_is_a_network_or_is_refused(text: str) -> None:
    try:
        drawn = read_inp("[JUNCTIONS]\na 1\n" + text)
    except BadNetwork:
        return
    assert all(edge.a in drawn.nodes and edge.b in drawn.nodes for edge in drawn.edges.values())
