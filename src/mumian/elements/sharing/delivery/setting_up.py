"""Setting up deliveries: who holds a grant says where its rows go; stopping them and setting them going again."""

import re
from typing import Any

from mumian.elements.sharing import store
from mumian.elements.sharing.contracts import Delivery, Grant
from mumian.elements.sharing.delivery.addresses import parts
from mumian.elements.sharing.errors import NoSuchGrant, OtherWay
from mumian.elements.sharing.rules import cases
from mumian.elements.sharing.service.granting import holds, sees
from mumian.elements.sharing.service.keeping import DELIVERIES
from mumian.elements.sharing.service.terms import Terms
from mumian.foundation.identity.api import Caller
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction, next_value

_WAYS = {"push": "push", "webhook": "events"}
_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class SettingUp:
    """Works in the caller's transaction."""

    def __init__(self, platform: Platform, terms: Terms) -> None:
        self._platform = platform
        self._terms = terms

    def make(self, tx: Transaction, caller: Caller, grant_id: str, way: str, address: str, place: str) -> Delivery:
        """Deliver a grant's rows from now on, those that are there first; raises NoSuchGrant, OtherWay, Invalid."""
        grant = self._held(tx.session, caller, grant_id)
        if grant.way != _WAYS[way]:
            raise OtherWay.field("way", "sharing.way", way=grant.way)
        if way == "push":
            self._target(grant, address, place)
        else:
            parts(address)
        delivery = Delivery(
            number=f"D{self._terms.today():%Y%m%d}{next_value(tx.session, 'sharing.delivery'):06}",
            version=1,
            state="active",
            grant=grant.id,
            dataset=grant.dataset,
            owner=grant.owner,
            holder=grant.holder,
            way=way,
            address=address,
            place=place,
            made_by=caller.person or caller.actor.id,
            position=0,
            trying=0,
            load=0,
            rows_sent=0,
            attempts=0,
            next_at=tx.now_text,
        )
        return DELIVERIES.begin(tx, delivery, "make")

    def step(self, tx: Transaction, caller: Caller, number: str, action: str) -> Delivery:
        """Stop a delivery, or start one that stopped or was given up; raises NotFound, NotPossible."""
        delivery = DELIVERIES.get(tx.session, number)
        try:
            self._held(tx.session, caller, delivery.grant)
        except NoSuchGrant:
            raise NotFound(kind="delivery", name=number[:80]) from None
        possible = [each for each in cases.possible(cases.DELIVERY, delivery.state) if each in ("start", "stop")]
        if action not in possible:
            raise DELIVERIES.refuse(delivery, action, possible)
        changed: dict[str, Any] = {"next_at": None}
        if action == "start":
            changed = {"next_at": tx.now_text, "attempts": 0, "error": ""}
        return DELIVERIES.move(tx, delivery, cases.delivery_after(delivery, action, changed), action)

    @staticmethod
    def list(session: Session, caller: Caller, grant_id: str) -> list[Delivery]:
        """The deliveries of a grant that a caller may know of; raises NoSuchGrant."""
        grant = store.GRANTS.find(session, grant_id)
        if grant is None or not sees(caller, grant):
            raise NoSuchGrant(grant=grant_id[:80])
        return store.DELIVERIES.page(session, {"grant_id": grant_id}, 1000)

    @staticmethod
    def _held(session: Session, caller: Caller, grant_id: str) -> Grant:
        grant = store.GRANTS.find(session, grant_id)
        if grant is None or not holds(caller, grant):
            raise NoSuchGrant(grant=grant_id[:80])
        return grant

    def _target(self, grant: Grant, address: str, place: str) -> None:
        try:
            spec = self._platform.declarations.get("PushTarget", address).spec
        except NotFound:
            spec = None
        if spec is None or spec.holder != grant.holder:
            raise Invalid.field("address", "field.reference", kind="PushTarget", name=address[:80])
        if not _TABLE.fullmatch(place) or place.startswith("mumian_"):
            raise Invalid.field("place", "field.pattern", expected=_TABLE.pattern)
