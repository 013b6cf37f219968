"""Decisions of video hold for whatever comes: codes, views, health, schedules, areas, addresses, pairings."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from math import cos, radians

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.video.contracts import Probe
from mumian.foundation.video.models import Hours
from mumian.foundation.video.rules import addresses, areas, codes, health, schedules, views
from mumian.foundation.video.vision.assignment import assign
from mumian.foundation.video.vision.geometry import crosses, inside

SHARE = st.floats(0, 1)
POINT = st.tuples(SHARE, SHARE)
DIGITS = st.text("0123456789", min_size=6, max_size=6)


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("4401060008132600000", "video.code.digits"),
        ("４４010600081326000001", "video.code.digits"),
        ("99010600081326000001", "video.code.province"),
        ("44000600081326000001", "video.code.division"),
        ("44010000" + "08111" + "6000001"[:7], "video.code.type"),
        ("44010600081329000001", "video.code.network"),
    ],
)
def test_a_code_that_breaks_the_standard_is_refused_with_the_part_that_is_wrong(code: str, key: str) -> None:
    with pytest.raises(ValueError) as refused:
        codes.parse(code)
    assert str(refused.value) == key


@given(st.sampled_from(["440106", "110101", "440100", "440000"]), st.integers(0, 99), st.sampled_from("012345678"), DIGITS)
def test_a_good_code_is_taken_apart_and_put_together(division: str, industry: int, network: str, serial: str) -> None:
    grassroots = "00" if division.endswith("00") else "03"
    code = f"{division}{grassroots}{industry:02d}132{network}{serial}"
    parts = codes.parse(code)
    assert parts.division + parts.grassroots + parts.industry + parts.type + parts.network + parts.serial == code


@given(st.text(max_size=24))
def test_any_text_as_a_code_is_either_taken_or_refused(text: str) -> None:
    try:
        taken = codes.parse(text)
    except ValueError as error:
        refused = str(error)
    else:
        refused = f"video.code.{taken.type}"
    assert refused.startswith("video.code.")


@given(st.floats(0, 360), st.floats(5, 350), st.floats(10, 500), st.floats(0, 359.9), st.floats(0.05, 0.95))
def test_a_point_is_seen_just_where_the_view_polygon_holds_it(
    heading: float, across: float, reach: float, bearing: float, share: float
) -> None:
    longitude, latitude = 113.3, 23.1
    off = abs((bearing - heading + 540) % 360 - 180)
    if abs(off - across / 2) < 1.5:
        return  # on the very edge the polygon's chords and the sector differ
    east, north = share * reach * np.sin(radians(bearing)), share * reach * np.cos(radians(bearing))
    point = (longitude + east / (111_195 * cos(radians(latitude))), latitude + north / 111_195)
    ring = views.view(longitude, latitude, heading, across, reach)
    assert ring is not None
    seen = views.sees(longitude, latitude, heading, across, reach, point)
    assert seen == (off < across / 2)
    if share < 0.9:
        assert seen == inside([(x, y) for x, y in ring], point)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_health_changes_only_after_three_bad_or_two_good_looks_in_a_row(looks: list[bool]) -> None:
    state = health.unknown("c", "t0")
    history: list[bool] = []
    for index, good in enumerate(looks):
        before = state.state
        state = health.after(state, Probe(camera="c", reachable=good), f"t{index + 1}")
        history.append(good)
        needed = health.SUCCESSES if good else health.FAILURES
        if state.state != before and before != "unknown":
            assert history[-needed:] == [good] * needed
            assert state.since == f"t{index + 1}"


@given(st.integers(0, 23), st.integers(0, 23), st.integers(0, 7 * 24 - 1))
def test_a_schedule_holds_just_in_its_hours_over_midnight_too(since: int, until: int, hour: int) -> None:
    moment = datetime(2026, 11, 16, tzinfo=UTC) + timedelta(hours=hour, minutes=30)
    span = Hours(days=("mon", "wed"), since=f"{since:02d}:00", until=f"{until:02d}:00")
    begins = [datetime(2026, 11, day, since, tzinfo=UTC) for day in (9, 11, 16, 18, 23)]
    length = timedelta(hours=(until - since) % 24)
    assert schedules.due([span], moment) == any(begin <= moment < begin + length for begin in begins)
    assert schedules.due([], moment)


@given(st.lists(POINT, min_size=3, max_size=10))
def test_a_polygon_that_is_accepted_has_its_corners_in_the_picture_and_an_area(polygon: list[tuple[float, float]]) -> None:
    if areas.polygon_fault(polygon) is None:
        assert len(set(polygon)) == len(polygon)
        assert areas.polygon_fault(polygon[::-1]) is None
        assert areas.polygon_fault(polygon[1:] + polygon[:1]) is None


@given(POINT, POINT, st.lists(POINT, min_size=2, max_size=12))
def test_crossings_of_a_line_there_and_back_cancel(
    a: tuple[float, float], b: tuple[float, float], path: list[tuple[float, float]]
) -> None:
    there = [crosses(a, b, old, new) for old, new in pairwise(path)]
    back = [crosses(a, b, new, old) for old, new in pairwise(path)]
    assert there == [-step for step in back]


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 10**6))
def test_the_pairing_is_the_cheapest_there_is(rows: int, columns: int, seed: int) -> None:
    cost = np.random.default_rng(seed).uniform(0, 10, (rows, columns))
    pairs = assign(cost)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs) == min(rows, columns)
    total = sum(cost[row, column] for row, column in pairs)
    wide = cost if rows <= columns else cost.T
    best = min(
        (sum(wide[i, p] for i, p in enumerate(order)) for order in permutations(range(wide.shape[1]), wide.shape[0])), default=0
    )
    assert total == pytest.approx(best)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://user:pa%40ss@10.0.0.8:554/h264/ch1?token=abc", "rtsp://10.0.0.8:554/h264/ch1"),
        ("rtsps://[fe80::1]:322/x", "rtsps://[fe80::1]:322/x"),
        ("file:street/clip.mp4", "file:street/clip.mp4"),
    ],
)
def test_an_address_is_shown_without_credentials_and_query(address: str, shown: str) -> None:
    parsed = addresses.parse(address)
    assert (parsed.shown, parsed.whole) == (shown, address)


@pytest.mark.parametrize(
    "address", ["http://a/b", "file:../x", "file:/etc/passwd", "file:a//b", "rtsp://", "rtsp://a b/", "rtsp://h:99999/"]
)
def test_an_address_that_leads_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"^video\.address\."):
        addresses.parse(address)
