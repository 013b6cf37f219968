"""Resource paths of SensorThings: `/Things(3)/Datastreams`, taken apart and checked."""

import re
from dataclasses import dataclass

from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.kernel.errors import NotFound

SETS = tuple(MODEL)
SINGULAR = {entities.one: entities.name for entities in MODEL.values()}
NAVIGATION = {entities.name: tuple(entities.links) for entities in MODEL.values()}
_PART = re.compile(r"([A-Za-z]+)(?:\((\d{1,18})\))?")
_PROPERTY = re.compile(r"(?:@iot\.)?[^\W\d][\w.\-]*")
_LONGEST = 20


@dataclass(frozen=True)
class Path:
    """A path: the entity sets it walks through, the ids given for them (None: the whole set), and what follows the entity.

    `links` are the names by which the sets are reached; `inside` is what follows `attribute` inside of its value.
    """

    text: str
    names: tuple[str, ...]
    ids: tuple[int | None, ...]
    one: bool
    attribute: str | None = None
    reference: bool = False
    value: bool = False
    inside: tuple[str | int, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def last(self) -> str:
        """The entity set that the path ends in; empty for the root."""
        return self.names[-1] if self.names else ""

    @property
    def id(self) -> int | None:
        """The id of the last entity."""
        return self.ids[-1] if self.ids else None

    @property
    def owner_id(self) -> int | None:
        """The id of the entity before the last."""
        return self.ids[-2] if len(self.ids) > 1 else None


def parse_path(resource: str, text: str) -> Path:
    """Take a path apart; raises NotFound for anything that names no resource of ours."""
    parts = [part for part in resource.split("/") if part]
    if parts == ["CreateObservations"]:
        return Path(text, ("CreateObservations",), (None,), one=False)
    if len(parts) > _LONGEST:
        raise NotFound(kind="resource", name=text)
    names: list[str] = []
    links: list[str] = []
    ids: list[int | None] = []
    one = False
    for position, part in enumerate(parts):
        matched = _PART.fullmatch(part)
        name = matched.group(1) if matched else part
        if names and not (one and name in NAVIGATION[names[-1]]):
            walked = Path(text, tuple(names), tuple(ids), one, links=tuple(links))
            return _ending(walked, parts[position:])
        target = MODEL[names[-1]].links[name].target if names else name
        if matched is None or target not in MODEL:
            raise NotFound(kind="resource", name=text)
        single = bool(names) and not MODEL[names[-1]].links[name].many
        names.append(target)
        links.append(name)
        ids.append(int(matched.group(2)) if matched.group(2) else None)
        one = single or ids[-1] is not None
    return Path(text, tuple(names), tuple(ids), one, links=tuple(links))


def _ending(path: Path, rest: list[str]) -> Path:
    """What may follow an entity: a property, what is inside of it, its `$value`; or `$ref` behind anything."""
    walked = (path.text, path.names, path.ids, path.one)
    if rest == ["$ref"]:
        return Path(*walked, reference=True, links=path.links)
    value = rest[-1] == "$value"
    steps: list[str | int] = []
    for part in rest[: len(rest) - value]:
        name, _, places = part.partition("[")
        if not _PROPERTY.fullmatch(name) or (places and not re.fullmatch(r"\d{1,6}\](\[\d{1,6}\])*", places)):
            raise NotFound(kind="resource", name=path.text)
        steps += [name, *(int(place) for place in re.findall(r"\d+", places))]
    if not path.one or not steps:
        raise NotFound(kind="resource", name=path.text)
    return Path(*walked, attribute=str(steps[0]), value=value, inside=tuple(steps[1:]), links=path.links)
