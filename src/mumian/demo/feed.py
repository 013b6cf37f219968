"""The feed: posts each hour's observations to the SensorThings face, as a gateway of devices would."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx

from mumian.demo.accounts import Account
from mumian.demo.errors import BadReplay
from mumian.demo.replay import Replay
from mumian.kernel.errors import Fault

Hour = tuple[datetime, tuple[float | None, ...]]


class Feed:
    """Knows the ids of the streams, and how to say observations in the words of OGC SensorThings 1.1."""

    def __init__(self, http: httpx.AsyncClient, device: Account, replay: Replay) -> None:
        self._http = http
        self._device = device
        self._replay = replay
        self._ids: dict[str, int] = {}

    async def open(self) -> None:
        """Find the streams' ids; raises BadReplay when the city does not have one of them."""
        answer = await self._http.get("/api/v1/foundation/sensing/streams", params={"limit": 1000}, headers=self._device.headers)
        answer.raise_for_status()
        self._ids = {item["name"]: item["id"] for item in answer.json()["items"]}
        missing = [name for name in self._replay.streams if name not in self._ids]
        if missing:
            raise BadReplay(*(Fault("streams", "field.reference", {"kind": "Stream", "name": name}) for name in missing))

    async def post(self, hours: Sequence[Hour]) -> int:
        """Deliver some hours in one CreateObservations request; returns how many observations were acknowledged."""
        if not hours:
            return 0
        answer = await self._http.post("/sta/v1.1/CreateObservations", json=self._body(hours), headers=self._device.headers)
        answer.raise_for_status()
        return sum(link != "error" for link in answer.json())

    def _body(self, hours: Sequence[Hour]) -> list[dict[str, Any]]:
        return [
            {
                "Datastream": {"@iot.id": self._ids[name]},
                "components": ["phenomenonTime", "result"],
                "dataArray@iot.count": len(hours),
                "dataArray": [[time.strftime("%Y-%m-%dT%H:%M:%SZ"), row[column]] for time, row in hours],
            }
            for column, name in enumerate(self._replay.streams)
        ]
