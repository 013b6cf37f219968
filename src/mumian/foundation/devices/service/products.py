"""Sensing-data products 物联感知数据产品清单: what streams the devices of each kind and owner offer, how fresh, how shared."""

from dataclasses import dataclass, field

import numpy as np

from mumian.foundation.devices.contracts import Product
from mumian.foundation.devices.models import DeviceKindSpec
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.devices.service.presence import Presence
from mumian.foundation.devices.service.roster import Roster
from mumian.foundation.devices.service.streams import Streams
from mumian.foundation.sensing.api import Sensing, StreamInfo, instant, microseconds
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform

_OFFERING = ("in_service", "maintenance")
_Key = tuple[str, str, str, str, str]


@dataclass
class _Offer:
    devices: set[str] = field(default_factory=set)
    online: set[str] = field(default_factory=set)
    streams: list[StreamInfo] = field(default_factory=list)


class Products:
    """Lists products from the roster in memory; not on the event loop."""

    def __init__(self, platform: Platform, lives: Lives, roster: Roster, streams: Streams, presence: Presence) -> None:
        self._platform = platform
        self._lives = lives
        self._roster = roster
        self._streams = streams
        self._presence = presence

    def listed(self, kind: str | None = None, owner: str | None = None, share: str | None = None) -> list[Product]:
        """One line for each kind, owner, observed property, unit and share type, in that order."""
        self._roster.refresh()
        kinds, sensing = self._lives.kinds(), self._platform.get(Sensing)
        offers: dict[_Key, _Offer] = {}
        entries = self._roster.entries()
        known = self._streams.named(name for entry in entries if entry.state in _OFFERING for name in entry.streams.values())
        for entry in entries:
            if entry.state not in _OFFERING or kind not in (None, entry.kind):
                continue
            shared = entry.share or (kinds[entry.kind].share if entry.kind in kinds else "none")
            if owner not in (None, entry.owner) or share not in (None, shared):
                continue
            for stream in (known[name] for name in entry.streams.values() if name in known):
                key = (entry.kind, entry.owner, stream.observed_property, stream.unit, shared)
                offer = offers.setdefault(key, _Offer())
                offer.devices.add(entry.code)
                offer.streams.append(stream)
                if self._presence.seen(entry.code).state == "online":
                    offer.online.add(entry.code)
        now = microseconds(self._platform.clock.now())
        return [self._product(key, offers[key], kinds, sensing, now) for key in sorted(offers)]

    def _product(self, key: _Key, offer: _Offer, kinds: dict[str, DeviceKindSpec], sensing: Sensing, now: int) -> Product:
        kind, owner, observed, unit, share = key
        declared = self._platform.declarations.get("DeviceKind", kind) if kind in kinds else None
        latest = sensing.latest([stream.id for stream in offer.streams])
        times = dict(zip(latest.streams.tolist(), latest.times.tolist(), strict=True))
        ages = [(now - times[s.id]) / 1e6 for s in offer.streams if s.id in times]
        regular = [s for s in offer.streams if s.frequency_seconds is not None]
        fresh = [s for s in regular if s.id in times and now - times[s.id] <= 2_000_000 * (s.frequency_seconds or 0)]
        frequencies = [s.frequency_seconds for s in regular if s.frequency_seconds is not None]
        return Product(
            kind=kind,
            title=declared.title if declared else {"zh": kind, "en": kind},
            category=kinds[kind].category if kind in kinds else "",
            owner=owner,
            observed_property=observed,
            unit=unit,
            frequency_seconds=int(np.median(frequencies)) if frequencies else None,
            share=share,
            devices=len(offer.devices),
            streams=len(offer.streams),
            online=len(offer.online),
            latest=iso(instant(max(times.values()))) if times else None,
            age_seconds=float(np.median(ages)) if ages else None,
            fresh=len(fresh) / len(regular) if regular else None,
        )
