"""Tile rules: the WebMercatorQuad tile matrix set (OGC 17-083r4, Annex D), and how much detail a zoom deserves."""

from dataclasses import dataclass
from math import atan, degrees, log2, pi, sinh

from mumian.foundation.spatial.contracts import Bounds

HALF = 20037508.342789244
EXTENT = 4096
BUFFER = 64
MOST_ZOOM = 22
_PIXELS = 512


@dataclass(frozen=True)
class Tile:
    """A tile by zoom, column and row, counted from the north-west."""

    z: int
    x: int
    y: int

    @property
    def exists(self) -> bool:
        """Whether the matrix of its zoom has it."""
        return 0 <= self.z <= MOST_ZOOM and 0 <= self.x < 2**self.z and 0 <= self.y < 2**self.z

    @property
    def size(self) -> float:
        """The length of a side in metres of the projection."""
        return 2 * HALF / float(2**self.z)

    @property
    def metres(self) -> Bounds:
        """Its bounds in EPSG:3857."""
        west, north = -HALF + self.x * self.size, HALF - self.y * self.size
        return west, north - self.size, west + self.size, north

    def degrees(self, buffer: float = 0.0) -> Bounds:
        """Its bounds in WGS 84, widened by a share of its side."""
        count = 2**self.z
        west, east = (self.x - buffer) / count * 360 - 180, (self.x + 1 + buffer) / count * 360 - 180
        return west, _latitude((self.y + 1 + buffer) / count), east, _latitude((self.y - buffer) / count)

    @property
    def tolerance(self) -> float:
        """Half a screen pixel in metres of the projection: detail below it cannot be seen."""
        return self.size / _PIXELS / 2


def _latitude(share: float) -> float:
    return degrees(atan(sinh(pi * (1 - 2 * share))))


def tile_of(longitude: float, latitude: float, z: int) -> Tile:
    """The tile that a WGS 84 point lies in."""
    from math import asinh, radians, tan

    count = 2**z
    x = (longitude + 180) / 360 * count
    y = (1 - asinh(tan(radians(max(-85.05, min(85.05, latitude))))) / pi) / 2 * count
    return Tile(z, min(count - 1, max(0, int(x))), min(count - 1, max(0, int(y))))


def covering(bounds: Bounds, z: int) -> tuple[Tile, Tile]:
    """The north-western and the south-eastern tile of those that cover WGS 84 bounds."""
    west, south, east, north = bounds
    return tile_of(west, north, z), tile_of(east, south, z)


def count_covering(bounds: Bounds, z: int) -> int:
    """How many tiles cover WGS 84 bounds."""
    first, last = covering(bounds, z)
    return (last.x - first.x + 1) * (last.y - first.y + 1)


def first_view(bounds: Bounds | None) -> tuple[float, float, float]:
    """Centre and zoom of a map's first view of bounds."""
    if bounds is None:
        return 0.0, 0.0, 1.0
    west, south, east, north = bounds
    span = max(east - west, north - south, 1e-4)
    return (west + east) / 2, (south + north) / 2, max(0.0, min(16.0, round(log2(360 / span), 1)))
