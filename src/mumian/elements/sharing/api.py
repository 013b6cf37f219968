"""Sharing for other components: `platform.get(Sharing)` takes applications, knows grants, and counts and proves their use."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import msgspec

from mumian.elements.protection.api import Answer, Limits
from mumian.elements.sharing import store
from mumian.elements.sharing.contracts import Application, Decision, Draft, Grant, Item, Proof, Quota, Receipt
from mumian.elements.sharing.errors import NoSuchGrant, NotInForce, QuotaUsed
from mumian.elements.sharing.rules import cases
from mumian.elements.sharing.rules.questions import Question
from mumian.elements.sharing.rules.receipts import request_digest
from mumian.elements.sharing.service.applying import Applying
from mumian.elements.sharing.service.demanding import Demanding
from mumian.elements.sharing.service.granting import Granting, holder_names
from mumian.elements.sharing.service.metering.proving import Proving
from mumian.elements.sharing.service.objecting import Objecting
from mumian.elements.sharing.service.reading import Asked, Reading, Writer
from mumian.elements.sharing.service.terms import Terms
from mumian.foundation.identity.api import Caller
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

__all__ = [
    "Application",
    "Asked",
    "Decision",
    "Draft",
    "Grant",
    "Item",
    "NoSuchGrant",
    "NotInForce",
    "Proof",
    "Question",
    "Quota",
    "QuotaUsed",
    "Receipt",
    "Sharing",
    "request_digest",
]
_encoder = msgspec.json.Encoder()


class Sharing:
    """The one way to grants.

    Methods with a transaction or session work in the caller's. They raise NotFound, Invalid, Conflict (Moved when somebody else
    was quicker, NotPossible, NotShared), Forbidden, and QuotaUsed (429) with the seconds until the quota renews.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.terms = Terms(platform)
        self.granting = Granting(platform, self.terms)
        self.applying = Applying(platform, self.terms, self.granting)
        self.objecting = Objecting(platform, self.terms)
        self.demanding = Demanding(platform, self.terms)
        self.proving = Proving(platform, self.terms)
        self.reading = Reading(platform, self.proving)

    def apply(self, tx: Transaction, caller: Caller, draft: Draft) -> list[Application]:
        """Send off an application: split by owner and by conditions; what is shared without conditions is granted at once."""
        return self.applying.apply(tx, caller, draft)

    def decide(self, tx: Transaction, caller: Caller, number: str, decision: Decision) -> Application:
        """One step with an application, by who may take it; its grants come with it."""
        return self.applying.decide(tx, caller, number, decision)

    def application(self, session: Session, caller: Caller, number: str) -> Application:
        """An application that the caller may see; raises NotFound."""
        return self.applying.get(session, caller, number)

    @staticmethod
    def grant_of(session: Session, grant_id: str) -> Grant:
        """A grant by id, whatever its state; raises NoSuchGrant."""
        found = store.GRANTS.find(session, grant_id)
        if found is None:
            raise NoSuchGrant(grant=grant_id[:80])
        return found

    def grants_for(self, session: Session, caller: Caller, dataset: str | None = None) -> list[Grant]:
        """The grants in force that a caller may use, through the own organisation or in person; at most a thousand."""
        wanted = {"holder": holder_names(caller), "dataset": dataset, "state": "active"}
        now = iso(self._platform.clock.now())
        return [grant for grant in store.GRANTS.page(session, wanted, 1000, newest=True) if cases.in_force(grant, now)]

    def revoke(self, tx: Transaction, caller: Caller, grant_id: str, reason: str) -> Grant:
        """End a grant before its time, by its owner, or give it back, by its holder."""
        return self.granting.step(tx, caller, grant_id, "revoke", reason)

    async def query(
        self,
        asked: Asked,
        sql: str,
        limits: Limits,
        write: Callable[[Answer], bytes] | None = None,
        params: Mapping[str, Any] | None = None,
        match: Mapping[str, Any] | None = None,
    ) -> tuple[bytes, Proof]:
        """Ask the gate under a grant; `write` makes the bytes that go out (JSON if not given), which are counted and proven."""
        return await self.reading.query(asked, sql, limits, write or _json, params, match)

    def stream(self, asked: Asked, question: Question, limits: Limits, writer: Writer) -> AsyncIterator[bytes]:
        """A whole answer, batch by batch; `writer(columns, rows)` makes the bytes of each, counted before they are given."""
        return self.reading.stream(asked, question, limits, writer)

    async def use(self, asked: Asked, work: Callable[[Grant, int | None], Awaitable[tuple[bytes, int]]]) -> tuple[bytes, Proof]:
        """Hand out something else under a grant: `work(grant, rows left)` makes the bytes of the answer and counts its rows.

        The bytes are only returned once they are counted and proven; nothing goes out when the quota does not allow it.
        """
        return await self.reading.hand_out(asked, work)


def _json(answer: Answer) -> bytes:
    columns = [{"name": column.name, "type": column.type} for column in answer.columns]
    return _encoder.encode({"columns": columns, "rows": answer.rows, "truncated": answer.truncated})
