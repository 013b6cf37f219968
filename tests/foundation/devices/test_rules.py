"""The rules of devices hold for whatever hypothesis thinks of: lives, columns of files, presence, near pairs, clusters."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.rules import columns, coverage, duplicates, life, near
from mumian.foundation.devices.rules.presence import LATE, NAMES, NEVER, OFFLINE, ONLINE, UNKNOWN, Rhythm, Watch, judge

SECOND = 1_000_000
steps = st.lists(st.sampled_from(sorted(life.TRANSITIONS)), max_size=30)


@given(steps)
def test_a_life_goes_only_where_the_table_says_and_ends_once(taken: list[str]) -> None:
    device = Device(code="A", kind="k", name="n", owner="o")
    for step in taken:
        changes = life.moved(device, step, "2014-01-01")
        assert (changes is not None) == (step in life.possible(device.state))
        if changes is not None:
            assert device.state != "retired"
            device = Device(code="A", kind="k", name="n", owner="o", state=changes["state"], installed=changes.get("installed"))
    assert life.possible("retired") == []


@given(st.sampled_from(life.STATES), st.sampled_from(life.STATES))
def test_the_way_between_two_states_leads_there(source: str, target: str) -> None:
    way = life.path(source, target)
    state = source
    for step in way or []:
        assert state in life.TRANSITIONS[step].sources
        state = life.TRANSITIONS[step].target
    assert way is None or state == target
    assert (way is None) == (life.STATES.index(target) < min(life.STATES.index(source), 2) or (source == "retired" != target))


@pytest.mark.parametrize(("name", "alias"), [(name, alias) for name, aliases in columns.ALIASES.items() for alias in aliases])
def test_every_alias_means_its_field_with_brackets_stars_and_spaces(name: str, alias: str) -> None:
    for header in (alias, alias.upper(), f" {alias} *", f"{alias}（必填）", f"\ufeff{alias}", alias.replace(" ", "_")):
        assert columns.understood([header], {}).fields == {0: name}, header


def test_no_alias_means_two_fields() -> None:
    every = [alias for aliases in columns.ALIASES.values() for alias in aliases]
    assert len(set(every)) == len(every)
    assert all(columns.header(alias) == alias for alias in every)


beats = st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=60)


def rhythm(late: int, offline: int, recover: int) -> Rhythm:
    """The rhythm of one device, in seconds."""
    return Rhythm(*(np.array([value], np.int64) for value in (late * SECOND, offline * SECOND, recover)))


@given(beats, st.integers(1, 5))
def test_presence_follows_the_silence_and_comes_back_only_after_enough_beats(life_: list[tuple[int, bool]], recover: int) -> None:
    watch = Watch(np.array([UNKNOWN], np.int8), np.array([NEVER]), np.array([0]))
    now, heard, begun = 0, NEVER, np.array([0])
    since_offline = 0
    for pause, beat in life_:
        now += pause * SECOND
        heard = now if beat else heard
        before = int(watch.states[0])
        watch = judge(watch, np.array([heard]), now, begun, rhythm(120, 300, recover))
        state, silence = int(watch.states[0]), now - max(heard, 0)
        since_offline = since_offline + 1 if beat and before == OFFLINE else 0
        assert (state == OFFLINE) >= (silence > 300 * SECOND)
        if before == OFFLINE and state == ONLINE:
            assert beat
            assert since_offline >= recover
        if state == ONLINE:
            assert silence <= 120 * SECOND
        if state == LATE:
            assert before in (ONLINE, LATE)
        if beat and before != OFFLINE:
            assert state == ONLINE
    assert NAMES[state] in ("unknown", "online", "late", "offline")


@given(st.lists(st.sampled_from([UNKNOWN, ONLINE, LATE, OFFLINE]), min_size=1, max_size=20), st.integers(0, 10**9))
def test_whoever_begins_to_listen_alarms_about_nobody(states: list[int], down: int) -> None:
    many = len(states)
    watch = Watch(np.array(states, np.int8), np.zeros(many, np.int64), np.zeros(many, np.int64))
    every = Rhythm(*(np.full(many, value * SECOND, np.int64) for value in (120, 300, 2)))
    now = down * SECOND
    after = judge(watch, np.zeros(many, np.int64), now, np.full(many, now), every)
    assert after.states.tolist() == states


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The distance of two places in metres, by the textbook."""
    (lon1, lat1), (lon2, lat2) = [(math.radians(x), math.radians(y)) for x, y in (a, b)]
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * near.RADIUS * math.asin(math.sqrt(min(h, 1)))


around = st.tuples(st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
centres = st.sampled_from([(113.3, 23.1), (180.0, -17.0), (0.0, 89.99), (-179.999, 0.0)])
places = st.tuples(centres, st.lists(st.tuples(around, st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=30))


def scattered(
    drawn: tuple[tuple[float, float], list[tuple[tuple[float, float], int, int]]],
) -> tuple[list[tuple[float, float]], np.ndarray, np.ndarray]:
    """Places around a centre with owners and groups."""
    (lon, lat), many = drawn
    spots = [((lon + dx + 180) % 360 - 180, min(lat + dy, 90.0)) for (dx, dy), _, _ in many]
    return spots, np.array([owner for _, owner, _ in many]), np.array([group for *_, group in many])


@given(places, st.floats(0, 2000))
def test_near_pairs_are_those_that_brute_force_finds(drawn: object, distance: float) -> None:
    spots, owners, groups = scattered(drawn)  # type: ignore[arg-type]
    points = near.globe(*np.array(spots).T)
    left, right, apart = near.near_pairs(points, groups, owners, distance, 10**6)
    found = set(zip(left.tolist(), right.tolist(), strict=True))
    assert len(found) == len(left)
    for i, j in combinations(range(len(spots)), 2):
        exact = haversine(spots[i], spots[j])
        if abs(exact - distance) > 1e-3:
            assert ((i, j) in found) == (exact < distance and owners[i] != owners[j] and groups[i] == groups[j])
    for i, j, metres in zip(left, right, apart, strict=True):
        assert metres == pytest.approx(haversine(spots[i], spots[j]), abs=1e-2)


@given(places, places, st.floats(1, 2000))
def test_what_is_served_is_what_brute_force_finds(asked: object, given_: object, distance: float) -> None:
    spots, points = scattered(asked)[0], scattered(given_)[0]  # type: ignore[arg-type]
    reached = near.served(near.globe(*np.array(spots).T), near.globe(*np.array(points).T), distance)
    for spot, found in zip(spots, reached, strict=True):
        least = min(haversine(spot, point) for point in points)
        if abs(least - distance) > 1e-3:
            assert bool(found) == (least < distance)


edges = st.integers(2, 25).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1])),
        st.permutations(range(n)),
    )
)


@given(edges)
def test_clusters_are_connected_and_each_spared_device_has_a_kept_neighbour(
    drawn: tuple[int, set[tuple[int, int]], list[int]],
) -> None:
    count, pairs, order = drawn
    left, right = (np.array([edge[side] for edge in sorted(pairs)], np.int64) for side in (0, 1))
    found = duplicates.groups(count, left, right, np.ones(len(pairs)), np.array(order))
    parents = list(range(count))

    def root(node: int) -> int:
        while parents[node] != node:
            node = parents[node]
        return node

    for a, b in pairs:
        parents[root(a)] = root(b)
    expected = {}
    for node in {node for edge in pairs for node in edge}:
        expected.setdefault(root(node), set()).add(node)
    assert {frozenset(group.members.tolist()) for group in found} == {frozenset(members) for members in expected.values()}
    spared = {node for group in found for node in group.spared.tolist()}
    for a, b in pairs:
        assert a in spared or b in spared
    neighbours = {node: {a + b - node for a, b in pairs if node in (a, b)} for node in range(count)}
    assert all(neighbours[node] - spared for node in spared)


def test_too_many_near_devices_are_refused_and_not_counted_for_ever() -> None:
    points = near.globe(np.full(3000, 113.3), np.full(3000, 23.1))
    with pytest.raises(near.TooNear):
        near.near_pairs(points, np.zeros(3000, np.int64), np.arange(3000), 10, 1_000_000)


def test_the_size_of_an_area_is_that_on_the_sphere() -> None:
    from shapely.geometry import box

    exact = math.radians(1) * (math.sin(math.radians(24)) - math.sin(math.radians(23))) * near.RADIUS**2 / 1e6
    assert coverage.km2(box(113, 23, 114, 24)) == pytest.approx(exact)
    spread = coverage.lattice(box(113, 23, 114, 24), 2000)
    assert 1800 < len(spread) < 2200


@given(st.floats(0.01, 100), st.integers(0, 50), st.floats(0.01, 20))
def test_what_is_missing_brings_an_area_to_its_target_and_not_beyond(size: float, devices: int, density: float) -> None:
    area = coverage.Area("a", {"zh": "a", "en": "a"}, size)
    found = coverage.judged([area], np.array([devices]), None, coverage.Target(density=density))[0]
    assert found.gap == (found.missing > 0)
    assert (devices + found.missing) / size >= density * (1 - 1e-6) or not found.gap
    assert found.missing == 0 or (devices + found.missing - 1) / size < density
