"""Offers the device ledger, watches devices, looks after commands, and holds the ledger of devices against the evidence."""

import asyncio

from mumian.foundation.devices import store
from mumian.foundation.devices.api import Devices
from mumian.foundation.devices.service.evidence import faults
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.background import Loop
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

_REFRESH_SECONDS = 1.0


class Following:
    """Keeps the guard at the doors of sensing up to date with what other processes change."""

    name = "devices guard"

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._loop = Loop(self.name, devices.platform.clock, self.settle, _REFRESH_SECONDS)

    async def start(self) -> None:
        """Stand at the doors of sensing, and know all tokens before the first request."""
        sensing = self._devices.platform.get(Sensing)
        sensing.guard(self._devices.guard.check)
        sensing.tasks, sensing.topics = self._devices.tasking, self._devices.delivery
        await self.settle()
        self._loop.start()

    async def stop(self) -> None:
        """Stop following."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Read what changed."""
        await asyncio.to_thread(self._devices.guard.refresh)
        return False


def _place_declared(devices: Devices, tx: Transaction) -> None:
    """Find the districts of declared devices, whose declarations may have come before those of the boundaries."""
    for device, _ in store.page(tx.session, {"origin": "declaration"}, "", 10_000):
        after = devices.lives.placed(device)
        if after.district != device.district and device.state != "retired":
            devices.lives.locate(tx, device)


def register(platform: Platform) -> None:
    """Offer `Devices`."""
    devices = Devices(platform)
    platform.provide(Devices, devices)
    platform.background(Following(devices))
    platform.background(devices.presence)
    platform.background(devices.commands)
    platform.background(devices.delivery)
    platform.get(EvidenceChecks).add("foundation.devices", faults)

    def applied(tx: Transaction, event: DeliveredEvent) -> None:
        if any(change["kind"] in ("Device", "City", "Layer") for change in event.data["changes"]):
            _place_declared(devices, tx)
        changed = {change["name"] for change in event.data["changes"] if change["kind"] == "DeviceKind"}
        devices.capabilities.refresh(tx, {name: spec for name, spec in devices.lives.kinds().items() if name in changed})

    platform.subscribe("declarations.applied", "devices", applied)
