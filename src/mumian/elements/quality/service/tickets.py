"""Tickets 工单: they open, close and open again as rules are judged; people comment on them, take them on and extend them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from mumian.elements.quality.contracts import Outcome, Rule
from mumian.elements.quality.errors import TicketClosed
from mumian.elements.quality.events import TicketMoved
from mumian.elements.quality.rules import ticketing
from mumian.elements.quality.rules.ticketing import Terms, Ticket
from mumian.elements.quality.settings import QualitySettings
from mumian.elements.quality.store import tickets as store
from mumian.kernel.clock import iso
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Transaction


class Tickets:
    """Moves tickets; every method works in the caller's transaction and tells what happened."""

    def __init__(self, platform: Platform, settings: QualitySettings) -> None:
        self._platform = platform
        self.terms = Terms(
            again=settings.reopen_days,
            flaps=settings.flaps,
            calm=settings.calm_days,
            before=settings.remind_days,
            every=settings.remind_every_days,
        )

    def judged(self, tx: Transaction, dataset: str, owner: str, found: Iterable[tuple[Rule, Outcome]], run: int) -> None:
        """All rules of a dataset were judged: tickets of those that are no more are withdrawn."""
        kept, known = store.newest(tx.session, dataset), set()
        for rule, outcome in found:
            if not rule.ticket:
                continue
            known.add(rule.name)
            if outcome.state in ("passed", "failed"):
                self._judged(tx, kept.get(rule.name), rule, outcome, owner, run)
        for name, row in kept.items():
            if name not in known and row["state"] == "open":
                self._move(tx, row, ticketing.withdrawn(store.ticket(row), tx.now), "withdrawn", "")

    def _judged(self, tx: Transaction, row: Row | None, rule: Rule, outcome: Outcome, owner: str, run: int) -> None:
        before = None if row is None else store.ticket(row)
        holds = outcome.state == "passed"
        after, action = ticketing.judged(before, holds, tx.now, rule.deadline_days, self.terms)
        if after is None or (action is None and after == before):
            return
        note = _note(outcome)
        if row is None or action == "opened":
            facts = {"owner": owner, "severity": rule.check.severity, "run": run}
            number = store.insert(tx, rule.dataset, rule.name, facts, after)
            kept = store.find(tx.session, number)
            assert kept is not None
            self._tell(tx, kept, "opened", note)
        elif action is None:
            store.update(tx, row["number"], after, run=run)
        else:
            self._move(tx, row, after, action, note, run=run, owner=owner)

    def close_calm(self, tx: Transaction) -> int:
        """Close flapping tickets whose rule has held for long enough; returns how many."""
        rows = store.holding(tx.session, iso(tx.now - timedelta(days=self.terms.calm)))
        for row in rows:
            after, action = ticketing.judged(store.ticket(row), True, tx.now, 0, self.terms)
            if after is not None and action is not None:
                self._move(tx, row, after, action, "")
        return len(rows)

    def remind(self, tx: Transaction) -> int:
        """Remind of tickets whose deadline is near or over; returns of how many."""
        rows = store.to_remind(tx.session, tx.now_text)
        for row in rows:
            self._move(tx, row, ticketing.reminded(store.ticket(row), tx.now, self.terms), "reminded", "")
        return len(rows)

    def comment(self, tx: Transaction, number: int, text: str) -> Row:
        """Say something about a ticket, open or closed."""
        row = _found(tx, number)
        return self._move(tx, row, store.ticket(row), "commented", text)

    def assign(self, tx: Transaction, number: int, assignee: str | None, note: str) -> Row:
        """Give a ticket to a person, by login, or to nobody in particular."""
        row = _open(tx, number)
        return self._move(tx, row, store.ticket(row), "assigned", note, assignee=assignee)

    def extend(self, tx: Transaction, number: int, due: datetime, reason: str) -> Row:
        """Give a ticket another deadline, with a reason; raises Invalid for one that is over already."""
        row = _open(tx, number)
        if due <= tx.now:
            raise Invalid.field("due_at", "field.range", expected=f"> {tx.now_text}")
        after = ticketing.extended(store.ticket(row), due, tx.now, self.terms)
        return self._move(tx, row, after, "extended", reason)

    def _move(self, tx: Transaction, row: Row, after: Ticket, action: str, note: str, **more: object) -> Row:
        store.update(tx, row["number"], after, **more)
        kept = _found(tx, row["number"])
        self._tell(tx, kept, action, note)
        return kept

    @staticmethod
    def _tell(tx: Transaction, row: Row, action: str, note: str) -> None:
        store.step(tx, row["number"], action, note)
        names = ("dataset", "rule", "owner", "severity", "state", "opened_at", "due_at", "closed_at", "reopened", "assignee")
        tx.emit(TicketMoved(subject=str(row["number"]), action=action, note=note, **{name: row[name] for name in names}))


def _found(tx: Transaction, number: int) -> Row:
    row = store.find(tx.session, number)
    if row is None:
        raise NotFound(kind="Ticket", name=str(number))
    return row


def _open(tx: Transaction, number: int) -> Row:
    row = _found(tx, number)
    if row["state"] != "open":
        raise TicketClosed(number=number)
    return row


def _note(outcome: Outcome) -> str:
    """What was found, in numbers that need no translation."""
    if outcome.checked is not None and outcome.failing is not None:
        return f"{outcome.failing} / {outcome.checked}"
    if outcome.measure is not None:
        return f"{outcome.measure:g}" if outcome.bound is None else f"{outcome.measure:g} : {outcome.bound:g}"
    return ""
