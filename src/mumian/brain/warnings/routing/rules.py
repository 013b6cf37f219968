"""Rules of routing: when a group of warnings is told of, by a pure decision that anybody can replay. Times are µs since 1970.

A group is told of first `wait` after its first warning, of what is worse than all that was told `wait` after it came, of any
other change `interval` after the last notice, and again every `repeat` while it stands. Who acknowledges a group stops its
repeats and its escalation until something worse comes. A series that changes too often counts as standing until it keeps
still. The terms are those of Prometheus Alertmanager (group_wait, group_interval, repeat_interval), which has no third rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal

import msgspec

NAMES = ("rule", "vital", "theme", "level", "dimension", "key", "district")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Labels = Mapping[str, str]
Kind = Literal["first", "change", "repeat", "resolved"]


@dataclass(frozen=True)
class Timing:
    """How a route paces its notices, in µs; `steps` after how long each escalation follows; `most` changes within `window`."""

    wait: int
    interval: int
    repeat: int
    steps: tuple[int, ...] = ()
    most: int = 6
    window: int = 3_600_000_000


class Group(msgspec.Struct, frozen=True):
    """What was told of a group so far; `level` is the worst that was told of what still stands."""

    dirty_since: int | None = None
    told_at: int | None = None
    first_told_at: int | None = None
    level: int = -1
    acknowledged: str | None = None
    escalated: int = 0


@dataclass(frozen=True)
class Member:
    """A series of a group: its present level and whether it was lifted, the level last told, when it changed, why it is muted."""

    series: str
    level: int
    lifted: bool
    told: int | None = None
    changes: tuple[int, ...] = ()
    muted: str | None = None


@dataclass(frozen=True)
class Decision:
    """What to do now: a notice about these series, the escalation steps due, the state afterwards, and when to look again."""

    kind: Kind | None
    news: tuple[str, ...]
    ended: tuple[str, ...]
    standing: tuple[str, ...]
    steps: tuple[int, ...]
    group: Group
    told: Mapping[str, int | None] = field(default_factory=dict)
    look_at: int | None = None


def matches(wanted: Mapping[str, Sequence[str]], labels: Labels) -> bool:
    """Whether the labels have one of the wanted values for every name that wants any."""
    return all(not values or labels.get(name, "") in values for name, values in wanted.items())


def group_key(route: str, names: Sequence[str], labels: Labels) -> str:
    """The name of the group that labels fall into."""
    return "|".join([route, *(f"{name}={labels.get(name, '')}" for name in names)])


def flapping(member: Member, timing: Timing, now: int) -> bool:
    """Whether a series changed more often within the window than anybody wants to hear."""
    return sum(now - timing.window < change <= now for change in member.changes) > timing.most


def steadied(member: Member, timing: Timing, now: int) -> Member:
    """The member as it counts: one that flaps stands, at the worst level that was told or is there."""
    if not flapping(member, timing, now):
        return member
    return Member(member.series, max(member.level, member.told or 0), False, member.told, member.changes, member.muted)


def decide(group: Group, members: Iterable[Member], timing: Timing, now: int) -> Decision:
    """What is to be told of a group now."""
    known = [steadied(member, timing, now) for member in members]
    standing = [m for m in known if not m.lifted and m.muted is None]
    news = [m for m in standing if m.told != m.level]
    ended = [m for m in known if m.lifted and m.told is not None and m.muted is None]
    worse = any(m.level > group.level for m in news)
    kind, ready = _notice(group, bool(news or ended), worse, standing, timing, now)
    told: dict[str, int | None] = {m.series: None for m in known if m.lifted and m.muted is not None and m.told is not None}
    if kind is not None:
        group = _told(group, standing, worse, now)
        told |= {m.series: m.level for m in standing} | {m.series: None for m in ended}
    else:
        since = group.dirty_since if group.dirty_since is not None else now
        group = msgspec.structs.replace(group, dirty_since=since if news or ended else None)
    if all(m.lifted for m in known) and (kind is not None or not ended):
        group = Group()
    steps = _steps(group, standing, timing, now)
    group = msgspec.structs.replace(group, escalated=group.escalated + len(steps))
    unsteady = any((m.muted is not None and not m.lifted) or flapping(m, timing, now) for m in known)
    look = [*_later(group, standing, timing, now, unsteady), *([ready] if kind is None and ready is not None else [])]
    return Decision(
        kind,
        tuple(m.series for m in news),
        tuple(m.series for m in ended),
        tuple(m.series for m in standing),
        steps,
        group,
        told,
        min(look, default=None),
    )


def within(windows: Iterable[tuple[Sequence[str], time, time]], local: datetime) -> bool:
    """Whether a local time lies in a weekly window (days, from, to); one that ends before it begins runs past midnight."""
    clock, today = local.time(), local.weekday()
    for chosen, start, end in windows:
        days = chosen or DAYS
        if start <= end:
            if DAYS[today] in days and start <= clock < end:
                return True
        elif (DAYS[today] in days and clock >= start) or (DAYS[today - 1] in days and clock < end):
            return True
    return False


def _notice(
    group: Group, changed: bool, worse: bool, standing: Sequence[Member], timing: Timing, now: int
) -> tuple[Kind | None, int | None]:
    """The notice that is due, or when the next will be."""
    if changed:
        since = group.dirty_since if group.dirty_since is not None else now
        ready = since + timing.wait if group.told_at is None or worse else group.told_at + timing.interval
        if now < ready:
            return None, ready
        return ("first" if group.told_at is None else "change") if standing else "resolved", None
    if standing and group.told_at is not None and group.acknowledged is None:
        ready = group.told_at + timing.repeat
        return ("repeat", None) if now >= ready else (None, ready)
    return None, None


def _told(group: Group, standing: Sequence[Member], worse: bool, now: int) -> Group:
    return Group(
        dirty_since=None,
        told_at=now,
        first_told_at=now if group.first_told_at is None or worse else group.first_told_at,
        level=max((m.level for m in standing), default=-1),
        acknowledged=None if worse else group.acknowledged,
        escalated=0 if worse else group.escalated,
    )


def _steps(group: Group, standing: Sequence[Member], timing: Timing, now: int) -> tuple[int, ...]:
    if not standing or group.first_told_at is None or group.acknowledged is not None:
        return ()
    first = group.first_told_at
    return tuple(i for i, after in enumerate(timing.steps) if i >= group.escalated and now >= first + after)


def _later(group: Group, standing: Sequence[Member], timing: Timing, now: int, unsteady: bool) -> list[int]:
    """When to look again though nothing comes."""
    look = [now + timing.interval] if unsteady else []
    if standing and group.told_at is not None and group.acknowledged is None:
        look.append(max(group.told_at + timing.repeat, now + 1))
        if group.first_told_at is not None and group.escalated < len(timing.steps):
            look.append(max(group.first_told_at + timing.steps[group.escalated], now + 1))
    return look
