"""Tests of topology: single points of failure against removing each node and link and looking what is left."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.infrastructure.rules.topology import Link, looked_at

NODES = ["a", "b", "c", "d", "e", "f"]
LINKS = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=10)


def parts(nodes: list[str], links: list[Link]) -> list[int]:
    """The sizes of the parts, by joining."""
    of = {node: node for node in nodes}
    for _, one, other in links:
        if one in of and other in of:
            low, high = sorted((of[one], of[other]))
            of = {node: low if part == high else part for node, part in of.items()}
    return sorted((list(of.values()).count(part) for part in set(of.values())), reverse=True)


@given(LINKS)
def test_weak_is_exactly_what_parts_the_network_when_it_fails(pairs: list[tuple[str, str]]) -> None:
    links = [(f"l{n}", one, other) for n, (one, other) in enumerate(pairs)]
    found = looked_at(NODES, links)
    whole = len(parts(NODES, links))
    assert sorted(map(len, found.parts), reverse=True) == parts(NODES, links)
    without_link = {code for code, *_ in links if len(parts(NODES, [link for link in links if link[0] != code])) > whole}
    assert {w.code for w in found.weak if w.type == "link"} == without_link
    cut = set()
    for node in NODES:
        rest = [other for other in NODES if other != node]
        alone = not any(node in link[1:] and link[1] != link[2] for link in links)
        if len(parts(rest, links)) > whole - (1 if alone else 0):
            cut.add(node)
    assert {w.code for w in found.weak if w.type == "node"} == cut


@given(st.integers(2, 5000))
def test_a_long_chain_needs_no_recursion(length: int) -> None:
    nodes = [f"n{n:05d}" for n in range(length)]
    links = [(f"l{n}", one, other) for n, (one, other) in enumerate(pairwise(nodes))]
    found = looked_at(nodes, links)
    assert len([w for w in found.weak if w.type == "node"]) == length - 2
    assert max((w.alone for w in found.weak), default=0) <= length // 2
