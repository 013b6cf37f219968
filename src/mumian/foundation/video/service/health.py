"""Health: cameras looked at in turn, and what analysis sees on the way, with events only where a state settles."""

import logging
from datetime import timedelta

import msgspec

from mumian.foundation.video import store
from mumian.foundation.video.contracts import Health, Probe
from mumian.foundation.video.errors import SourceUnavailable
from mumian.foundation.video.events import CameraHealth
from mumian.foundation.video.rules import health as rules
from mumian.foundation.video.service.errands import Errands, installed
from mumian.foundation.video.settings import VideoSettings
from mumian.kernel.background import Loop
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

_log = logging.getLogger("mumian.video")
_REST_SECONDS = 60


class HealthRounds:
    """A background job that probes those cameras next that were not looked at for longest, never one within a minute again."""

    name = "video.health"

    def __init__(self, platform: Platform, errands: Errands, settings: VideoSettings) -> None:
        self._platform = platform
        self._errands = errands
        self._settings = settings
        self._loop = Loop("video.health", platform.clock, self.round, settings.probe_seconds or 3600.0)

    async def start(self) -> None:
        """Begin, unless rounds are switched off or nothing can be decoded here."""
        if self._settings.probe_seconds and installed():
            self._loop.start()

    async def stop(self) -> None:
        """End after the round under way."""
        await self._loop.stop()

    async def settle(self) -> bool:
        """Nothing is due on a stepped clock: cameras live by real time."""
        return False

    async def round(self) -> int:
        """Probe some cameras; returns how many."""
        before = iso(self._platform.clock.now() - timedelta(seconds=_REST_SECONDS))
        codes = await self._platform.records.read(
            lambda session: store.longest_unprobed(session, self._settings.probe_cameras, before)
        )
        return await self.probe(codes)

    async def probe(self, codes: list[str]) -> int:
        """Probe these cameras now; returns how many were looked at."""
        if not codes:
            return 0
        found = await self._platform.records.read(
            lambda session: [(camera, store.secrets(session, camera.code)) for camera in store.cameras(session, codes)]
        )
        orders, probes = [], []
        for camera, sealed in found:
            try:
                orders.append(self._errands.order(camera, sealed))
            except SourceUnavailable as error:
                probes.append(Probe(camera=camera.code, reachable=False, reason=str(error.values["reason"])))
        if orders:
            header, _ = await self._errands.run("probe", {"cameras": orders}, seconds=20.0 * (1 + len(orders) // 8))
            probes += msgspec.convert(header["cameras"], list[Probe])
        await self._platform.records.write(lambda tx: [keep(tx, probe) for probe in probes])
        return len(probes)


def keep(tx: Transaction, probe: Probe) -> Health:
    """Keep what a look at a camera gave, and tell where its state changed for good."""
    known = store.health(tx.session, probe.camera) or rules.unknown(probe.camera, tx.now_text)
    after = rules.after(known, probe, tx.now_text)
    store.put_health(tx.session, after)
    if after.state != known.state:
        tell(tx, known, after)
    return after


def settle(tx: Transaction, camera: str, state: str, reason: str) -> None:
    """Set a state that analysis found (tampered), whatever single looks say."""
    known = store.health(tx.session, camera) or rules.unknown(camera, tx.now_text)
    if known.state == state:
        return
    after = msgspec.structs.replace(known, state=state, reason=reason, since=tx.now_text, checked=tx.now_text, successes=0)
    store.put_health(tx.session, after)
    tell(tx, known, after)


def tell(tx: Transaction, before: Health, after: Health) -> None:
    """Show a settled state on the camera and emit it."""
    camera = store.camera(tx.session, after.camera)
    store.set_health(tx.session, after.camera, after.state, tx.now_text)
    owner = camera.owner if camera is not None else None
    tx.emit(CameraHealth(subject=after.camera, before=before.state, state=after.state, reason=after.reason, owner=owner))


def of(session: Session, camera: str, now: str) -> Health:
    """The health of a camera, unknown where nobody looked."""
    return store.health(session, camera) or rules.unknown(camera, now)
