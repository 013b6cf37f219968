"""Granting: approved applications become grants, which are prolonged, suspended, revoked, and end by themselves."""

from datetime import datetime, timedelta
from typing import Any

from mumian.elements.sharing import store
from mumian.elements.sharing.contracts import Application, Grant, Item
from mumian.elements.sharing.errors import NoSuchGrant
from mumian.elements.sharing.rules import asking, cases
from mumian.elements.sharing.service.keeping import GRANTS
from mumian.elements.sharing.service.terms import Terms
from mumian.foundation.identity.api import Caller, require
from mumian.kernel.clock import iso
from mumian.kernel.errors import Forbidden, Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_OWNERS = ("suspend", "resume", "revoke")


class Granting:
    """Works in the caller's transaction; `changed` is called when a grant of this process moved."""

    def __init__(self, platform: Platform, terms: Terms) -> None:
        self._platform = platform
        self._terms = terms

    def give(self, tx: Transaction, application: Application) -> tuple[str, ...]:
        """The grants of an application that is granted: new ones, or the one that it renews prolonged."""
        if application.renews is not None:
            return (self._renew(tx, application).id,)
        now = self._platform.clock.now()
        holder = holder_of(application)
        made = []
        for index, item in enumerate(application.items, 1):
            grant = Grant(
                id=f"{application.number}-{index:02}",
                version=1,
                state="active",
                application=application.number,
                dataset=item.dataset,
                owner=application.owner,
                holder=holder,
                channel=application.channel,
                item=self._item(item),
                purpose=application.purpose,
                way=application.way,
                quota=asking.bounded(application.quota, self._terms.rule(item.dataset, application.owner).quota),
                valid_from=iso(now),
                until=iso(now + timedelta(days=application.days)),
            )
            made.append(GRANTS.begin(tx, grant, "grant", application.reason).id)
        return tuple(made)

    def renewable(self, session: Session, grant_id: str, holder: str, items: tuple[Item, ...]) -> Grant:
        """The grant that may be prolonged by such an application; raises Invalid, NotPossible, NoSuchGrant."""
        grant = store.GRANTS.find(session, grant_id)
        if grant is None or grant.holder != holder:
            raise NoSuchGrant(grant=grant_id[:80])
        if "renew" not in cases.possible(cases.GRANT, grant.state):
            raise GRANTS.refuse(grant, "renew", cases.possible(cases.GRANT, grant.state))
        if [item.dataset for item in items] != [grant.dataset]:
            raise Invalid.field("items", "sharing.renew_same", dataset=grant.dataset)
        return grant

    def step(self, tx: Transaction, caller: Caller, grant_id: str, action: str, reason: str) -> Grant:
        """Suspend, resume or revoke, by the owner; the holder may give a grant back (revoke). Raises Forbidden, NotPossible."""
        grant = store.GRANTS.find(tx.session, grant_id)
        if grant is None or not sees(caller, grant):
            raise NoSuchGrant(grant=grant_id[:80])
        if action not in _OWNERS:
            raise Invalid.field("action", "field.choice", expected=", ".join(_OWNERS))
        if not (action == "revoke" and holds(caller, grant)):
            require(caller, "application:decide", grant.owner)
        if not reason.strip():
            raise Invalid.field("reason", "field.missing")
        return self.move(tx, grant, action, reason)

    def move(self, tx: Transaction, grant: Grant, action: str, reason: str, **changed: Any) -> Grant:
        """One step of a grant; raises NotPossible."""
        if action not in cases.possible(cases.GRANT, grant.state):
            raise GRANTS.refuse(grant, action, cases.possible(cases.GRANT, grant.state))
        after = cases.grant_after(grant, action, {"reason": reason, **changed})
        return GRANTS.move(tx, grant, after, action, reason)

    def _renew(self, tx: Transaction, application: Application) -> Grant:
        assert application.renews is not None
        grant = self.renewable(tx.session, application.renews, holder_of(application), application.items)
        start = max(self._platform.clock.now(), datetime.fromisoformat(grant.until))
        item = self._item(application.items[0])
        ceiling = self._terms.rule(item.dataset, application.owner).quota
        return self.move(
            tx,
            grant,
            "renew",
            application.reason,
            until=iso(start + timedelta(days=application.days)),
            item=item,
            quota=asking.bounded(application.quota, ceiling),
            purpose=application.purpose,
            way=application.way,
        )

    def _item(self, item: Item) -> Item:
        """What is granted of a dataset: fields that only go out as tokens do so, whatever was asked for."""
        spec = self._terms.dataset(item.dataset)
        names = item.fields or tuple(field.name for field in spec.fields)
        only = [name for name in self._terms.rule(item.dataset, spec.owner).tokens if name in names and name not in item.tokens]
        return Item(
            dataset=item.dataset,
            fields=item.fields,
            reasons=item.reasons,
            plain=tuple(name for name in item.plain if name not in only),
            lookup=item.lookup,
            tokens=(*item.tokens, *only),
            rows=item.rows,
        )


def holder_of(application: Application) -> str:
    """Who holds what comes of an application: the organisation, or where there is none the person."""
    return application.organisation or f"person:{application.applicant}"


def holder_names(caller: Caller) -> tuple[str, ...]:
    """The names under which a caller holds grants."""
    names = [] if caller.organisation is None else [caller.organisation]
    person = caller.person or caller.actor.id
    return (*names, f"person:{person}") if not caller.anonymous else ()


def holds(caller: Caller, grant: Grant) -> bool:
    """Whether a caller may use a grant."""
    return grant.holder in holder_names(caller)


def sees(caller: Caller, grant: Grant) -> bool:
    """Whether a caller may know of a grant: its holder, its owner's deciders, and who supervises sharing."""
    return holds(caller, grant) or caller.allowed("application:decide", grant.owner) or caller.allowed("sharing:supervise")


def refuse_foreign(caller: Caller, action: str) -> Forbidden:
    """The error that only an applicant may do this."""
    return Forbidden(action=action, caller=caller.actor.id)
