"""Offers connectors, forms, harvests and previews, and lets them work beside requests."""

from mumian.elements.collection.forms.filling import Forms
from mumian.elements.collection.harvest.harvesting import Harvesting
from mumian.elements.collection.previews.describing import Previews
from mumian.elements.collection.service.evidence import faults
from mumian.elements.collection.service.runner import Runner
from mumian.elements.collection.settings import CollectionSettings
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer what collection does."""
    settings = CollectionSettings()
    runner, forms, harvesting = Runner(platform, settings), Forms(platform), Harvesting(platform, settings)
    platform.provide(Runner, runner)
    platform.provide(Forms, forms)
    platform.provide(Harvesting, harvesting)
    platform.provide(Previews, Previews(platform.home / "collection" / "previews", settings))
    for job in (runner, forms, harvesting):
        platform.background(job)
    platform.get(EvidenceChecks).add("elements.collection", faults)
