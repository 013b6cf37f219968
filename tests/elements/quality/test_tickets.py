"""Tickets: one for each rule that fails, closed only when it holds again, opened again when it fails again, never hundreds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mumian.elements.quality.rules.ranking import Standing, ranked
from mumian.elements.quality.rules.ticketing import Terms, Ticket, judged, on_time
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from tests.elements.quality.conftest import apply, companies, load, told

RULE = """
kind: QualityRule
name: money
title: {zh: 资本, en: Capital}
spec:
  dataset: companies
  deadline_days: 5
  rules: [{id: capital, check: range, field: capital, least: 0}]
"""
GOOD, BAD = companies(), companies(capital=[-1, 1, 1, 1])


async def steps(platform: Platform) -> list[tuple[str, str]]:
    """What happened to tickets: their numbers and actions."""
    return [(each["subject"], each["action"]) for each in await told(platform, "elements.quality.ticket")]


async def after(platform: Platform, columns: Any) -> list[tuple[str, str]]:
    """What happened to tickets, once a dataset holds other rows."""
    await load(platform, "companies", columns, "replace")
    await platform.settle()
    return await steps(platform)


async def test_a_fault_opens_one_ticket_that_closes_when_the_rule_holds_and_opens_again(town: Platform) -> None:
    await apply(town, RULE)
    assert await after(town, GOOD) == []
    assert await after(town, BAD) == [("1", "opened")]
    assert await after(town, BAD) == [("1", "opened")]
    assert (await after(town, GOOD))[-1] == ("1", "closed")
    assert (await after(town, BAD))[-1] == ("1", "reopened")
    first = (await told(town, "elements.quality.ticket"))[0]
    assert (first["owner"], first["rule"], first["note"]) == ("market", "money:capital", "1 / 4")
    assert first["due_at"][:10] == "2014-01-06"
    assert (await town.get(Ledger).verify()).sound


async def test_a_rule_that_flaps_keeps_its_one_ticket_until_it_holds_for_a_day(town: Platform, clock: ManualClock) -> None:
    await apply(town, RULE)
    for _ in range(4):
        await after(town, BAD)
        done = await after(town, GOOD)
    assert done == [("1", "opened"), *[("1", "closed"), ("1", "reopened")] * 3]
    clock.advance(hours=23)
    await town.settle()
    assert (await steps(town))[-1] == ("1", "reopened")
    clock.advance(hours=2)
    await town.settle()
    assert (await steps(town))[-1] == ("1", "closed")
    assert (await town.get(Ledger).verify()).sound


async def test_somebody_is_reminded_before_the_deadline_at_it_and_weekly_after_it(town: Platform, clock: ManualClock) -> None:
    await apply(town, RULE)
    await after(town, BAD)
    seen: list[int] = []
    for day in range(1, 21):
        clock.advance(days=1)
        await town.settle()
        seen += [day] * (len([action for _, action in await steps(town) if action == "reminded"]) - len(seen))
    assert seen == [3, 5, 12, 19]


async def test_the_ticket_of_a_rule_that_is_taken_away_is_withdrawn(town: Platform) -> None:
    await apply(town, RULE)
    await after(town, BAD)
    await apply(town, RULE.replace("least: 0", "most: 0").replace("id: capital", "id: other"))
    await town.settle()
    assert await steps(town) == [("1", "opened"), ("2", "opened"), ("1", "withdrawn")]
    assert (await town.get(Ledger).verify()).sound


START = datetime(2014, 1, 1, tzinfo=UTC)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=60))
def test_a_ticket_is_open_exactly_while_its_rule_fails_or_has_not_held_for_long(life: list[tuple[bool, int]]) -> None:
    terms, now, ticket = Terms(), START, None
    opened = told_ = 0
    for holds, hours in life:
        now += timedelta(hours=hours)
        before: Ticket | None = ticket
        ticket, action = judged(ticket, holds, now, 5, terms)
        opened += action == "opened"
        told_ += action is not None
        if not holds:
            assert ticket is not None
            assert ticket.state == "open"
            assert ticket.due_at >= now or (before is not None and before.state == "open")
        elif ticket is not None and ticket.state == "open":
            assert ticket.reopened >= terms.flaps
            assert ticket.holding_since is not None
            assert now - ticket.holding_since < timedelta(days=terms.calm)
    days = (now - START).days
    assert opened <= 1 + days / terms.again
    assert told_ <= (2 + 2 * terms.flaps) * opened + 2 * days / terms.calm


def test_a_ticket_is_in_time_when_it_was_closed_by_its_deadline() -> None:
    ticket = Ticket("open", START, START + timedelta(days=5))
    assert on_time(ticket, START) is None
    assert on_time(ticket, START + timedelta(days=6)) is False
    assert on_time(Ticket("closed", START, START, START), START) is True
    assert on_time(Ticket("withdrawn", START, START, START), START) is None


def test_departments_are_ranked_by_scores_and_by_tickets_in_time() -> None:
    standings = [
        Standing("b", (90.0, 70.0), timely=1, late=1),
        Standing("a", (80.0,), timely=2, late=0),
        Standing("d", ()),
        Standing("c", (71.0,)),
        Standing("e", (71.0,)),
    ]
    found = [(place, one.organisation, one.points) for place, one in ranked(standings)]
    assert found == [(1, "a", 86.0), (2, "b", 71.0), (2, "c", 71.0), (2, "e", 71.0), (None, "d", None)]
