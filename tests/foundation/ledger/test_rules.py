"""The Merkle tree agrees with the definitions of RFC 9162 and takes no proof but the right one."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.foundation.ledger import rules

MOST = 300
LEAVES = [rules.leaf_hash(f"entry {i}".encode()) for i in range(MOST)]


def reference_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as §2.1.1 defines it, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = largest_power_below(len(leaves))
    return sha256(b"\x01" + reference_root(leaves[:k]) + reference_root(leaves[k:])).digest()


def reference_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH as §2.1.3.1 defines it."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*reference_path(m, leaves[:k]), reference_root(leaves[k:])]
    return [*reference_path(m - k, leaves[k:]), reference_root(leaves[:k])]


def reference_proof(m: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF as §2.1.4.1 defines it."""
    if m == len(leaves):
        return [] if whole else [reference_root(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*reference_proof(m, leaves[:k], whole), reference_root(leaves[k:])]
    return [*reference_proof(m - k, leaves[k:], False), reference_root(leaves[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def stored(leaves: Sequence[bytes]) -> rules.Fetch:
    """A store that keeps leaves and finished tiles, and has nothing else to give."""
    kept = {(0, i): leaf for i, leaf in enumerate(leaves)}
    frontier = rules.Frontier()
    for leaf in leaves:
        kept |= {(level, position): node for level, position, node in frontier.append(leaf)}
    return lambda level, first, count: [kept[level, position] for position in range(first, first + count)]


FETCH = stored(LEAVES)
ROOTS = [reference_root(LEAVES[:n]) for n in range(MOST + 1)]


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert rules.leaf_hash(b"x") == sha256(b"\x00x").digest()
    assert rules.node_hash(b"a" * 32, b"b" * 32) == sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()


def test_roots_of_every_size_are_those_of_the_definition() -> None:
    frontier = rules.Frontier()
    for size in range(MOST + 1):
        assert frontier.root() == ROOTS[size] == rules.range_hash(FETCH, 0, size) == rules.Frontier.at(FETCH, size).root()
        if size < MOST:
            frontier.append(LEAVES[size])


def test_every_inclusion_proof_up_to_300_leaves_is_that_of_the_definition_and_verifies() -> None:
    for size in range(1, MOST + 1):
        for index in {0, 1, size // 3, size // 2, size - 2, size - 1, 255, 256} & set(range(size)):
            path = rules.inclusion(FETCH, index, size)
            assert path == reference_path(index, LEAVES[:size])
            assert rules.verify_inclusion(LEAVES[index], index, size, path, ROOTS[size])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, 65, 255, 256, 257, 300])
def test_every_leaf_of_a_tree_has_its_proof(size: int) -> None:
    for index in range(size):
        assert rules.verify_inclusion(LEAVES[index], index, size, rules.inclusion(FETCH, index, size), ROOTS[size])


def test_every_consistency_proof_up_to_300_leaves_is_that_of_the_definition_and_verifies() -> None:
    for second in range(1, MOST + 1):
        for first in {1, 2, second // 2, second - 1, second, 128, 255, 256, 257} & set(range(1, second + 1)):
            path = rules.consistency(FETCH, first, second)
            assert path == reference_proof(first, LEAVES[:second])
            assert rules.verify_consistency(first, ROOTS[first], second, ROOTS[second], path)


@st.composite
def inclusions(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, MOST))
    return draw(st.integers(0, size - 1)), size


def mutations(path: list[bytes], draw: st.DataObject) -> list[bytes]:
    """A path that differs from the given one."""
    kind = draw.draw(st.sampled_from(["flip", "drop", "add", "swap"]))
    changed = list(path)
    if kind == "add" or not path:
        changed.insert(draw.draw(st.integers(0, len(path))), draw.draw(st.binary(min_size=32, max_size=32)))
    elif kind == "drop":
        changed.pop(draw.draw(st.integers(0, len(path) - 1)))
    elif kind == "swap" and len(set(path)) > 1:
        changed.reverse()
    else:
        at, bit = draw.draw(st.integers(0, len(path) - 1)), draw.draw(st.integers(0, 255))
        changed[at] = flipped(changed[at], bit)
    return changed if changed != path else [*path, bytes(32)]


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")


@given(inclusions(), st.data())
@settings(max_examples=400, deadline=None)
def test_no_other_inclusion_proof_leaf_place_or_root_is_taken(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    path, bit = rules.inclusion(FETCH, index, size), data.draw(st.integers(0, 255))
    assert not rules.verify_inclusion(LEAVES[index], index, size, mutations(path, data), ROOTS[size])
    assert not rules.verify_inclusion(flipped(LEAVES[index], bit), index, size, path, ROOTS[size])
    assert not rules.verify_inclusion(LEAVES[index], index, size, path, flipped(ROOTS[size], bit))
    other = data.draw(st.integers(-1, MOST).filter(lambda i: i != index))
    assert not rules.verify_inclusion(LEAVES[index], other, size, path, ROOTS[size])


@given(inclusions(), st.data())
@settings(max_examples=400, deadline=None)
def test_no_other_consistency_proof_or_root_is_taken(place: tuple[int, int], data: st.DataObject) -> None:
    first, second = place[0] + 1, place[1]
    path, bit = rules.consistency(FETCH, first, second), data.draw(st.integers(0, 255))
    assert rules.verify_consistency(first, ROOTS[first], second, ROOTS[second], path)
    assert not rules.verify_consistency(first, ROOTS[first], second, ROOTS[second], mutations(path, data))
    assert not rules.verify_consistency(first, flipped(ROOTS[first], bit), second, ROOTS[second], path)
    assert not rules.verify_consistency(first, ROOTS[first], second, flipped(ROOTS[second], bit), path)
    assert not rules.verify_consistency(second + 1, ROOTS[first], second, ROOTS[second], path)
    assert not rules.verify_consistency(0, rules.EMPTY_ROOT, second, ROOTS[second], path)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 70_000])
def test_proofs_of_a_long_log_read_few_hashes(size: int) -> None:
    leaves = [i.to_bytes(32, "big") for i in range(70_000)]
    fetch, read = stored(leaves), 0

    def counted(level: int, first: int, count: int) -> Sequence[bytes]:
        nonlocal read
        read += count
        return fetch(level, first, count)

    path = rules.inclusion(counted, 12_345, size)
    root = rules.range_hash(fetch, 0, size)
    assert rules.verify_inclusion(leaves[12_345], 12_345, size, path, root)
    assert read <= 5 * rules.TILE


def test_an_edge_goes_on_from_a_stored_tree_and_from_a_copy() -> None:
    edge = rules.Frontier.at(FETCH, 256)
    copy = edge.copy()
    for leaf in LEAVES[256:]:
        edge.append(leaf)
    assert edge.root() == ROOTS[MOST]
    assert copy.root() == ROOTS[256]
