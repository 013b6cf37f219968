"""The ledger for other components: `platform.get(Ledger)` reads, signs, proves, verifies and exports.

Every event that a transaction emits is an entry; nothing has to be called for that. What a component keeps outside of its
events (files, states) it lets `platform.get(EvidenceChecks)` look at, and it writes to the lake within `platform.get(LakeSeals)`.
"""

import asyncio
from dataclasses import replace
from typing import Any

from mumian.foundation.cryptography.api import Cryptography, PublicKey
from mumian.foundation.ledger import rules, store
from mumian.foundation.ledger.contracts import Consistency, Entry, EvidenceChecks, Fault, Head, Proof, Report
from mumian.foundation.ledger.errors import NotCovered
from mumian.foundation.ledger.service.bundles import bundle
from mumian.foundation.ledger.service.heads import Heads
from mumian.foundation.ledger.service.lake_evidence import steady
from mumian.foundation.ledger.service.projections import differences, handled
from mumian.foundation.ledger.service.seals import LakeSeals
from mumian.foundation.ledger.service.verification import Verification
from mumian.foundation.ledger.settings import LedgerSettings
from mumian.kernel.errors import NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

__all__ = [
    "Consistency",
    "Entry",
    "EvidenceChecks",
    "Fault",
    "Head",
    "LakeSeals",
    "Ledger",
    "Proof",
    "Report",
    "differences",
    "handled",
    "steady",
]


class Ledger:
    """The evidence log of a city; methods that end in `_now` are for synchronous callers."""

    def __init__(self, platform: Platform, checks: EvidenceChecks, settings: LedgerSettings | None = None) -> None:
        self._records = platform.records
        self._cryptography = platform.get(Cryptography)
        self._checks = checks
        self.heads = Heads(platform.records, platform.clock, self._cryptography, settings or LedgerSettings())

    async def head(self) -> Head:
        """The last signed head; the first one is signed when it is asked for."""
        return await self._records.read(store.head) or await self.heads.sign()

    async def sign(self) -> Head:
        """The head over all entries, signed now if it is not yet; raises LedgerDamaged."""
        return await self.heads.sign()

    def sign_now(self) -> Head:
        """`sign` for synchronous callers."""
        return self.heads.sign_now()

    async def entries(self, after: int = -1, limit: int = 100, subject: str | None = None) -> list[Entry]:
        """Entries after number `after`, of one subject or of all."""
        return await self._records.read(lambda session: store.entries(session, after, limit, subject))

    @staticmethod
    def indices(session: Session, subject: str) -> list[int]:
        """The numbers of all entries about a subject, within a transaction or snapshot of the caller's."""
        return store.indices(session, subject)

    async def proof(self, index: int) -> Proof:
        """That an entry is in the last signed head; raises NotFound, and NotCovered while no head covers it."""
        return await self._records.read(lambda session: _proof(session, index))

    async def consistency(self, first: int, second: int | None = None) -> Consistency:
        """That the first `first` entries begin the first `second` (None: those of the last head); raises NotCovered."""
        return await self._records.read(lambda session: _consistency(session, first, second))

    async def verify(self) -> Report:
        """Compute everything again and report every difference; reads the whole ledger."""
        return await asyncio.to_thread(self.verify_now)

    def verify_now(self) -> Report:
        """`verify` for synchronous callers."""
        try:
            report = self._records.read_now(lambda session: Verification(session, self._cryptography, self._checks).run())
        except Exception as error:
            report = Report(
                0, 0, 0, (), (Fault("records", None, "storage", "records that open", f"{type(error).__name__}: {error}"),)
            )
        engine = tuple(
            Fault("records", None, "integrity", "sound pages", finding) for finding in self._records.integrity_faults()
        )
        return replace(report, faults=report.faults + engine)

    async def export(self, index: int, since: int | None = None) -> dict[str, Any]:
        """The evidence bundle of an entry for tools/verify_ledger.py, under a head of now; raises NotFound, LedgerDamaged."""
        await self.heads.sign()
        return await self._records.read(lambda session: bundle(session, self._cryptography, index, since))

    def export_now(self, index: int, since: int | None = None) -> dict[str, Any]:
        """`export` for synchronous callers."""
        self.heads.sign_now()
        return self._records.read_now(lambda session: bundle(session, self._cryptography, index, since))

    def public_keys(self) -> tuple[PublicKey, ...]:
        """The public keys that heads are signed with."""
        return self._cryptography.public_keys()


def _proof(session: Session, index: int) -> Proof:
    found = store.entries(session, index - 1, 1, None)
    if not found or found[0].index != index:
        raise NotFound(kind="ledger entry", name=str(index))
    head = store.head(session)
    if head is None or head.size <= index:
        raise NotCovered(kind="head", name=str(index), size=0 if head is None else head.size)
    path = rules.inclusion(store.fetch(session), index, head.size)
    return Proof(found[0], tuple(step.hex() for step in path), head)


def _consistency(session: Session, first: int, second: int | None) -> Consistency:
    head = store.head(session)
    size = 0 if head is None else head.size
    end = size if second is None else second
    if not 0 < first <= end <= size:
        raise NotCovered(kind="head", name=f"{first} – {end}", size=size)
    fetch = store.fetch(session)
    roots = [rules.range_hash(fetch, 0, count).hex() for count in (first, end)]
    return Consistency(first, end, roots[0], roots[1], tuple(step.hex() for step in rules.consistency(fetch, first, end)))
