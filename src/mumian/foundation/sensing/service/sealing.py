"""Sealing: after each change of the lake its files and its catalogue are told by their digests, so no byte changes unseen."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from mumian.foundation.sensing import store
from mumian.foundation.sensing.events import LakeSealed
from mumian.foundation.sensing.service.finder import TABLE
from mumian.foundation.storage.contracts import DataFile, Lake
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction


@dataclass(frozen=True)
class Seal:
    """What changed in the lake since it was last told: files by name, and the digest of the catalogue as it is now."""

    added: tuple[DataFile, ...]
    removed: tuple[str, ...]
    catalogue: str

    def tell(self, tx: Transaction) -> None:
        """Write it down and tell: from now on the lake is as it should be."""
        added = [{"name": Path(f.path).name, "bytes": f.bytes, "sha256": f.sha256} for f in self.added]
        store.keep_files(tx, [Path(f.path).name for f in self.added], self.removed)
        tx.emit(LakeSealed(subject=TABLE.name, added=added, removed=list(self.removed), catalogue=self.catalogue))


class Sealing:
    """Looks at what became of the lake; to be used while nothing else is written to it."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def announce(self) -> None:
        """Remember that the lake is about to change: until a seal is told, it may differ from the last one."""
        await self._platform.records.write(store.expect_seal)

    async def look(self) -> Seal:
        """Compare the lake with what was told of it last; only new files are read."""
        told = set(await self._platform.records.read(store.told_files))
        return await asyncio.to_thread(self._look, told)

    async def seal(self) -> None:
        """Look and tell."""
        seal = await self.look()
        await self._platform.records.write(seal.tell)

    def _look(self, told: set[str]) -> Seal:
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        files = {Path(file.path).name: file for file in lake.files(TABLE.name, told)}
        added = tuple(file for name, file in files.items() if name not in told)
        return Seal(added, tuple(sorted(told - files.keys())), lake.catalogue_digest())
