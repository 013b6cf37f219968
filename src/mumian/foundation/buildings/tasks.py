"""Offers buildings at start: their api, their views for layers, their evidence, and what they hear of visits."""

from mumian.foundation.buildings.api import Buildings
from mumian.foundation.buildings.service import showing
from mumian.foundation.buildings.service.evidence import faults
from mumian.foundation.buildings.service.premises import Verification
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.foundation.spatial.api import Spatial
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction


def register(platform: Platform) -> None:
    """Provide Buildings, the views `buildings` and `pipes`, and the check of evidence."""
    platform.provide(Buildings, Buildings(platform))
    platform.get(EvidenceChecks).add("foundation.buildings", faults)
    views = (
        showing.Shown(platform, showing.buildings_state, showing.buildings),
        showing.Shown(platform, showing.pipes_state, showing.lines),
    )

    def offer() -> None:
        for name, view in zip(("buildings", "pipes"), views, strict=True):
            platform.get(Spatial).offer_view(name, view)

    def changed(_: Transaction, event: DeliveredEvent) -> None:
        for view in views:
            view.changed()

    platform.afterwards(offer)
    platform.subscribe("foundation.buildings.*", "buildings.views", changed)
    platform.subscribe("foundation.grids.recorded", "buildings.verification", Verification().handle)
