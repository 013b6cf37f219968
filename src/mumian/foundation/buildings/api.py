"""Buildings for other components: `platform.get(Buildings)` knows what stands in the city, what is in it and what lies below.

Inside `records.read(lambda session: buildings.near(session, …))`, or with a transaction's session. Points are WGS 84 degrees.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.buildings.contracts import Building, ImportReport, Model, Premises
from mumian.foundation.buildings.files.drafting import Names
from mumian.foundation.buildings.pipes.contracts import Edge, Isolation, Network, NetworkFault, Node, Trace
from mumian.foundation.buildings.pipes.keeping import Graphs, demand
from mumian.foundation.buildings.pipes.rules import faults, isolate, trace
from mumian.foundation.buildings.service import facts, premises
from mumian.foundation.buildings.service.bringing import Reading, bring
from mumian.foundation.buildings.service.importing import Origin
from mumian.foundation.buildings.service.keeping import Keeping
from mumian.foundation.buildings.settings import BuildingSettings
from mumian.foundation.buildings.store import BUILDINGS, PREMISES
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction

__all__ = [
    "Building",
    "Buildings",
    "Edge",
    "ImportReport",
    "Isolation",
    "Model",
    "Names",
    "Network",
    "NetworkFault",
    "Node",
    "Origin",
    "Premises",
    "Reading",
    "Trace",
]


class Buildings:
    """The city's buildings, the premises in them and the networks below."""

    def __init__(self, platform: Platform, settings: BuildingSettings | None = None) -> None:
        self._platform = platform
        self.settings = settings or BuildingSettings()
        self.keeping = Keeping(platform)
        self.graphs = Graphs()

    async def bring(self, file: Path, origin: Origin, reading: Reading, dry: bool = False) -> ImportReport:
        """Bring a file of CityJSON, GeoJSON footprints or IFC in, or (`dry`) only say what would be done; raises BadModel."""
        return await bring(self._platform, file, origin, reading, self.settings, dry)

    def building(self, session: Session, code: str) -> Building | None:
        """A building as it is now."""
        return BUILDINGS.get(session, code)

    def near(
        self, session: Session, longitude: float, latitude: float, metres: float, kind: str = "Building", limit: int = 10
    ) -> list[tuple[float, Building]]:
        """Objects of a kind within so many metres of a point, the nearest first, with the metres to their footprint."""
        return facts.near(session, longitude, latitude, metres, kind, limit)

    def premises(self, session: Session, building: str) -> list[Premises]:
        """What is registered in a building, by address, unit and room, of each source that told of it."""
        return PREMISES.of(session, "building", [building])

    def keep_premises(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
        """Tell counts: {building, address?, unit?, room?, source, as_of, people?, houses?, units?, facilities?} each.

        Returns how many were added, changed and repeated. Raises Invalid for buildings and addresses that there are not.
        """
        return premises.keep(tx, self._platform.get(Addresses), rows)

    def trace(self, session: Session, network: str, node: str, direction: str) -> Trace:
        """What lies `up` or `down` of a node of a network; raises NotFound."""
        graph = self.graphs.of(session, network)
        demand([node], graph, "node")
        return trace(graph, node, direction)

    def isolate(self, session: Session, network: str, edge: str) -> Isolation:
        """The valves that shut an edge of a network off; raises NotFound."""
        graph = self.graphs.of(session, network)
        demand([edge], graph, "edge")
        return isolate(graph, edge)

    def faults(self, session: Session, network: str) -> list[NetworkFault]:
        """What does not fit in a network; raises NotFound."""
        return faults(self.graphs.of(session, network))
