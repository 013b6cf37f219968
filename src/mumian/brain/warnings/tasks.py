"""Registers warnings: they follow the vitals, the declarations, and the incidents that handle them."""

from mumian.brain.warnings.cap import publishing
from mumian.brain.warnings.routing import noticing
from mumian.brain.warnings.service.evidence import faults
from mumian.brain.warnings.service.judging import Warnings
from mumian.brain.warnings.service.silence import Silence
from mumian.brain.warnings.settings import WarningsSettings
from mumian.foundation.ledger.api import EvidenceChecks
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Subscribe to what warnings depend on, have them checked."""
    warnings = Warnings(platform)
    platform.subscribe("brain.vitals.evaluated", "warnings", warnings.evaluated)
    platform.subscribe("declarations.applied", "warnings", warnings.applied)
    platform.subscribe("sensing.stream.*", "warnings", warnings.stream_changed)
    platform.subscribe("brain.incidents.opened", "warnings", warnings.linked)
    platform.subscribe("brain.incidents.changed", "warnings", warnings.linked)
    platform.background(Silence(platform, warnings))
    noticing.Routing(platform).subscribe()
    publishing.Publishing(platform, WarningsSettings()).subscribe()
    checks = platform.get(EvidenceChecks)
    checks.add("brain.warnings", faults)
    checks.add("brain.warnings.notices", noticing.faults)
    checks.add("brain.warnings.cap", publishing.faults)
