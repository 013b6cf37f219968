"""The model of entities: sets, their properties as columns, and the links between them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Property:
    """A property of a set: its kind and where it is kept, as SQL over the alias `{a}`.

    Kinds: number, text, bool, time (µs), stamp (the same as ISO text), period (start in `sql`, end in `end`), json, geometry
    (GeoJSON text; with bounds in the columns west, south, east, north where `bits` says so), result and quality. `parts` is the
    path in a column of JSON; for `number` and `bits` see `Operand`.
    """

    kind: str
    sql: str
    end: str = ""
    parts: tuple[str | int, ...] = ()
    number: str = ""
    bits: str = ""


@dataclass(frozen=True)
class Link:
    """A navigation link to `target`: `on` joins `{b}` to `{a}`, over a table `via` with the alias `{v}` if there is one.

    `crossing` links lead between the records and the observations, which are kept elsewhere; `order` is the order of its own
    that a link has.
    """

    target: str
    many: bool
    on: str = ""
    via: str = ""
    via_on: str = ""
    crossing: bool = False
    order: str = ""


@dataclass(frozen=True)
class EntitySet:
    """A set: its name, the name of one of its entities, its rows (a table; `only` those, over `{a}`), properties and links."""

    name: str
    one: str
    rows: str
    properties: dict[str, Property]
    links: dict[str, Link] = field(default_factory=dict)
    only: str = ""

    @property
    def shown(self) -> list[str]:
        """The names of the properties that may be asked for."""
        return [name for name in self.properties if not name.startswith("#")]


Model = dict[str, EntitySet]
