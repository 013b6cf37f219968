"""Rules of registers: standard forms, EM, clusters and names, held to what they promise for any input."""

import random
from collections.abc import Mapping
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.elements.registers.rules import learning, naming, preparing
from mumian.elements.registers.rules.clustering import Edge, Node, cluster
from mumian.elements.registers.rules.comparing import transform_faults
from mumian.elements.registers.service.grouping import components
from mumian.elements.registers.service.standard import characters, pinyin

Given = tuple[list[Node], list[Edge], list[tuple[int, int]], list[tuple[int, int]]]


def test_names_are_compared_in_usual_characters_and_by_sound() -> None:
    usual, readings = characters(), pinyin()
    assert preparing.name("劉 偉", usual) == preparing.name("刘伟", usual) == "刘伟"
    assert preparing.name("阿卜杜•热合曼", usual) == preparing.name("阿卜杜·热合曼", usual)
    assert preparing.sound("曾伟", readings) == "zeng wei"
    assert preparing.sound("吕薇", readings) == "lv wei"
    assert preparing.folded("张宁", preparing.sound("张宁", readings)) == preparing.folded("章林", "zang lin")
    assert preparing.name("无名", usual) is None
    assert preparing.name("丽丽", usual) == "丽丽"
    assert preparing.soundex("Robert") == preparing.soundex("Rupert") == "r163"


def test_organisations_are_compared_without_region_and_legal_form() -> None:
    usual = characters()
    names = ("某某市晨光文具有限公司", "晨光文具有限责任公司", "某某省某某市晨光文具（集团）有限公司")
    assert {preparing.organisation(name, usual) for name in names} == {"晨光文具"}
    assert preparing.organisation("Acme Pty. Ltd.", usual) == "acme"
    assert preparing.organisation("有限公司", usual) == "有限公司"


def test_identifiers_come_into_standard_form_and_prove_themselves() -> None:
    old = preparing.identifier("440103900101001", "id_card")
    assert old is not None
    assert len(old) == 18
    assert preparing.valid(old, "id_card")
    assert preparing.identifier("44010319900307109x", "id_card") == "44010319900307109X"
    assert preparing.identifier("000000000000000000", "id_card") is None
    assert preparing.valid("91350100M000100Y43", "credit_code")
    assert not preparing.valid("91350100M000100Y44", "credit_code")
    assert preparing.identifier("9135O1OOMOOO1OOY43", "credit_code") == "91350100M000100Y43"
    assert preparing.phone("+86 138-0000-1234") == preparing.phone("008613800001234") == "13800001234"
    assert preparing.phone("020-8765 4321") == preparing.phone("2087654321")
    assert preparing.day("1990年1月2日") == preparing.day("19900102") == preparing.day("1990/1/2") == "1990-01-02"
    assert preparing.day("1990-02-30") is None
    assert preparing.location("113.26, 23.13") == (113.26, 23.13)
    assert preparing.location("0 0") is None


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_no_text_breaks_a_standard_form_and_standard_forms_stay(value: str) -> None:
    usual = characters()
    for make in (preparing.text, preparing.phone, preparing.day, lambda v: preparing.name(v, usual)):
        found = make(value)
        if found is not None and make is not preparing.text:
            assert make(found) == found
    for scheme in ("id_card", "credit_code", "any"):
        found = preparing.identifier(value, scheme)
        assert found is None or preparing.identifier(found, scheme) == found
        assert isinstance(preparing.valid(found or "", scheme), bool)
    preparing.organisation(value, usual)
    preparing.location(value)
    preparing.folded(value, preparing.sound(value, pinyin())) if value else None


def test_transforms_are_those_of_the_kind() -> None:
    assert transform_faults("name", "sound") is None
    assert transform_faults("text", "first3") is None
    assert transform_faults("text", "sound") is not None
    assert transform_faults("location", "") is not None


@st.composite
def patterns(draw: st.DrawFn) -> tuple[learning.Patterns, list[int]]:
    sizes = draw(st.lists(st.integers(2, 4), min_size=1, max_size=4))
    count = draw(st.integers(1, 25))
    levels = [[draw(st.integers(0, size)) for size in sizes] for _ in range(count)]
    counts = np.array([draw(st.integers(1, 5000)) for _ in range(count)], dtype=float)
    same = np.array([draw(st.integers(0, 3)) for _ in range(count)], dtype=float)
    return learning.Patterns(np.array(levels), counts + same, same, np.zeros(count)), sizes


@settings(max_examples=60)
@given(patterns(), st.floats(0.01, 0.9))
def test_em_never_makes_its_objective_worse(given_: tuple[learning.Patterns, list[int]], share: float) -> None:
    found, sizes = given_
    u = learning.chances(found, sizes)
    assert all(abs(sum(each) - 1) < 1e-9 for each in u)
    learned = learning.learn(found, u, [True] * len(sizes), [None] * len(sizes), share)
    steps = learned.objective
    assert all(later >= earlier - 1e-6 * max(1, abs(earlier)) for earlier, later in pairwise(steps))
    assert all(abs(sum(each) - 1) < 1e-9 and min(each) > 0 for each in learned.m)
    assert 0 < learned.share < 1


def test_em_finds_the_chances_that_made_the_patterns() -> None:
    chance = np.random.default_rng(1)
    m, u, count = [0.02, 0.08, 0.9], [0.9, 0.08, 0.02], 200_000
    match = chance.random(count) < 0.1
    levels = np.stack([np.where(match, chance.choice(3, count, p=m), chance.choice(3, count, p=u)) + 1 for _ in range(4)], axis=1)
    rows, counts = np.unique(levels, axis=0, return_counts=True)
    nothing = np.zeros(len(counts))
    found = learning.learn(learning.Patterns(rows, counts.astype(float), nothing, nothing), [u] * 4, [True] * 4, [None] * 4, 0.3)
    assert found.share == pytest.approx(0.1, abs=0.005)
    assert np.allclose(found.m, [m] * 4, atol=0.01)


def test_what_is_given_is_not_learned_and_weights_are_in_bits() -> None:
    rows = learning.Patterns(np.array([[1], [2]]), np.array([50.0, 50.0]), np.zeros(2), np.zeros(2))
    assert learning.learn(rows, [(0.9, 0.1)], [True], [(0.25, 0.75)], 0.5).m == ((0.25, 0.75),)
    assert learning.weight(0.8, 0.1) == pytest.approx(3.0)
    assert learning.probability(learning.bits(0.99)) == pytest.approx(0.99)


@st.composite
def graphs(draw: st.DrawFn) -> Given:
    count = draw(st.integers(2, 9))
    cards = st.lists(st.sampled_from("ABC"), max_size=1)
    nodes = [
        Node(n, draw(st.sampled_from([None, None, 0, 1])), tuple((0, card) for card in draw(cards))) for n in range(1, count + 1)
    ]
    pairs = list(combinations(range(1, count + 1), 2))
    edges = [Edge(a, b, draw(st.sampled_from([2.0, 5.0, 8.0, 9.0, 12.0]))) for a, b in pairs if draw(st.booleans())]
    said = draw(st.lists(st.tuples(st.sampled_from(pairs), st.booleans()), max_size=4, unique_by=lambda each: each[0]))
    return nodes, edges, [p for p, same in said if same], [p for p, same in said if not same]


@settings(max_examples=100)
@given(graphs(), st.integers(0, 2**32))
def test_clusters_do_not_depend_on_order_and_never_contradict_what_was_said(given_: Given, seed: int) -> None:
    nodes, edges, same, different = given_
    found = cluster(nodes, edges, 8.0, 0.5, same, different)
    shuffled = random.Random(seed)
    again = cluster(
        shuffled.sample(nodes, len(nodes)),
        shuffled.sample(edges, len(edges)),
        8.0,
        0.5,
        shuffled.sample(same, len(same)),
        shuffled.sample(different, len(different)),
    )
    assert again == found
    for a, b in different:
        assert found.of[a] != found.of[b]
    for (a, b), reason in found.refused.items():
        assert found.of[a] != found.of[b]
        assert reason in ("decided", "identity", "source", "chain")
    if not different:
        assert all(found.of[a] == found.of[b] for a, b in same)
    if not same:
        _sound(nodes, edges, found.of)


def _sound(nodes: list[Node], edges: list[Edge], of: Mapping[int, int]) -> None:
    """Without decisions no cluster has a source twice, and each could be put together from parts that agree."""
    groups: dict[int, list[Node]] = {}
    for node in nodes:
        groups.setdefault(of[node.number], []).append(node)
    strong = {(edge.a, edge.b) for edge in edges if edge.weight >= 8.0}
    for group in groups.values():
        sources = [node.unique_source for node in group if node.unique_source is not None]
        assert len(sources) == len(set(sources))
        assert len({card for node in group for _, card in node.identifiers}) <= 1
        if len(group) > 1:
            assert all(any(n.number in pair for pair in strong) for n in group)


def test_a_chain_is_not_one_entity() -> None:
    nodes = [Node(n) for n in range(1, 5)]
    chain = [Edge(1, 2, 12.0), Edge(2, 3, 11.0), Edge(3, 4, 10.0)]
    found = cluster(nodes, chain, 8.0, 0.6)
    assert found.of == {1: 1, 2: 1, 3: 3, 4: 3}
    assert found.refused == {(2, 3): "chain"}
    assert set(cluster(nodes, chain, 8.0, 0.0).of.values()) == {1}


def test_contradicting_identifiers_keep_strong_pairs_apart_until_a_person_decides() -> None:
    nodes = [Node(1, None, ((0, "A"),)), Node(2, None, ((0, "B"),))]
    edges = [Edge(1, 2, 20.0)]
    assert cluster(nodes, edges, 8.0, 0.5).refused == {(1, 2): "identity"}
    assert cluster(nodes, edges, 8.0, 0.5, same=[(1, 2)]).of == {1: 1, 2: 1}


@given(st.dictionaries(st.integers(1, 12), st.integers(1, 4), min_size=1), st.data())
def test_names_stay_with_most_of_their_records_and_nothing_is_lost(before: dict[int, int], data: st.DataObject) -> None:
    clusters = {record: data.draw(st.integers(1, 4)) for record in before}
    found = naming.name(clusters, before)
    given_names = [entity for entity in found.of.values() if entity is not None]
    assert len(given_names) == len(set(given_names))
    assert set(given_names) | set(found.gone) == set(before.values())
    assert set(given_names).isdisjoint(found.gone)
    for entity, successors in found.gone.items():
        assert set(successors) == {clusters[record] for record in before if before[record] == entity}
    same = naming.name({record: before[record] * 10 for record in before}, before)
    assert same.gone == {}
    assert same.of == {entity * 10: entity for entity in before.values()}


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=25))
def test_components_are_those_of_the_graph(edges: list[tuple[int, int]]) -> None:
    nodes = np.arange(16, dtype=np.int64) * 3
    a, b = (np.array([edge[i] * 3 for edge in edges], dtype=np.int64) for i in (0, 1))
    found = components(nodes, a, b)
    parent = {int(n): int(n) for n in nodes}
    for _ in range(16):
        for x, y in zip(a.tolist(), b.tolist(), strict=True):
            parent[x] = parent[y] = min(parent[x], parent[y])
    assert found == parent
