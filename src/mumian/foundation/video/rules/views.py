"""Views: which ground a camera sees, as a sector on a local plane around it."""

from math import atan2, ceil, cos, degrees, hypot, radians, sin

_METRES = 111_195.0  # of a degree of latitude on the mean sphere
_STEP = 10.0


def offset(origin: tuple[float, float], point: tuple[float, float]) -> tuple[float, float]:
    """Metres to the east and north from one WGS 84 point to another, exact to 0.1 % within a few kilometres."""
    east = (point[0] - origin[0] + 540) % 360 - 180
    return east * _METRES * cos(radians(origin[1])), (point[1] - origin[1]) * _METRES


def view(
    longitude: float, latitude: float, heading: float | None, field_of_view: float | None, reach: float | None
) -> list[list[float]] | None:
    """The ring of the view polygon as WGS 84 [longitude, latitude]; a camera without a heading sees all round; None: unknown."""
    if not reach:
        return None
    across = 360.0 if heading is None or field_of_view is None else field_of_view
    start = (heading or 0.0) - across / 2
    steps = max(2, ceil(across / _STEP))
    ring = [[longitude, latitude]] if across < 360 else []
    for i in range(steps + 1):
        angle = radians(start + across * i / steps)
        east, north = reach * sin(angle), reach * cos(angle)
        ring.append([longitude + east / (_METRES * max(1e-6, cos(radians(latitude)))), latitude + north / _METRES])
    return [*ring, ring[0]]


def sees(
    longitude: float,
    latitude: float,
    heading: float | None,
    field_of_view: float | None,
    reach: float | None,
    point: tuple[float, float],
) -> bool:
    """Whether a point on the ground lies in the sector; a camera whose reach is unknown sees nothing for sure."""
    east, north = offset((longitude, latitude), point)
    if not reach or hypot(east, north) > reach:
        return False
    if heading is None or field_of_view is None or field_of_view >= 360 or (east == 0 and north == 0):
        return True
    bearing = degrees(atan2(east, north))
    return abs((bearing - heading + 540) % 360 - 180) <= field_of_view / 2 + 1e-9
