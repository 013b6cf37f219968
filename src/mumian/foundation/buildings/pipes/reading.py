"""Reading networks: input files divided into sections and lines, and what is taken in of them, with the line of every fault.

EPANET 2.2 and SWMM 5.2 user manuals, appendix on the input file: sections in brackets, one line an object, `;` begins a comment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from mumian.foundation.buildings.pipes.contracts import Edge, Node

MOST = 500_000
Line = tuple[int, list[str]]
BOTH = "TITLE OPTIONS JUNCTIONS PUMPS CURVES PATTERNS CONTROLS REPORT TAGS MAP COORDINATES VERTICES LABELS BACKDROP END"
EPANET = (
    "RESERVOIRS TANKS PIPES VALVES EMITTERS ENERGY STATUS RULES DEMANDS QUALITY REACTIONS SOURCES MIXING TIMES LEAKAGE ROUGHNESS"
)
SWMM = (
    "FILES RAINGAGES EVAPORATION TEMPERATURE ADJUSTMENTS SUBCATCHMENTS SUBAREAS INFILTRATION LID_CONTROLS LID_USAGE AQUIFERS "
    "GROUNDWATER GWF SNOWPACKS OUTFALLS DIVIDERS STORAGE CONDUITS ORIFICES WEIRS OUTLETS XSECTIONS TRANSECTS STREETS INLETS "
    "INLET_USAGE LOSSES POLLUTANTS LANDUSES COVERAGES LOADINGS BUILDUP WASHOFF TREATMENT INFLOWS DWF HYDROGRAPHS RDII TIMESERIES "
    "EVENTS POLYGONS SYMBOLS PROFILES EVENT UNITHYD MAPPING SUBCATCHMENTPOLYGONS"
)
_US_EPANET = ("CFS", "GPM", "MGD", "IMGD", "AFD")
_US_SWMM = ("CFS", "GPM", "MGD")
_FOOT, _INCH = 0.3048, 25.4


class BadNetwork(Exception):
    """A line that cannot be used: its number (0: the file) and a translation key with values."""

    def __init__(self, line: int, key: str, **values: str) -> None:
        super().__init__(key)
        self.line, self.key, self.values = line, key, values


@dataclass
class Drawn:
    """A network as read: nodes with points and edges with corners, both by id, in the file's coordinates (x, y)."""

    kind: str
    directed: bool
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    corners: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


def divided(text: str) -> dict[str, list[Line]]:
    """The lines of each section, the first of them its heading; raises BadNetwork for lines before any."""
    made: dict[str, list[Line]] = {}
    current: list[Line] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition(";")[0].strip()
        if line.startswith("["):
            name = line.strip("[] \t").upper()
            current = made.setdefault(_full(name), [])
            current.append((number, []))
        elif line:
            if current is None:
                raise BadNetwork(number, "buildings.no_section")
            current.append((number, line.split()))
    return made


def _full(name: str) -> str:
    """The section that a beginning of its name means, as both programmes read it (at least four letters)."""
    every = [*BOTH.split(), *EPANET.split(), *SWMM.split()]
    if name in every or len(name) < 4:
        return name
    return next((whole for whole in every if whole.startswith(name)), name)


def rows(sections: Mapping[str, list[Line]], name: str, least: int) -> list[Line]:
    """The lines of a section, each with at least so many words."""
    made = [line for line in sections.get(name, []) if line[1]]
    if len(made) > MOST:
        raise BadNetwork(made[MOST][0], "buildings.too_many", most=str(MOST))
    for number, words in made:
        if len(words) < least:
            raise BadNetwork(number, "buildings.words", section=name, least=str(least))
    return made


def value(line: int, word: str) -> float:
    """A finite number; raises BadNetwork with the line."""
    try:
        found = float(word)
    except ValueError:
        found = float("nan")
    if not isfinite(found) or abs(found) > 1e12:
        raise BadNetwork(line, "buildings.number", word=word[:60])
    return found


def option(sections: Mapping[str, list[Line]], name: str) -> str:
    """The value of an option in capitals; empty where it is not set."""
    return next((w[1].upper() for _, w in sections.get("OPTIONS", []) if len(w) > 1 and w[0].upper() == name), "")


def add_node(drawn: Drawn, line: int, node: Node) -> None:
    """Take a node in; raises BadNetwork for an id that is there already."""
    if node.id in drawn.nodes or len(node.id) > 100 or not node.id.isprintable():
        raise BadNetwork(line, "buildings.id_taken", name=node.id[:100])
    drawn.nodes[node.id] = node


def add_edge(drawn: Drawn, line: int, edge: Edge) -> None:
    """Take an edge in; raises BadNetwork for an id that is there already and for ends that are not."""
    if edge.id in drawn.edges or len(edge.id) > 100 or not edge.id.isprintable():
        raise BadNetwork(line, "buildings.id_taken", name=edge.id[:100])
    for end in (edge.a, edge.b):
        if end not in drawn.nodes:
            raise BadNetwork(line, "buildings.no_end", name=end[:100], edge=edge.id)
    drawn.edges[edge.id] = edge


def units(sections: Mapping[str, list[Line]], swmm: bool) -> tuple[float, Callable[[float], float]]:
    """Metres in the file's unit of length, and the file's pipe diameters in millimetres."""
    name = option(sections, "FLOW_UNITS" if swmm else "UNITS")
    customary = name in (_US_SWMM if swmm else _US_EPANET) or not name
    metres = _FOOT if customary else 1.0
    if swmm:
        return metres, lambda size: round(size * metres * 1000, 1)
    return metres, lambda size: round(size * (_INCH if customary else 1.0), 1)


def optional(words: list[str], place: int) -> Any:
    """A word of a line, or None where the line ends before."""
    return words[place] if len(words) > place else None
