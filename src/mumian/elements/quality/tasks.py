"""Offers quality, listens to loads and declarations, and lets its tables be held against the ledger."""

from mumian.elements.quality.api import Quality
from mumian.elements.quality.service.evidence import faults
from mumian.elements.quality.service.judging import Judging
from mumian.elements.quality.service.profiling import Profiling
from mumian.elements.quality.service.reading import Reader
from mumian.elements.quality.service.tickets import Tickets
from mumian.elements.quality.service.watching import CONSUMER, Watching
from mumian.elements.quality.settings import QualitySettings
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Quality` and watch."""
    settings = QualitySettings()
    reader = Reader(platform, settings)
    platform.closers.append(reader.close)
    tickets = Tickets(platform, settings)
    judging = Judging(platform, reader, tickets, settings)
    platform.provide(Quality, Quality(platform, judging, tickets, Profiling(platform, reader, judging.asking, settings)))
    watching = Watching(platform, judging, tickets, reader)
    watching.subscribe()
    platform.background(watching)
    platform.get(EvidenceChecks).add(CONSUMER, faults)
