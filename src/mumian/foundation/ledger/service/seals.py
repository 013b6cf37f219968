"""Seals of the lake: after each change its files and its catalogue are told by their digests, so no byte changes unseen."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mumian.foundation.ledger import store
from mumian.foundation.ledger.events import LakeSealed
from mumian.foundation.storage.contracts import Lake, Table
from mumian.kernel.errors import Unavailable
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

_log = logging.getLogger("mumian.ledger")


@dataclass(frozen=True)
class Seal:
    """What changed in the lake since it was last told: files, and the digest of the catalogue as it is now."""

    added: tuple[dict[str, Any], ...]
    removed: tuple[str, ...]
    catalogue: str

    def tell(self, tx: Transaction, subject: str) -> None:
        """Write it down, and tell if anything changed: from now on the lake is as it should be."""
        if self.added or self.removed or self.catalogue != store.told_catalogue(tx.session):
            tx.emit(LakeSealed(subject=subject, added=list(self.added), removed=list(self.removed), catalogue=self.catalogue))
        store.keep_seal(tx, [file["name"] for file in self.added], self.removed, self.catalogue)


class Writing:
    """A change of the lake under way; it ends with a seal, told by itself or by `tell` together with other work."""

    def __init__(self, seals: "LakeSeals", subject: str) -> None:
        self._seals = seals
        self._subject = subject
        self.told = False

    async def tell(self, work: Callable[[Transaction], None] | None = None) -> None:
        """Seal the lake, and do `work` in the same commit. When this raises, the seal is told with the next change."""
        self.told = True
        seal = await self._seals.look()

        def both(tx: Transaction) -> None:
            if work is not None:
                work(tx)
            seal.tell(tx, self._subject)

        await self._seals.records.write(both)


class LakeSeals:
    """`platform.get(LakeSeals)`: whoever writes to the lake does so within `writing`, one at a time."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.records = platform.records
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def writing(self, subject: str) -> AsyncIterator[Writing]:
        """Wait for other writers, remember durably that the lake is about to change, and seal it when the block ends.

        Until a seal is told the lake may differ from the last one, and a verification does not hold that against it.
        """
        async with self._lock:
            await self.records.write(store.expect_seal)
            change = Writing(self, subject)
            try:
                yield change
            finally:
                if not change.told:
                    await self._tell(change)

    async def create(self, table: Table) -> bool:
        """Create the table in the lake, or add the columns that it lacks; True if it is new, and so empty."""
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        if await asyncio.to_thread(lake.has, table):
            return False
        async with self.writing(table.name):
            return await asyncio.to_thread(lake.create, table)

    async def look(self) -> Seal:
        """Compare the lake with what was told of it last; only new files are read. For who holds `writing`."""
        told = set(await self.records.read(store.told_files))
        return await asyncio.to_thread(self._look, told)

    def _look(self, told: set[str]) -> Seal:
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        held: dict[str, dict[str, Any]] = {}
        for table in lake.tables():
            for file in lake.files(table, told):
                name = Path(file.path).name
                held[name] = {"table": table, "name": name, "bytes": file.bytes, "sha256": file.sha256}
        added = tuple(facts for name, facts in held.items() if name not in told)
        return Seal(added, tuple(sorted(told - held.keys())), lake.catalogue_digest())

    @staticmethod
    async def _tell(change: Writing) -> None:
        try:
            await change.tell()
        except Unavailable as error:
            _log.warning("what became of the lake is told later: %s", error)
