"""Platform: what every component is given — settings, clock, records, declarations, bus — and where it puts what it offers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from mumian.kernel.background import Loop
from mumian.kernel.bus import Bus, Handler
from mumian.kernel.clock import Clock
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import MissingPort
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Records

T = TypeVar("T")
_REFRESH_SECONDS = 1.0  # another process on the same records may apply declarations


class Background(Protocol):
    """Work that goes on beside requests."""

    name: str

    async def start(self) -> None:
        """Begin; must return at once."""
        ...

    async def stop(self) -> None:
        """Finish what is under way and end."""
        ...

    async def settle(self) -> bool:
        """Do all work that is due now on the platform's clock; True if anything was done."""
        ...


class _Bus(Bus):
    """A bus whose handlers meet the declarations that the events speak of, whichever process applied them."""

    def __init__(self, records: Records, clock: Clock, declarations: Declarations) -> None:
        self._declarations = declarations
        super().__init__(records, clock)

    async def settle(self) -> bool:
        """Catch up with the declarations, then deliver all that is waiting."""
        await self._declarations.refresh()
        return await super().settle()


class Platform:
    """One running city."""

    def __init__(self, settings: Settings, clock: Clock, records: Records, declarations: Declarations) -> None:
        self.settings = settings
        self.clock = clock
        self.records = records
        self.declarations = declarations
        self.bus: Bus = _Bus(records, clock, declarations)
        self.home: Path = settings.home
        self.jobs: list[Background] = []
        self.registered: list[Callable[[], None]] = []
        self.closers: list[Callable[[], None]] = []
        self._ports: dict[type[Any], Any] = {}
        self._refreshes = Loop("declarations", clock, declarations.refresh, _REFRESH_SECONDS)

    def provide(self, port: type[T], instance: T) -> None:
        """Offer `instance` to whoever asks for `port`."""
        self._ports[port] = instance

    def get(self, port: type[T]) -> T:
        """What was provided for `port`; raises MissingPort."""
        try:
            return cast(T, self._ports[port])
        except KeyError:
            raise MissingPort(port=port.__name__) from None

    def offers(self, port: type[Any]) -> bool:
        """Whether anything was provided for `port`."""
        return port in self._ports

    def subscribe(self, type_: str, consumer: str, handler: Handler) -> None:
        """Handle events of `type_` after their commit, once in effect."""
        self.bus.subscribe(type_, consumer, handler)

    def afterwards(self, work: Callable[[], None]) -> None:
        """Do `work` once all components have registered: what needs another component's port, whatever their names."""
        self.registered.append(work)

    def background(self, job: Background) -> None:
        """Start and stop `job` with the platform."""
        self.jobs.append(job)

    async def start(self) -> None:
        """Start all background work, then deliveries."""
        self._refreshes.start()
        for job in self.jobs:
            await job.start()
        await self.bus.start()

    async def stop(self) -> None:
        """Stop deliveries and background work, in the reverse order, then let go of the stores."""
        await self.bus.stop()
        for job in reversed(self.jobs):
            await job.stop()
        await self._refreshes.stop()
        for close in reversed(self.closers):
            close()
        self.records.close()

    async def settle(self) -> None:
        """Do everything that is due now, until nothing is left to do: the city stands still afterwards."""
        await self.declarations.refresh()
        busy = True
        while busy:
            busy = False
            for job in self.jobs:
                busy = await job.settle() or busy
            busy = await self.bus.settle() or busy
