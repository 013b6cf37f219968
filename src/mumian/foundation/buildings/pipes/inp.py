"""Sections of input files: what lines of EPANET and SWMM say of nodes and edges, in metres and millimetres."""

from collections.abc import Mapping

from mumian.foundation.buildings.pipes.contracts import Edge, Node
from mumian.foundation.buildings.pipes.reading import (
    BOTH,
    EPANET,
    SWMM,
    BadNetwork,
    Drawn,
    Line,
    add_edge,
    add_node,
    divided,
    option,
    optional,
    rows,
    units,
    value,
)

Sections = Mapping[str, list[Line]]
_NAMED = ("IRREGULAR", "CUSTOM", "STREET", "DUMMY")


def read_inp(text: str) -> Drawn:
    """A network of an EPANET or SWMM input file; raises BadNetwork with the first line that is wrong."""
    sections = divided(text)
    swmm = bool({"CONDUITS", "OUTFALLS", "SUBCATCHMENTS", "XSECTIONS"} & sections.keys())
    known = {*BOTH.split(), *(SWMM if swmm else EPANET).split()}
    for name, lines in sections.items():
        if name not in known:
            raise BadNetwork(lines[0][0], "buildings.section", name=name[:60])
    drawn = of_swmm(sections) if swmm else of_epanet(sections)
    if not drawn.nodes:
        raise BadNetwork(0, "buildings.no_nodes")
    _place(drawn, sections)
    return drawn


def _place(drawn: Drawn, sections: Mapping[str, list[Line]]) -> None:
    for number, words in rows(sections, "COORDINATES", 3):
        drawn.points[words[0]] = value(number, words[1]), value(number, words[2])
    for number, words in rows(sections, "VERTICES", 3):
        drawn.corners.setdefault(words[0], []).append((value(number, words[1]), value(number, words[2])))


def of_epanet(sections: Sections) -> Drawn:
    """A water network: junctions, reservoirs and tanks; pipes, pumps and valves."""
    drawn = Drawn("water", directed=False)
    metres, millimetres = units(sections, swmm=False)
    for section, kind in (("JUNCTIONS", "junction"), ("RESERVOIRS", "reservoir"), ("TANKS", "tank")):
        for number, words in rows(sections, section, 1):
            level = round(value(number, words[1]) * metres, 3) if len(words) > 1 else None
            add_node(drawn, number, Node(id=words[0], kind=kind, ground=level))
    shut = {w[0] for _, w in rows(sections, "STATUS", 2) if w[1].upper() == "CLOSED"}
    for number, words in rows(sections, "PIPES", 5):
        length, size = value(number, words[3]) * metres, value(number, words[4])
        closed = words[0] in shut or any(word.upper() == "CLOSED" for word in words[6:])
        edge = Edge(id=words[0], a=words[1], b=words[2], length=round(length, 3), diameter=millimetres(size), closed=closed)
        add_edge(drawn, number, edge)
    for number, words in rows(sections, "PUMPS", 3):
        add_edge(drawn, number, Edge(id=words[0], kind="pump", a=words[1], b=words[2], closed=words[0] in shut))
    for number, words in rows(sections, "VALVES", 4):
        size = millimetres(value(number, words[3]))
        add_edge(drawn, number, Edge(id=words[0], kind="valve", a=words[1], b=words[2], diameter=size, closed=words[0] in shut))
    return drawn


def of_swmm(sections: Sections) -> Drawn:
    """A drainage network: junctions, outfalls, storage and dividers; conduits, pumps, orifices, weirs and outlets."""
    drawn = Drawn("drainage", directed=True)
    metres, millimetres = units(sections, swmm=True)
    _swmm_nodes(drawn, sections, metres)
    sizes = {w[0]: millimetres(value(n, w[2])) for n, w in rows(sections, "XSECTIONS", 3) if w[1].upper() not in _NAMED}
    levels = option(sections, "LINK_OFFSETS") == "ELEVATION"
    for number, words in rows(sections, "CONDUITS", 7):
        ends = []
        for name, word in ((words[1], words[5]), (words[2], words[6])):
            foot = drawn.nodes[name].invert if name in drawn.nodes else None
            offset = 0.0 if word == "*" else value(number, word) * metres
            absolute = levels and word != "*"
            ends.append(None if foot is None else round(offset if absolute else foot + offset, 3))
        length = round(value(number, words[3]) * metres, 3)
        edge = Edge(id=words[0], a=words[1], b=words[2], length=length, diameter=sizes.get(words[0]) or None)
        edge.invert_a, edge.invert_b = ends
        add_edge(drawn, number, edge)
        edge.depth = _depth(drawn, edge)
    for section, kind in (("PUMPS", "pump"), ("ORIFICES", "orifice"), ("WEIRS", "weir"), ("OUTLETS", "outlet")):
        for number, words in rows(sections, section, 3):
            add_edge(drawn, number, Edge(id=words[0], kind=kind, a=words[1], b=words[2], diameter=sizes.get(words[0]) or None))
    return drawn


def _swmm_nodes(drawn: Drawn, sections: Sections, metres: float) -> None:
    kinds = (
        ("JUNCTIONS", "junction", 2),
        ("OUTFALLS", "outfall", None),
        ("STORAGE", "storage", 2),
        ("DIVIDERS", "divider", None),
    )
    for section, kind, place in kinds:
        for number, words in rows(sections, section, 2):
            foot = round(value(number, words[1]) * metres, 3)
            word = None if place is None else optional(words, place)
            depth = round(value(number, word) * metres, 3) if word is not None else None
            ground = round(foot + depth, 3) if depth else None
            add_node(drawn, number, Node(id=words[0], kind=kind, invert=foot, depth=depth or None, ground=ground))


def _depth(drawn: Drawn, edge: Edge) -> float | None:
    """The mean depth of a pipe's foot below the ground, where both are known."""
    tops = [drawn.nodes[edge.a].ground, drawn.nodes[edge.b].ground]
    pairs = [(top, foot) for top, foot in zip(tops, (edge.invert_a, edge.invert_b), strict=True) if top is not None]
    depths = [top - foot for top, foot in pairs if foot is not None]
    return round(sum(depths) / len(depths), 3) if depths else None
