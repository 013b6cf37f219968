"""Sharing for other components: `platform.get(Sharing)` takes applications, knows grants, and counts and proves their use."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from mumian.elements.protection.api import Answer, Limits
from mumian.elements.sharing.contracts import Application, Decision, Draft, Grant, Proof
from mumian.foundation.identity.api import Caller
from mumian.kernel.unit_of_work import Session, Transaction

__all__ = ["Sharing"]


class Sharing(Protocol):
    """The one way to grants; raises NotFound, Invalid, Conflict, Stale, Forbidden, and QuotaUsed (429)."""

    def apply(self, tx: Transaction, caller: Caller, draft: Draft) -> list[Application]:
        """Send off an application: split by owner and by conditions; what is shared without conditions is granted at once."""
        ...

    def decide(self, tx: Transaction, caller: Caller, number: str, decision: Decision) -> Application:
        """One step with an application, by who may do it; its grants come with it."""
        ...

    def application(self, session: Session, number: str) -> Application:
        """An application by number."""
        ...

    def grant_of(self, session: Session, grant_id: str) -> Grant:
        """A grant by id, whatever its state."""
        ...

    def grants_for(self, session: Session, caller: Caller, dataset: str | None = None) -> list[Grant]:
        """The grants in force that a caller may use, through the own organisation or in person."""
        ...

    def revoke(self, tx: Transaction, caller: Caller, grant_id: str, reason: str) -> Grant:
        """End a grant before its time."""
        ...

    async def query(
        self, caller: Caller, grant_id: str, purpose: str, sql: str, limits: Limits, match: dict[str, Any] | None = None
    ) -> tuple[Answer, Proof]:
        """Ask the gate under a grant: counted, proven, and refused when the quota is used up (QuotaUsed)."""
        ...

    async def use(
        self,
        caller: Caller,
        grant_id: str,
        purpose: str,
        request: bytes,
        work: Callable[[Grant, int | None], Awaitable[tuple[bytes, int]]],
    ) -> tuple[bytes, Proof]:
        """Hand out something under a grant: `work(grant, rows left)` makes the bytes of the answer and says how many rows it has.

        Nothing is handed out when the quota does not allow it: the bytes are only returned once they are counted and proven.
        """
        ...
