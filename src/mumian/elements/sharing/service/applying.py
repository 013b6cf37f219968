"""Applying 共享申请: sent off once for datasets of any owners, split by owner, and led from step to step to its end."""

from dataclasses import replace as with_changes
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from mumian.elements.sharing import store
from mumian.elements.sharing.contracts import Application, Decision, Draft, Item
from mumian.elements.sharing.errors import NotShared, OwnApplication
from mumian.elements.sharing.rules import applications, asking
from mumian.elements.sharing.service.checking import Checking
from mumian.elements.sharing.service.granting import Granting, holder_names
from mumian.elements.sharing.service.keeping import APPLICATIONS
from mumian.elements.sharing.service.terms import Rule, Terms
from mumian.foundation.identity.api import Caller, require
from mumian.kernel.errors import Fault, Invalid, NotFound, Unauthenticated
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import SYSTEM, Session, Transaction, next_value

_DUE = {"submitted": "answer_days", "approved": "bureau_days", "disputed": "bureau_days", "returned": "supply_days"}


class Applying:
    """Works in the caller's transaction."""

    def __init__(self, platform: Platform, terms: Terms, granting: Granting) -> None:
        self._platform = platform
        self._terms = terms
        self._granting = granting
        self._checking = Checking(platform, terms)

    def apply(self, tx: Transaction, caller: Caller, draft: Draft) -> list[Application]:
        """Send off an application; raises Invalid with every fault, NotShared, NotFound, Forbidden.

        Whether the public may ask for what is opened on conditions is for the opening of data to say.
        """
        if draft.channel == "sharing":
            require(caller, "application:make")
        elif caller.anonymous:
            raise Unauthenticated
        self._checking.draft(tx.session, caller, draft)
        person = caller.person or caller.actor.id
        organisation = caller.organisation if draft.channel == "sharing" else None
        if draft.renews is not None:
            holder = organisation or f"person:{person}"
            self._granting.renewable(tx.session, draft.renews, holder, draft.items)
        parts = self._parts(tx.session, draft)
        batch = f"S{self._terms.today():%Y%m%d}{next_value(tx.session, 'sharing.application'):06}"
        made = []
        for index, ((owner, access), items) in enumerate(parts, 1):
            given = (f"{batch}-{index:02}", batch, person, organisation, owner, access)
            application = self._submitted(tx, draft, items, given)
            APPLICATIONS.begin(tx, application, "apply")
            made.append(self._at_once(tx, application) if access == "unconditional" else application)
        return made

    def decide(self, tx: Transaction, caller: Caller, number: str, decision: Decision) -> Application:
        """One step, by who may take it; raises NotFound, Moved, NotPossible, OwnApplication, Forbidden, Invalid."""
        application = self.get(tx.session, caller, number)
        step = applications.transition(application, decision.action)
        if step is None or step.by == "system":
            raise APPLICATIONS.refuse(application, decision.action, [action for action, _ in applications.allowed(application)])
        self._entitled(caller, application, step.by)
        APPLICATIONS.seen(application, decision.seen)
        _explained(decision)
        terms = self._given(application, decision)
        items = self._items(tx.session, application, decision)
        return self._step(tx, application, with_changes(decision, items=items), step.by, terms)

    def get(self, session: Session, caller: Caller, number: str) -> Application:
        """An application that a caller may see; raises NotFound."""
        application = store.APPLICATIONS.find(session, number)
        if application is None or not self.sees(caller, application):
            raise NotFound(kind="application", name=number[:80])
        return application

    def sees(self, caller: Caller, application: Application) -> bool:
        """The applicant's side, the owner's and the bureau's see an application, and who supervises sharing."""
        return (
            applies(caller, application)
            or caller.allowed("application:decide", application.owner)
            or (application.bureau is not None and caller.allowed("application:settle", application.bureau))
            or caller.allowed("sharing:supervise")
        )

    def lapse(self, tx: Transaction, application: Application) -> Application:
        """End what was returned and never supplied."""
        return self._step(tx, application, Decision("lapse", application.version), "system", {})

    def miss(self, tx: Transaction, application: Application) -> Application:
        """Note that an answer is overdue, once for each deadline."""
        after = replace(application, version=application.version + 1, missed=1)
        return APPLICATIONS.move(tx, application, after, "miss")

    def _submitted(
        self, tx: Transaction, draft: Draft, items: list[Item], given: tuple[str, str, str, str | None, str, str]
    ) -> Application:
        """One part of what is sent off, as it comes to the owner of its datasets."""
        number, batch, person, organisation, owner, access = given
        rules = [self._terms.rule(item.dataset, owner) for item in items]
        due = self._terms.due(min(rule.days["answer_days"] for rule in rules))
        return Application(
            number=number,
            batch=batch,
            version=1,
            state="submitted",
            stage="owner",
            applicant=person,
            organisation=organisation,
            owner=owner,
            bureau=next((rule.bureau for rule in rules if rule.bureau is not None), None),
            review=self._reviewed(tx.session, items, rules, draft.channel),
            channel=draft.channel,
            access=access,
            items=tuple(items),
            purpose=draft.purpose,
            use=draft.use,
            basis=draft.basis,
            days=min(draft.days, *(rule.longest_days for rule in rules)),
            way=draft.way,
            frequency=draft.frequency,
            quota=draft.quota,
            renews=draft.renews,
            applied_at=tx.now_text,
            due=due,
            first_due=due,
            missed=0,
        )

    def _at_once(self, tx: Transaction, application: Application) -> Application:
        decision = Decision("approve", application.version)
        return self._step(tx, replace(application, review=False), decision, "owner", {}, SYSTEM.id)

    def _step(
        self, tx: Transaction, before: Application, decision: Decision, by: str, terms: dict[str, Any], actor: str | None = None
    ) -> Application:
        state = applications.target(before, decision.action)
        due = self._due(before, state) if state in applications.OPEN else None
        step = applications.Step(
            decision.action,
            by,
            actor or tx.actor.id,
            tx.now_text,
            due,
            decision.reason,
            decision.basis,
            decision.items,
            terms,
        )
        after = applications.after(before, step)
        if state == "granted":
            after = replace(after, grants=self._granting.give(tx, after))
        return APPLICATIONS.move(tx, before, after, decision.action, decision.reason)

    def _due(self, application: Application, state: str) -> str:
        days = (self._terms.rule(item.dataset, application.owner).days[_DUE[state]] for item in application.items)
        return self._terms.due(min(days))

    def _entitled(self, caller: Caller, application: Application, by: str) -> None:
        if by == "applicant":
            if not applies(caller, application):
                raise NotFound(kind="application", name=application.number)
            return
        if (caller.person or caller.actor.id) == application.applicant:
            raise OwnApplication(action="application:decide")
        if by == "bureau":
            require(caller, "application:settle", application.bureau)
        else:
            require(caller, "application:decide", application.owner)

    def _given(self, application: Application, decision: Decision) -> dict[str, Any]:
        """The terms that a decider changes: fewer days, a smaller quota."""
        if decision.action not in applications.GIVING:
            return {}
        terms: dict[str, Any] = {}
        if decision.days is not None:
            if not 1 <= decision.days <= application.days:
                raise Invalid.field("days", "field.range", expected=f"1 – {application.days}")
            terms["days"] = decision.days
        if decision.quota is not None:
            terms["quota"] = asking.bounded(decision.quota, application.quota)
        return terms

    def _items(self, session: Session, application: Application, decision: Decision) -> tuple[Item, ...] | None:
        given = decision.items
        if decision.action == "supply" and given is not None:
            if not {item.dataset for item in given} <= {item.dataset for item in application.items} or not given:
                raise Invalid.field("items", "sharing.not_asked", name=", ".join(item.dataset for item in given)[:200])
            self._checking.items(session, given, application.purpose, application.channel)
            return given
        if decision.action not in applications.GIVING or given is None:
            return None
        faults = [*asking.narrowed(application.items, given)]
        if faults:
            raise Invalid(*faults)
        before = {item.dataset: item for item in application.items}
        joined = tuple(replace(item, rows=asking.together(before[item.dataset].rows, item.rows)) for item in given)
        self._checking.given(session, joined, application.channel)
        return joined

    def _parts(self, session: Session, draft: Draft) -> list[tuple[tuple[str, str], list[Item]]]:
        """The items by owner and access: what needs a decision apart from what does not."""
        placed = []
        for item in draft.items:
            spec = self._terms.dataset(item.dataset)
            access = spec.share if draft.channel == "sharing" else spec.opened
            if access == "none":
                basis = self._terms.rule(item.dataset, spec.owner).refusal_basis
                raise NotShared(dataset=item.dataset, basis=basis or "–")
            decided = access == "conditional" or item.plain or item.lookup
            placed.append((spec.owner, "conditional" if decided else "unconditional", item))
        placed.sort(key=lambda one: one[:2])
        return [(key, [item for *_, item in group]) for key, group in groupby(placed, key=lambda one: (one[0], one[1]))]

    def _reviewed(self, session: Session, items: list[Item], rules: list[Rule], channel: str) -> bool:
        if not any(rule.bureau for rule in rules):
            return False
        if any(rule.review == "always" for rule in rules):
            return True
        for item, rule in zip(items, rules, strict=True):
            labelled = self._terms.offered(session, item.dataset, channel).labelled
            if rule.review == "labelled" and labelled & set(item.fields or labelled):
                return True
        return False


def applies(caller: Caller, application: Application) -> bool:
    """Whether a caller is on the applicant's side."""
    names = holder_names(caller)
    return f"person:{application.applicant}" in names or (
        application.organisation is not None and application.organisation in names
    )


def _explained(decision: Decision) -> None:
    faults = []
    if decision.action in applications.REASONED and not decision.reason.strip():
        faults.append(Fault("reason", "field.missing", {}))
    if decision.action in applications.BASED and not decision.basis.strip():
        faults.append(Fault("basis", "sharing.basis_missing", {}))
    if faults:
        raise Invalid(*faults)
