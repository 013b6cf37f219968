"""Behaviour of evaluation on a platform: facts come from events, and are judged by district and organisation."""

from datetime import timedelta
from typing import Any

import pytest

from mumian.brain.incidents.events import IncidentChanged, IncidentClosed
from mumian.kernel.clock import ManualClock, iso
from mumian.kernel.platform import Platform
from mumian.mechanism.evaluation.api import Evaluation

FIELDS = (
    "type severity state district organisation opened_at taken_at resolved_at verified_at closed_at "
    "due_accept due_resolve due_verify"
)


def _snapshot(number: str, **facts: Any) -> dict[str, Any]:
    blank = dict.fromkeys(FIELDS.split())
    base = {"type": "air-pollution", "severity": "minor", "state": "dispatched", "supervised": 0, "warning": None}
    return {**blank, **base, "number": number, **facts}


async def _tell(platform: Platform, number: str, version: int, **facts: Any) -> None:
    kind = IncidentClosed if facts.get("closed_at") else IncidentChanged
    event = kind(
        subject=number,
        action="note",
        source="",
        target="",
        version=version,
        digest="",
        note="",
        incident=_snapshot(number, **facts),
    )
    await platform.records.write(lambda tx: tx.emit(event))
    await platform.settle()


@pytest.fixture
def at(clock: ManualClock) -> Any:
    """Instants counted in hours from now."""
    start = clock.now()
    return lambda hours: iso(start + timedelta(hours=hours))


async def test_incidents_are_judged_by_district_and_organisation_with_their_titles(city: Platform, at: Any) -> None:
    done = {"opened_at": at(-30), "due_resolve": at(-6), "state": "closed"}
    haizhu = {"district": "440105", "organisation": "440105-ecology"}
    await _tell(city, "X-1", 5, **haizhu, **done, resolved_at=at(-10), closed_at=at(-8))
    await _tell(city, "X-2", 5, **haizhu, **done, resolved_at=at(-5), closed_at=at(-2))
    await _tell(city, "X-3", 2, opened_at=at(-30), due_resolve=at(-1), organisation="ecology")
    evaluation, now = city.get(Evaluation), city.clock.now()
    districts = await city.records.read(lambda session: evaluation.groups(session, "district", now))
    assert [(g.key, g.label["zh"], g.figures.closed, g.figures.on_time, g.figures.overdue) for g in districts] == [
        ("", "广州", 0, 0, 1),
        ("440105", "海珠区", 2, 1, 0),
    ]
    assert districts[1].figures.median_hours == pytest.approx(25)
    organisations = await city.records.read(lambda session: evaluation.groups(session, "organisation", now))
    assert [(g.key, g.label["zh"]) for g in organisations] == [
        ("440105-ecology", "市生态环境局海珠分局"),
        ("ecology", "市生态环境局"),
    ]


async def test_an_event_that_comes_late_does_not_undo_a_newer_one(city: Platform, at: Any) -> None:
    await _tell(city, "X-1", 5, opened_at=at(-3), closed_at=at(-1))
    await _tell(city, "X-1", 4, opened_at=at(-3))
    figures = await city.records.read(lambda session: city.get(Evaluation).city(session, city.clock.now()))
    assert (figures.closed, figures.open) == (1, 0)


async def test_a_window_leaves_out_what_was_closed_before_it(city: Platform, at: Any) -> None:
    await _tell(city, "X-1", 5, opened_at=at(-100), closed_at=at(-50))
    await _tell(city, "X-2", 5, opened_at=at(-20), closed_at=at(-5))
    figures = await city.records.read(lambda session: city.get(Evaluation).city(session, city.clock.now(), window_days=1))
    assert figures.closed == 1
