"""Objecting 异议核查: a user says that data are wrong, the owner checks, and corrects or says why not, by a deadline."""

from typing import Any

from msgspec.structs import replace

from mumian.elements.sharing import store
from mumian.elements.sharing.contracts import Objection
from mumian.elements.sharing.rules import cases
from mumian.elements.sharing.service.granting import holder_names
from mumian.elements.sharing.service.keeping import OBJECTIONS
from mumian.elements.sharing.service.terms import Terms
from mumian.foundation.identity.api import Caller, require
from mumian.kernel.errors import Fault, Invalid, NotFound
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction, next_value

_ANSWERED = ("correct", "reject", "extend")


class Objecting:
    """Works in the caller's transaction."""

    def __init__(self, platform: Platform, terms: Terms) -> None:
        self._platform = platform
        self._terms = terms

    def file(self, tx: Transaction, caller: Caller, given: dict[str, Any]) -> Objection:
        """Say that data are wrong: `given` has dataset, key, fields, description, expected, grant. Raises Invalid, NotFound."""
        require(caller, "objection:make")
        spec = self._terms.dataset(given["dataset"])
        known = {field.name for field in spec.fields}
        wrong = [name for name in (*given["key"], *given["fields"]) if name not in known]
        if wrong:
            values = {"name": wrong[0][:80], "dataset": given["dataset"]}
            raise Invalid(Fault("fields" if wrong[0] in given["fields"] else "key", "sharing.no_such_field", values))
        if given["grant"] is not None:
            grant = store.GRANTS.find(tx.session, given["grant"])
            if grant is None or grant.holder not in holder_names(caller) or grant.dataset != given["dataset"]:
                raise NotFound(kind="grant", name=given["grant"][:80])
        days = self._terms.rule(given["dataset"], spec.owner).days["objection_days"]
        objection = Objection(
            number=f"Y{self._terms.today():%Y%m%d}{next_value(tx.session, 'sharing.objection'):06}",
            version=1,
            state="open",
            owner=spec.owner,
            reporter=caller.person or caller.actor.id,
            organisation=caller.organisation,
            filed_at=tx.now_text,
            due=self._terms.due(days),
            missed=0,
            **given,
        )
        return OBJECTIONS.begin(tx, objection, "file")

    def step(self, tx: Transaction, caller: Caller, number: str, seen: int, action: str, answer: str) -> Objection:
        """Check, extend (once), correct or reject by the owner; withdraw by the reporter. Raises Moved, NotPossible, Invalid."""
        objection = self.get(tx.session, caller, number)
        possible = [each for each in cases.possible(cases.OBJECTION, objection.state) if each not in ("ticket", "miss")]
        if action not in possible:
            raise OBJECTIONS.refuse(objection, action, possible)
        if action == "withdraw":
            if objection.reporter != (caller.person or caller.actor.id):
                raise NotFound(kind="objection", name=number)
        else:
            require(caller, "objection:decide", objection.owner)
        OBJECTIONS.seen(objection, seen)
        if action in _ANSWERED and not answer.strip():
            raise Invalid.field("answer", "field.missing")
        changed: dict[str, Any] = {"answer": answer or objection.answer}
        if action == "extend":
            if any(row["action"] == "extend" for row in store.history(tx.session, number)):
                raise OBJECTIONS.refuse(objection, action, [each for each in possible if each != "extend"])
            days = self._terms.rule(objection.dataset, objection.owner).days["objection_days"]
            changed |= {"due": self._terms.due(days), "missed": 0}
        if action in ("correct", "reject", "withdraw"):
            changed["closed_at"] = tx.now_text
        return OBJECTIONS.move(tx, objection, cases.objection_after(objection, action, changed), action)

    def get(self, session: Session, caller: Caller, number: str) -> Objection:
        """An objection that a caller may see: its reporter, the owner, and who supervises sharing. Raises NotFound."""
        found = store.OBJECTIONS.find(session, number)
        if found is None or not sees(caller, found):
            raise NotFound(kind="objection", name=number[:80])
        return found

    def ticketed(self, tx: Transaction, event: DeliveredEvent) -> None:
        """A quality ticket was opened for an objection: whoever tells of one names the objection in `objection`."""
        number = event.data.get("objection")
        objection = store.OBJECTIONS.find(tx.session, number) if isinstance(number, str) else None
        if objection is not None and objection.ticket is None and "ticket" in cases.possible(cases.OBJECTION, objection.state):
            after = cases.objection_after(objection, "ticket", {"ticket": event.subject})
            OBJECTIONS.move(tx, objection, after, "ticket", event.subject)

    def miss(self, tx: Transaction, objection: Objection) -> Objection:
        """Note that an answer is overdue, once."""
        return OBJECTIONS.move(tx, objection, replace(objection, version=objection.version + 1, missed=1), "miss")


def sees(caller: Caller, objection: Objection) -> bool:
    """Whether a caller may see an objection."""
    return (
        objection.reporter == (caller.person or caller.actor.id)
        or caller.allowed("objection:decide", objection.owner)
        or caller.allowed("sharing:supervise")
    )
