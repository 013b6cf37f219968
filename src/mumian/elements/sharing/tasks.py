"""Offers `Sharing`, and watches deadlines, ends and use."""

from mumian.elements.sharing.api import Sharing
from mumian.elements.sharing.delivery.carrying import Carrying
from mumian.elements.sharing.delivery.flowing import Flowing
from mumian.elements.sharing.delivery.flowing import faults as flow_faults
from mumian.elements.sharing.exchange.joining import join
from mumian.elements.sharing.service.evidence import faults
from mumian.elements.sharing.service.watching import Watching
from mumian.elements.sharing.settings import SharingSettings
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction

_CONSUMER = "elements.sharing"


def register(platform: Platform) -> None:
    """Offer `Sharing`, and listen."""
    sharing = Sharing(platform)
    platform.provide(Sharing, sharing)
    platform.background(Watching(platform, sharing.applying, sharing.granting, sharing.objecting, sharing.demanding))

    def moved(tx: Transaction, event: DeliveredEvent) -> None:
        sharing.proving.forget(event.subject)

    platform.subscribe("elements.sharing.grant", f"{_CONSUMER}.known", moved)
    carrying = Carrying(platform, sharing.terms, sharing.reading, SharingSettings())
    flowing = Flowing(platform)
    platform.background(carrying)
    platform.background(flowing)
    platform.subscribe("elements.catalog.loaded", f"{_CONSUMER}.deliveries", carrying.loaded)
    platform.subscribe("elements.catalog.loaded", f"{_CONSUMER}.flows", flowing.loaded)
    platform.subscribe("elements.quality.*", f"{_CONSUMER}.tickets", sharing.objecting.ticketed)
    platform.get(EvidenceChecks).add(_CONSUMER, faults)
    platform.get(EvidenceChecks).add(f"{_CONSUMER}.flows", flow_faults)
    join(platform)
