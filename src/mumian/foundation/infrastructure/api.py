"""The ledger for other components: `platform.get(Infrastructure)` finds facilities and tells how well they serve."""

from mumian.foundation.infrastructure import store
from mumian.foundation.infrastructure.contracts import Facility, Measurement, Pick, Solution
from mumian.foundation.infrastructure.service.importing import Importing, Report
from mumian.foundation.infrastructure.service.keeping import Keeping
from mumian.foundation.infrastructure.service.looking import Looking
from mumian.foundation.infrastructure.service.measuring import Measuring, stream_name
from mumian.foundation.infrastructure.service.planning import Planning
from mumian.foundation.infrastructure.service.reading import Source
from mumian.foundation.infrastructure.settings import InfrastructureSettings
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

__all__ = ["Facility", "Infrastructure", "Measurement", "Pick", "Report", "Solution", "Source", "stream_name"]


class Infrastructure:
    """Facilities and measures. What takes a session is called inside `records.read(…)` or with a transaction's session.

    `keeping`, `importing`, `looking`, `measuring` and `planning` are for this component's own faces.
    """

    def __init__(self, platform: Platform, settings: InfrastructureSettings | None = None) -> None:
        settings = settings or InfrastructureSettings()
        self.platform = platform
        self.keeping = Keeping(platform)
        self.importing = Importing(platform, self.keeping, settings)
        self.looking = Looking(platform, self.keeping)
        self.measuring = Measuring(platform, self.keeping, settings)
        self.planning = Planning(platform, self.keeping, settings)

    def facility(self, session: Session, code: str) -> Facility:
        """The facility of that code; raises NotFound."""
        return self.keeping.find(session, code)

    def facilities(self, session: Session, kinds: list[str] | None = None) -> list[Facility]:
        """All facilities (of these kinds), by code; there may be hundreds of thousands."""
        return store.every(session, kinds)

    def measurements(self, session: Session, measure: str | None = None) -> list[Measurement]:
        """The newest measurements (of one measure) by measure and area; the whole city stands under its own code.

        Each is also the newest observation of the sensing stream `stream_name(measure, area)`, as far as it has a value.
        """
        return store.measurements(session, measure)
