"""Grids for other components: `platform.get(Grids)` says where a point lies, who is responsible there, and what is there."""

from typing import Any

from numpy.typing import NDArray

from mumian.foundation.addresses.api import Addresses
from mumian.foundation.grids.contracts import Building, Component, Grid, ImportReport, RowFault, Visit, Where
from mumian.foundation.grids.service.locating import Locating
from mumian.foundation.grids.service.registering import Place
from mumian.foundation.grids.store import BUILDINGS, COMPONENTS, GRIDS
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

__all__ = ["Building", "Component", "Grid", "Grids", "ImportReport", "RowFault", "Visit", "Where"]


class Grids:
    """The city's grids; dates are ISO days, without one today on the platform's clock. Points are WGS 84 degrees.

    Inside `records.read(lambda session: grids.where(session, …))`, or with a transaction's session.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._locating = Locating(platform)
        self.place = Place(self._locating, platform.get(Addresses))

    def today(self) -> str:
        """The day on the platform's clock, in UTC."""
        return iso(self._platform.clock.now())[:10]

    def where(self, session: Session, longitude: float, latitude: float, as_of: str | None = None) -> Where:
        """The chain of grids that hold a point, from the city down, each with its organisation and people."""
        return self._locating.where(session, longitude, latitude, as_of or self.today())

    def codes(
        self, session: Session, longitudes: Any, latitudes: Any, level: str = "grid", as_of: str | None = None
    ) -> NDArray[Any]:
        """The grid code of each of many points, None outside: millions a second (an object array)."""
        return self._locating.codes(session, longitudes, latitudes, level, as_of or self.today())

    def grid(self, session: Session, code: str, as_of: str | None = None) -> Grid | None:
        """A grid as it is on a day."""
        return GRIDS.at(session, code, as_of or self.today())

    def building(self, session: Session, code: str) -> Building | None:
        """A building as it is now."""
        return BUILDINGS.at(session, code, iso(self._platform.clock.now()))

    def component(self, session: Session, code: str) -> Component | None:
        """A component as it is now."""
        return COMPONENTS.at(session, code, iso(self._platform.clock.now()))
