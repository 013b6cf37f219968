"""Collection for other components: `platform.get(Runner)` runs connectors, `platform.get(Forms)` fills, `Harvesting` harvests."""

from mumian.elements.collection.contracts import Drift, Run
from mumian.elements.collection.forms.filling import Draft, Forms, Place
from mumian.elements.collection.harvest.harvesting import Harvesting
from mumian.elements.collection.service.runner import Runner

__all__ = ["Draft", "Drift", "Forms", "Harvesting", "Place", "Run", "Runner"]
