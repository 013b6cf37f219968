"""Showing: buildings and pipes as views of the spatial base, so that they are layers with tiles and OGC API Features."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

from mumian.foundation.buildings import store
from mumian.foundation.buildings.contracts import BUILDING_KINDS, Building
from mumian.foundation.buildings.pipes import store as pipes
from mumian.foundation.buildings.store import BUILDINGS, STANDS
from mumian.foundation.spatial.api import Feature
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_PAGE = 10_000


class Shown:
    """A view: what `work` reads, and a number of what `state` says; looked at again after `changed`."""

    def __init__(self, platform: Platform, state: Callable[[Session], str], work: Callable[[Session], list[Feature]]) -> None:
        self._records = platform.records
        self._state, self._work = state, work
        self._reader = ThreadPoolExecutor(1, "mumian-buildings")
        self._changes, self._seen, self._version = 0, -1, 1
        self._lock = threading.Lock()
        platform.closers.append(self._reader.shutdown)

    def changed(self) -> None:
        """Look again before the next answer."""
        self._changes += 1

    def version(self) -> int:
        """A number that is another whenever the features are."""
        with self._lock:
            if self._seen != self._changes:
                self._seen = self._changes
                state: str = self._reader.submit(self._records.read_now, self._state).result()
                self._version = int.from_bytes(sha256(state.encode()).digest()[:6], "big") + 1
            return self._version

    def features(self) -> list[Feature]:
        """All features, in WGS 84."""
        found: list[Feature] = self._reader.submit(self._records.read_now, self._work).result()
        return found


def buildings(session: Session) -> list[Feature]:
    """Every standing or planned building with a footprint; of those with parts that have heights, the parts."""
    parents = {part.parent for part in _all(session, "BuildingPart") if part.footprint and part.height}
    made = []
    for kind in BUILDING_KINDS:
        made += [feature(one) for one in _all(session, kind) if one.footprint and one.code not in parents]
    return made


def _all(session: Session, kind: str) -> list[Building]:
    found: list[Building] = []
    after = ""
    while page := BUILDINGS.page(session, after, _PAGE, {"kind": kind}, STANDS):
        found += page
        after = page[-1].code
    return found


def feature(building: Building) -> Feature:
    """A building as a feature of a layer."""
    properties: dict[str, Any] = {
        "code": building.code,
        "kind": building.kind,
        "title_zh": building.title.get("zh"),
        "title_en": building.title.get("en"),
        "height": building.height,
        "storeys": building.storeys,
        "use": building.use or None,
        "year": building.year,
        "area": building.area,
        "state": building.state,
        "owner": building.owner or None,
        "part_of": building.parent or None,
        "registered": building.registered or None,
        "address": building.address or None,
        "source": building.source,
    }
    return Feature(building.code, building.version, json.loads(building.footprint), properties)


def lines(session: Session) -> list[Feature]:
    """Every edge of every network that has a line."""
    made = []
    for name in pipes.names(session):
        network = pipes.network(session, name)
        if network is None:
            continue
        for edge in pipes.edges(session, name):
            if edge.line:
                given = {"network": name, "network_kind": network.kind, "edge": edge.id, "kind": edge.kind}
                sizes = {"diameter": edge.diameter, "depth": edge.depth, "material": edge.material or None, "year": edge.year}
                made.append(Feature(f"{name}:{edge.id}", network.version, json.loads(edge.line), given | sizes))
    return made


def pipes_state(session: Session) -> str:
    """What tells one state of the networks from another."""
    held = [pipes.network(session, name) for name in pipes.names(session)]
    return " ".join(f"{one.name}/{one.version}/{one.changed}" for one in held if one is not None)


buildings_state = store.newest_batch
