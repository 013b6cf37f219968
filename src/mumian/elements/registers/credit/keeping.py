"""Keeping credit: facts are recorded by those who decided, expire by themselves, and are repaired on application."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from mumian.elements.registers.credit import rules, store
from mumian.elements.registers.credit.models import CreditKindSpec
from mumian.elements.registers.errors import TooEarly, WrongState
from mumian.elements.registers.events import FactChanged, FactRecorded, RepairApplied, RepairDecided
from mumian.elements.registers.rules import preparing
from mumian.foundation.ledger.api import Fault, differences
from mumian.kernel.declarations.kinds import Declared
from mumian.kernel.errors import Conflict, Invalid, NotFound
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Row, Session, Transaction

KIND = "CreditKind"


@dataclass(frozen=True)
class FactDraft:
    """What was decided about a legal person: by which document, when, and what it says."""

    kind: str
    subject: str
    subject_name: str
    organisation: str
    document: str
    content: str
    decided_on: date


class Credit:
    """`platform.get(Credit)`: credit facts about legal persons; callers have been allowed to act for the organisation."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def kind(self, name: str) -> Declared[CreditKindSpec]:
        """A declared kind; raises NotFound."""
        return self._platform.declarations.get(KIND, name)

    def today(self) -> str:
        """The day on the platform's clock, in UTC."""
        return self._platform.clock.now().date().isoformat()

    def record(self, tx: Transaction, draft: FactDraft) -> Row:
        """Record a fact; raises NotFound, Invalid, and Conflict when that document is recorded already."""
        spec = self.kind(draft.kind).spec
        subject = preparing.identifier(draft.subject, "credit_code")
        if subject is None or not preparing.valid(subject, "credit_code"):
            raise Invalid.field("subject", "registers.credit_code")
        if draft.organisation not in spec.recorders:
            raise Invalid.field("organisation", "field.choice", expected=", ".join(spec.recorders))
        if draft.decided_on.isoformat() > self.today():
            raise Invalid.field("decided_on", "field.range", expected=f"≤ {self.today()}")
        row = {
            **draft.__dict__,
            "id": new_id(),
            "subject": subject,
            "decided_on": draft.decided_on.isoformat(),
            "expires_on": rules.expires(draft.decided_on, spec.most_days).isoformat(),
            "status": "active",
            "recorded_at": tx.now_text,
            "recorded_by": tx.actor.id,
            "changed_at": tx.now_text,
            "reason": None,
        }
        if not store.add(tx, row):
            raise Conflict(reason=f"{draft.organisation}: {draft.document}")
        tx.emit(
            FactRecorded(
                subject=row["id"],
                kind=draft.kind,
                legal_person=subject,
                organisation=draft.organisation,
                digest=rules.digest(row),
                expires_on=row["expires_on"],
            )
        )
        return row

    def withdraw(self, tx: Transaction, id_: str, reason: str) -> Row:
        """Take back a fact that was recorded wrongly; raises NotFound, WrongState."""
        row = self.fact(tx.session, id_)
        if row["status"] == "withdrawn":
            raise WrongState(state=row["status"])
        return self._change(tx, id_, "withdrawn", reason)

    def apply(self, tx: Transaction, id_: str, grounds: str) -> str:
        """Apply for the repair of a fact; returns the application's id. Raises NotFound, WrongState.

        A fact has one open application at a time, and none once it is not shown any more.
        """
        row = self.fact(tx.session, id_)
        spec = self.kind(row["kind"]).spec
        state = rules.state_on(row["status"], row["expires_on"], self.today())
        if state != "active" or not spec.repairable:
            raise WrongState(state=state if spec.repairable else "not repairable")
        if any(repair["state"] == "applied" for repair in store.repairs(tx.session, id_)):
            raise WrongState(state="applied")
        repair = new_id()
        store.apply(tx, repair, id_, grounds)
        tx.emit(RepairApplied(subject=repair, fact=id_, grounds=grounds))
        return repair

    def decide(self, tx: Transaction, repair_id: str, grant: bool, reason: str) -> Row:
        """Grant or refuse a repair; raises NotFound, WrongState, and TooEarly before the least time is over."""
        repair = self.repair(tx.session, repair_id)
        row = self.fact(tx.session, repair["fact"])
        if repair["state"] != "applied" or row["status"] != "active":
            raise WrongState(state=repair["state"] if repair["state"] != "applied" else row["status"])
        first = rules.repairable_from(row["decided_on"], self.kind(row["kind"]).spec.least_days)
        if grant and self.today() < first:
            raise TooEarly(day=first)
        state = "granted" if grant else "refused"
        store.decide(tx, repair_id, state, reason)
        tx.emit(RepairDecided(subject=repair_id, state=state, reason=reason))
        return self._change(tx, row["id"], "repaired", reason) if grant else row

    @staticmethod
    def fact(session: Session, id_: str) -> Row:
        """A fact; raises NotFound."""
        row = store.fact(session, id_)
        if row is None:
            raise NotFound(kind="credit fact", name=id_)
        return row

    @staticmethod
    def repair(session: Session, id_: str) -> Row:
        """An application for a repair; raises NotFound."""
        row = store.repair(session, id_)
        if row is None:
            raise NotFound(kind="credit repair", name=id_)
        return row

    def _change(self, tx: Transaction, id_: str, status: str, reason: str) -> Row:
        store.change(tx, id_, status, reason)
        tx.emit(FactChanged(subject=id_, status=status, reason=reason))
        return self.fact(tx.session, id_)


def faults(session: Session) -> Iterator[Fault]:
    """Facts and repairs that are not as the ledger tells of them."""
    facts, repairs = store.every(session)
    told: dict[str, dict[str, Any]] = {}
    applied: dict[str, dict[str, Any]] = {}
    rows = session.rows(
        "SELECT type, subject, payload FROM kernel_outbox WHERE type LIKE 'elements.registers.fact_%' "
        "OR type LIKE 'elements.registers.repair_%' ORDER BY id"
    )
    for row in rows:
        data = json.loads(row["payload"])
        if row["type"] == FactRecorded.type:
            told[row["subject"]] = {"digest": data["digest"], "status": "active"}
        elif row["type"] == FactChanged.type:
            told.setdefault(row["subject"], {})["status"] = data["status"]
        elif row["type"] == RepairApplied.type:
            applied[row["subject"]] = {"fact": data["fact"], "grounds": data["grounds"], "state": "applied"}
        elif row["type"] == RepairDecided.type:
            applied.setdefault(row["subject"], {})["state"] = data["state"]
    kept = ((row["id"], {**row, "digest": rules.digest(row)}) for row in facts)
    yield from differences("registers_fact", told, kept)
    yield from differences("registers_repair", applied, ((row["id"], row) for row in repairs))
