"""Whatever warnings do, people are told in time of what is worse, seldom of the rest, and never again once all is over."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as struct_replace

from mumian.brain.warnings.routing.rules import Group, Member, Timing, decide, flapping, matches, within

TIMING = Timing(wait=3, interval=10, repeat=50, steps=(15, 40), most=4, window=30)
END = 400


class Desk:
    """A group on a clock of whole ticks: what happens, and what is told, as the service does it."""

    def __init__(self) -> None:
        self.group = Group()
        self.members: dict[str, Member] = {}
        self.look_at: int | None = None
        self.notices: list[tuple[int, str]] = []
        self.steps: list[tuple[int, int]] = []

    def happens(self, now: int, series: str, level: int | None) -> None:
        known = self.members.get(series)
        if known is None and level is None:
            return
        base = known or Member(series, 0, False)
        changed = known is None or known.lifted != (level is None)
        changes = (*base.changes, now) if changed else base.changes
        self.members[series] = replace(base, level=base.level if level is None else level, lifted=level is None, changes=changes)
        if self.group.dirty_since is None:
            self.group = struct_replace(self.group, dirty_since=now)
        self.look_at = now

    def ticks(self, now: int) -> None:
        while self.look_at is not None and self.look_at <= now:
            decision = decide(self.group, self.members.values(), TIMING, now)
            if decision.kind:
                self.notices.append((now, decision.kind))
            self.steps += [(now, step) for step in decision.steps]
            self.group, self.look_at = decision.group, decision.look_at
            for series, level in decision.told.items():
                self.members[series] = replace(self.members[series], told=level)
            self.members = {s: m for s, m in self.members.items() if not (m.lifted and m.told is None)}
            assert self.look_at is None or self.look_at > now, "or it would look for ever"


happenings = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from("abc"), st.none() | st.integers(0, 3)), max_size=25, unique_by=lambda h: h[:2]
)


@settings(max_examples=300)
@given(happenings)
def test_what_stands_is_told_of_in_time_and_all_falls_silent_when_it_is_over(events: list[tuple[int, str, int | None]]) -> None:
    desk = Desk()
    worst_waiting = 0
    for now in range(END):
        for at, series, level in sorted(events, key=lambda e: e[:2]):
            if at == now:
                desk.happens(now, series, level)
        if now == 250:
            for series in "abc":
                if series in desk.members and not desk.members[series].lifted:
                    desk.happens(now, series, None)
        desk.ticks(now)
        untold = [m for m in desk.members.values() if not m.lifted and m.told is None and not flapping(m, TIMING, now)]
        worst_waiting = worst_waiting + 1 if untold else 0
        assert worst_waiting <= max(TIMING.wait, TIMING.interval) + 1
    assert desk.members == {}
    assert desk.group == Group()
    assert desk.look_at is None
    kinds = [kind for _, kind in desk.notices]
    assert kinds.count("first") == kinds.count("resolved")
    times = [at for at, _ in desk.notices]
    assert times == sorted(set(times)), "never two notices at once"


@settings(max_examples=100)
@given(st.lists(st.integers(1, 4), min_size=30, max_size=80))
def test_a_warning_that_flaps_is_told_of_once_until_it_keeps_still(pauses: list[int]) -> None:
    desk, now, standing = Desk(), 0, False
    for pause in pauses:
        standing = not standing
        desk.happens(now, "a", 1 if standing else None)
        for tick in range(now, now + pause):
            desk.ticks(tick)
        now += pause
    resolved = sum(kind == "resolved" for _, kind in desk.notices)
    assert resolved <= 1 + TIMING.most, f"{len(pauses)} changes in {now} ticks"
    assert len(desk.notices) <= 2 * (1 + TIMING.most) + now // TIMING.repeat


def test_something_worse_does_not_wait_for_the_interval() -> None:
    desk = Desk()
    desk.happens(0, "a", 1)
    for now in range(30):
        if now == 5:
            desk.happens(5, "b", 0)
        if now == 6:
            desk.happens(6, "c", 3)
        desk.ticks(now)
    assert desk.notices[:2] == [(3, "first"), (8, "change")]


def test_who_acknowledges_stops_repeats_and_escalation_until_something_worse_comes() -> None:
    quiet, loud = Desk(), Desk()
    for desk in (quiet, loud):
        desk.happens(0, "a", 1)
        for now in range(200):
            if now == 10 and desk is quiet:
                desk.group = struct_replace(desk.group, acknowledged="li.na")
                desk.look_at = now
            if now == 150:
                desk.happens(now, "b", 3)
            desk.ticks(now)
    assert loud.notices == [(3, "first"), (53, "repeat"), (103, "repeat"), (153, "change")]
    assert loud.steps == [(18, 0), (43, 1), (168, 0), (193, 1)]
    assert quiet.notices == [(3, "first"), (153, "change")]
    assert quiet.steps == [(168, 0), (193, 1)]


def test_what_is_muted_is_told_of_when_the_mute_ends_and_not_before() -> None:
    group = Group(dirty_since=0)
    muted = decide(group, [Member("a", 2, False, muted="silence:1")], TIMING, 5)
    assert (muted.kind, muted.look_at) == (None, 15)
    after = decide(muted.group, [Member("a", 2, False)], TIMING, 15)
    assert after.look_at == 18
    assert decide(after.group, [Member("a", 2, False)], TIMING, 18).kind == "first"
    told = decide(Group(told_at=3, first_told_at=3, level=2), [Member("a", 2, True, told=2, muted="quiet")], TIMING, 9)
    assert (told.kind, told.told, told.group) == (None, {"a": None}, Group())


@given(st.dictionaries(st.sampled_from(["rule", "key"]), st.lists(st.sampled_from("ab"), max_size=2)), st.sampled_from("ab"))
def test_a_match_asks_for_every_name_that_wants_something(wanted: dict[str, list[str]], value: str) -> None:
    labels = {"rule": value, "key": "a"}
    assert matches(wanted, labels) == all(not values or labels[name] in values for name, values in wanted.items())


@pytest.mark.parametrize(
    ("window", "moment", "inside"),
    [
        (([], time(22), time(6)), datetime(2026, 5, 4, 23, tzinfo=UTC), True),
        (([], time(22), time(6)), datetime(2026, 5, 4, 6, tzinfo=UTC), False),
        ((["fri"], time(22), time(6)), datetime(2026, 5, 9, 5, 59, tzinfo=UTC), True),
        ((["fri"], time(22), time(6)), datetime(2026, 5, 8, 5, 59, tzinfo=UTC), False),
        ((["sat", "sun"], time(0), time.max), datetime(2026, 5, 10, 23, 59, 59, tzinfo=UTC), True),
        (([], time(9), time(17)), datetime(2026, 5, 4, 17, tzinfo=UTC), False),
    ],
)
def test_windows_run_past_midnight(window: tuple[list[str], time, time], moment: datetime, inside: bool) -> None:
    assert within([window], moment) is inside
