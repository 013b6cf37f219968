"""Ticketing: when a ticket 工单 opens, closes and opens again; a rule that flaps keeps its one ticket until it holds for good."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal["open", "closed", "withdrawn"]
Action = Literal["opened", "reopened", "closed", "withdrawn"]


@dataclass(frozen=True)
class Terms:
    """How tickets behave, in days: within `again` a fault opens its ticket again; after `flaps` times it must hold for `calm`."""

    again: float = 30.0
    flaps: int = 3
    calm: float = 1.0
    before: float = 2.0
    every: float = 7.0


@dataclass(frozen=True)
class Ticket:
    """A ticket as it stands; it closes only when its rule holds. `holding_since`: of a flapping one, since when it does."""

    state: State
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None = None
    reopened: int = 0
    holding_since: datetime | None = None
    remind_at: datetime | None = None


def judged(
    ticket: Ticket | None, holds: bool, now: datetime, deadline_days: float, terms: Terms
) -> tuple[Ticket | None, Action | None]:
    """The ticket after its rule was judged, and what happened to it, if anything that must be told."""
    if ticket is None or ticket.state != "open":
        if holds:
            return ticket, None
        return _failed(ticket, now, deadline_days, terms)
    if not holds:
        return replace(ticket, holding_since=None), None
    if ticket.reopened < terms.flaps:
        return _closed(ticket, now), "closed"
    since = ticket.holding_since or now
    if now - since >= timedelta(days=terms.calm):
        return _closed(ticket, now), "closed"
    return replace(ticket, holding_since=since), None


def withdrawn(ticket: Ticket, now: datetime) -> Ticket:
    """The ticket of a rule that is no more."""
    return replace(ticket, state="withdrawn", closed_at=now, remind_at=None, holding_since=None)


def _failed(ticket: Ticket | None, now: datetime, deadline_days: float, terms: Terms) -> tuple[Ticket, Action]:
    due = now + timedelta(days=deadline_days)
    remind = first_reminder(now, due, terms)
    if ticket is None or ticket.state == "withdrawn" or ticket.closed_at is None:
        return Ticket("open", now, due, remind_at=remind), "opened"
    if now - ticket.closed_at > timedelta(days=terms.again):
        return Ticket("open", now, due, remind_at=remind), "opened"
    again = replace(ticket, state="open", closed_at=None, reopened=ticket.reopened + 1, due_at=due, remind_at=remind)
    return again, "reopened"


def _closed(ticket: Ticket, now: datetime) -> Ticket:
    return replace(ticket, state="closed", closed_at=now, holding_since=None, remind_at=None)


def first_reminder(now: datetime, due: datetime, terms: Terms) -> datetime:
    """When somebody is reminded first: some days before the deadline, or half-way where it is nearer than that."""
    return max(due - timedelta(days=terms.before), now + (due - now) / 2)


def reminded(ticket: Ticket, now: datetime, terms: Terms) -> Ticket:
    """The ticket after a reminder: the next comes at the deadline, and then every some days."""
    if now < ticket.due_at:
        return replace(ticket, remind_at=ticket.due_at)
    return replace(ticket, remind_at=now + timedelta(days=terms.every))


def extended(ticket: Ticket, due: datetime, now: datetime, terms: Terms) -> Ticket:
    """The ticket with another deadline."""
    return replace(ticket, due_at=due, remind_at=first_reminder(now, due, terms) if due > now else now)


def on_time(ticket: Ticket, now: datetime) -> bool | None:
    """Whether it was closed by its deadline; None while that is not decided, and for those withdrawn."""
    if ticket.state == "withdrawn":
        return None
    if ticket.closed_at is not None:
        return ticket.closed_at <= ticket.due_at
    return False if now > ticket.due_at else None
