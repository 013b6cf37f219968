"""Counting: how often data are used, by dataset, day and way; of whom nothing is kept, and a use costs no write of its own."""

from collections import Counter
from typing import Any

from mumian.elements.opening.events import Used
from mumian.elements.opening.store import usage
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

_PAUSE = 15.0


class Counting:
    """Uses gather in memory and are told every 15 seconds; those of the last seconds are lost if the process is killed."""

    name = "elements.opening.counting"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._waiting: Counter[tuple[str, str, str]] = Counter()
        self._loop = Loop(self.name, platform.clock, self.settle, _PAUSE)

    def count(self, dataset: str, way: str) -> None:
        """A dataset was used in a way: csv, api, preview …"""
        self._waiting[dataset, iso(self._platform.clock.now())[:10], way] += 1

    async def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """Tell what is left."""
        await self._loop.stop()
        await self.settle()

    async def settle(self) -> bool:
        """Tell what has gathered."""
        waiting, self._waiting = self._waiting, Counter()
        if not waiting:
            return False
        try:
            await self._platform.records.write(lambda tx: _tell(tx, waiting))
        except BaseException:
            self._waiting.update(waiting)
            raise
        return True


def _tell(tx: Transaction, waiting: Counter[tuple[str, str, str]]) -> None:
    by_dataset: dict[str, Counter[str]] = {}
    for (dataset, day, way), number in waiting.items():
        usage.add(tx, dataset, day, way, number)
        by_dataset.setdefault(dataset, Counter())[way] += number
    for dataset, ways in by_dataset.items():
        told: dict[str, Any] = dict(sorted(ways.items()))
        tx.emit(Used(subject=dataset, count=ways.total(), ways=told))
