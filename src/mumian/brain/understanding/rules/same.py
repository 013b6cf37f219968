"""Same event: whether two reports speak of one thing, from how alike their words, places and times are; and what is hot."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

LEAST = 0.16
_NEAR_METRES = 300.0
_FAR_METRES = 5000.0
_DAYS = 21.0
_EARTH_METRES = 6_371_008.8


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it is compared: its number, when it came, where (WGS 84 degrees, None: unknown), and how many support it."""

    number: str
    time: datetime
    longitude: float | None = None
    latitude: float | None = None
    supports: int = 0
    by: str = ""


class HotIssue(msgspec.Struct, frozen=True, kw_only=True):
    """A hot issue 热点问题: its reports, the most central first, how many people, its heat, and from when to when."""

    reports: tuple[str, ...]
    people: int
    heat: float
    first: datetime
    last: datetime


def metres(one: Report, other: Report) -> float | None:
    """The distance of two reports along the sphere; None where one has no place."""
    if one.longitude is None or one.latitude is None or other.longitude is None or other.latitude is None:
        return None
    phi, psi = math.radians(one.latitude), math.radians(other.latitude)
    half = math.sin((phi - psi) / 2) ** 2
    half += math.cos(phi) * math.cos(psi) * math.sin(math.radians(one.longitude - other.longitude) / 2) ** 2
    return 2 * _EARTH_METRES * math.asin(min(1.0, math.sqrt(half)))


def score(alike: float, one: Report, other: Report) -> float:
    """How likely two reports are of one event (0–1, a ranking, no probability).

    Likeness of the words (0–1) is raised towards 1 by up to a third where the places lie within some hundred metres, falls to
    nothing beyond 5 km, and halves with every three weeks between the reports.
    """
    apart = metres(one, other)
    if apart is not None:
        if apart > _FAR_METRES:
            return 0.0
        near = 1 / (1 + (apart / _NEAR_METRES) ** 2)
        alike = alike + (1 - alike) * near / 3 if near > 0.5 else alike * (0.5 + near)
    days = abs((one.time - other.time).total_seconds()) / 86400
    return float(min(1.0, alike) * 0.5 ** (days / _DAYS))


def groups(pairs: Sequence[tuple[int, int, float]], count: int, least: float) -> list[list[int]]:
    """Reports gathered from scored pairs, the surest pair first.

    Two groups become one only while their pairs score `least` in the mean, a missing pair as nothing (average linkage): chains
    of reports that are each only a little alike do not grow.
    """
    group = list(range(count))
    members = {number: [number] for number in range(count)}
    between: dict[tuple[int, int], float] = {}
    for one, other, value in pairs:
        between[min(one, other), max(one, other)] = value
    for one, other, value in sorted(pairs, key=lambda each: (-each[2], each[0], each[1])):
        a, b = group[one], group[other]
        if a == b or value < least:
            continue
        links = (between.get((min(i, j), max(i, j)), 0.0) for i in members[a] for j in members[b])
        if sum(links) < least * len(members[a]) * len(members[b]):
            continue
        for number in members[b]:
            group[number] = a
        members[a] += members.pop(b)
    return [sorted(found) for found in members.values() if len(found) > 1]


def hot(reports: Sequence[Report], found: Sequence[Sequence[int]], now: datetime, half_life_days: float = 7.0) -> list[HotIssue]:
    """The groups as issues, the hottest first.

    Heat is the sum over reports of (1 + ln(1 + supports)) · 2^(−age / half-life), times ln(1 + people): many people, lately.
    """
    issues = []
    for group in found:
        own = [reports[number] for number in group]
        people = len({each.by or each.number for each in own})
        ages = [max(0.0, (now - each.time).total_seconds() / 86400) for each in own]
        said = sum((1 + math.log1p(each.supports)) * 0.5 ** (age / half_life_days) for each, age in zip(own, ages, strict=True))
        times = [each.time for each in own]
        issues.append(
            HotIssue(
                reports=tuple(each.number for each in own),
                people=people,
                heat=round(said * math.log1p(people), 4),
                first=min(times),
                last=max(times),
            )
        )
    return sorted(issues, key=lambda issue: (-issue.heat, issue.reports))


def deepest(probabilities: Mapping[str, float], threshold: float) -> list[tuple[str, float]]:
    """The levels of a category that are sure enough: of labels that are paths (`a/b/c`), each level's likeliest, with its share.

    A level's share is the sum of the labels below it; the walk ends at the first level whose share is below the threshold.
    """
    told: list[tuple[str, float]] = []
    path = ""
    while True:
        below: dict[str, float] = {}
        for label, probability in probabilities.items():
            if label != path and (not path or label.startswith(f"{path}/")):
                step = label[len(path) + 1 if path else 0 :].partition("/")[0]
                below[step] = below.get(step, 0.0) + probability
        if not below:
            return told
        step, share = max(below.items(), key=lambda each: (each[1], each[0]))
        if share < threshold:
            return told
        path = f"{path}/{step}" if path else step
        told.append((path, round(share, 6)))
