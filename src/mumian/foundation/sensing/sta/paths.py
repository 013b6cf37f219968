"""Resource paths of SensorThings: `/Things(3)/Datastreams`, taken apart and checked."""

import re
from dataclasses import dataclass

from mumian.kernel.errors import NotFound

SETS = ("Things", "Locations", "Sensors", "ObservedProperties", "Datastreams", "Observations", "FeaturesOfInterest")
SINGULAR = {
    "Thing": "Things",
    "Sensor": "Sensors",
    "ObservedProperty": "ObservedProperties",
    "Datastream": "Datastreams",
    "FeatureOfInterest": "FeaturesOfInterest",
}
NAVIGATION = {
    "Things": ("Locations", "Datastreams"),
    "Locations": ("Things",),
    "Sensors": ("Datastreams",),
    "ObservedProperties": ("Datastreams",),
    "Datastreams": ("Thing", "Sensor", "ObservedProperty", "Observations"),
    "Observations": ("Datastream", "FeatureOfInterest"),
    "FeaturesOfInterest": ("Observations",),
}
_PART = re.compile(r"([A-Za-z]+)(?:\((\d{1,18})\))?")


@dataclass(frozen=True)
class Path:
    """A path: the entity sets it walks through, the ids given for them (None: the whole set), and what follows the entity."""

    text: str
    names: tuple[str, ...]
    ids: tuple[int | None, ...]
    one: bool
    attribute: str | None = None
    reference: bool = False
    value: bool = False

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
    names: list[str] = []
    ids: list[int | None] = []
    one = False
    for position, part in enumerate(parts):
        matched = _PART.fullmatch(part)
        name = matched.group(1) if matched else part
        single = SINGULAR.get(name)
        if not names or (one and name in NAVIGATION[names[-1]]):
            if (single is None and name not in SETS) or (not names and single is not None) or matched is None:
                raise NotFound(kind="resource", name=text)
            names.append(single or name)
            ids.append(int(matched.group(2)) if matched.group(2) else None)
            one = single is not None or ids[-1] is not None
            continue
        return _ending(text, names, ids, one, parts[position:])
    return Path(text, tuple(names), tuple(ids), one)


def _ending(text: str, names: list[str], ids: list[int | None], one: bool, rest: list[str]) -> Path:
    """What may follow an entity: a property, its `$value`; or `$ref` behind anything."""
    walked = (text, tuple(names), tuple(ids), one)
    if rest == ["$ref"]:
        return Path(*walked, reference=True)
    if one and rest[0].replace("@iot.", "").isidentifier() and (rest[1:] in ([], ["$value"])):
        return Path(*walked, attribute=rest[0], value=len(rest) == 2)
    raise NotFound(kind="resource", name=text)
