"""Joins: the tables that paths over navigation links lead through, each joined once, and what a path's end is."""

from dataclasses import dataclass, field

from mumian.foundation.sensing.sta.faults import query_fault
from mumian.foundation.sensing.sta.model import EntitySet, Link, Model, Property
from mumian.foundation.sensing.sta.syntax import Path
from mumian.kernel.errors import Invalid

Parts = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where a path has come to: a set and the alias of its rows."""

    set: EntitySet
    alias: str


@dataclass(frozen=True)
class End:
    """The end of a path: a property of some rows, and what follows inside of it."""

    place: Place
    property: Property
    rest: Parts


@dataclass
class Joins:
    """The joins of one scope; `variables` are the names that `any` gives to entities."""

    model: Model
    root: Place
    option: str
    prefix: str = "j"
    variables: dict[str, Place] = field(default_factory=dict)
    clauses: list[str] = field(default_factory=list)
    many: bool = False
    _made: dict[tuple[str, Parts], Place] = field(default_factory=dict)

    def place(self, links: Parts, at: int) -> Place:
        """Where links lead, joined."""
        here, rest = self._start(links)
        for position in range(len(rest)):
            here = self._step(here, rest[: position + 1], at)
        return here

    def end(self, path: Path) -> End:
        """The property at the end of a path; raises Invalid for a path that leads nowhere."""
        here, rest = self._start(path.parts)
        position = 0
        while position < len(rest) and isinstance(rest[position], str) and rest[position] in here.set.links:
            if rest[position:][1:] in ((), ("$ref",)):
                raise query_fault(self.option, "navigation", path.at, name=path.text[:100])
            here = self._step(here, rest[: position + 1], path.at)
            position += 1
        return self._property(here, rest[position:], path)

    def _start(self, parts: Parts) -> tuple[Place, Parts]:
        first = parts[0] if parts else ""
        if first == "$it":
            return self.root, parts[1:]
        if isinstance(first, str) and first in self.variables:
            return self.variables[first], parts[1:]
        return self.root, parts

    def _step(self, here: Place, walked: Parts, at: int) -> Place:
        key = (here.alias, walked[-1:])
        if key not in self._made:
            link = here.set.links.get(str(walked[-1]))
            if link is None:
                raise self._unknown(here, str(walked[-1]))
            if link.crossing:
                raise query_fault(self.option, "mixed", at, name="/".join(map(str, walked)))
            self.many |= link.many
            self._made[key] = self._join(here, link)
        return self._made[key]

    def _join(self, here: Place, link: Link) -> Place:
        target = self.model[link.target]
        alias = f"{self.prefix}{len(self.clauses)}"
        via = f"{alias}v"
        if link.via:
            self.clauses.append(f"LEFT JOIN {link.via} {via} ON {link.via_on.format(a=here.alias, v=via)}")
        on = link.on.format(a=here.alias, b=alias, v=via) + (f" AND {target.only.format(a=alias)}" if target.only else "")
        self.clauses.append(f"LEFT JOIN {target.rows} {alias} ON {on}")
        return Place(target, alias)

    def _property(self, here: Place, parts: Parts, path: Path) -> End:
        if not parts:
            raise query_fault(self.option, "navigation", path.at, name=path.text[:100])
        for length in range(min(3, len(parts)), 0, -1):
            name = "/".join(map(str, parts[:length]))
            found = here.set.properties.get("id" if name == "@iot.id" else name)
            if found is not None:
                rest = parts[length:]
                if rest and found.kind not in ("json", "result"):
                    raise self._unknown(here, path.text)
                return End(here, found, rest)
        raise self._unknown(here, path.text)

    def _unknown(self, here: Place, name: str) -> Invalid:
        expected = ", ".join([*here.set.shown, *here.set.links])
        return Invalid.field(self.option, "sensing.property", entity=here.set.name, name=name[:100], expected=expected)
