"""Refusals: publishes that could not be taken are kept with the reason, since MQTT 3.1.1 has no word for "no"."""

from typing import Any

from mumian.foundation.sensing.mqtt import store
from mumian.foundation.sensing.mqtt.entries import Entry
from mumian.kernel.clock import iso
from mumian.kernel.i18n import describe
from mumian.kernel.platform import Platform

_AT_ONCE = 100
_PAYLOAD = 2000


class Refusals:
    """Keeps the newest refusals in the records."""

    def __init__(self, platform: Platform, most: int) -> None:
        self._platform = platform
        self._most = most

    async def keep(self, entries: list[Entry]) -> None:
        """Keep the first of these, each with its reason; of a flood only a part is kept."""
        time = iso(self._platform.clock.now())
        rows = [_row(entry, time) for entry in entries[:_AT_ONCE]]
        await self._platform.records.write(lambda tx: store.keep_refusals(tx, rows, self._most))


def _row(entry: Entry, time: str) -> dict[str, Any]:
    assert entry.error is not None
    return {
        "time": time,
        "actor": entry.sender.caller.actor.id if entry.sender.caller is not None else "mqtt",
        "client": entry.sender.client[:200],
        "topic": entry.topic[:500],
        "payload": entry.payload[:_PAYLOAD].decode("utf-8", "replace").replace("\x00", "�"),
        "reason_zh": describe(entry.error, "zh")[:2000],
        "reason_en": describe(entry.error, "en")[:2000],
    }
