"""Charts: which picture suits a dataset, from the types of its fields and what they hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from mumian.elements.opening.rules import places

_FEW = 30


def suggested(fields: Sequence[tuple[str, str]], profile: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pictures, the best first: `kind` is map, choropleth, line, bar, histogram or scatter, with the fields that it shows."""
    found: list[dict[str, Any]] = []
    where = places.geometry(fields)
    if where is not None:
        found.append({"kind": "map", "fields": list(where.fields)})
    division = places.division(fields)
    taken = {*(where.fields if where is not None else ()), division}
    numbers = [n for n, t in fields if t in ("number", "integer") and n not in taken and not _key(n, profile)]
    if division is not None:
        found.append({"kind": "choropleth", "code": division, "value": numbers[0] if numbers else None})
    times = [name for name, type_ in fields if type_ in ("time", "date")]
    if times and numbers:
        found.append({"kind": "line", "x": times[0], "y": numbers[:3]})
    groups = [n for n, t in fields if t in ("text", "boolean") and n not in taken and 1 < _distinct(n, profile) <= _FEW]
    if groups:
        found.append({"kind": "bar", "x": groups[0], "y": numbers[0] if numbers else None})
    if len(numbers) > 1:
        found.append({"kind": "scatter", "x": numbers[0], "y": numbers[1]})
    if numbers:
        found.append({"kind": "histogram", "x": numbers[0]})
    return found


def _distinct(name: str, profile: Mapping[str, Mapping[str, Any]]) -> int:
    return int(profile.get(name, {}).get("distinct") or 0)


def _key(name: str, profile: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a field only tells rows apart."""
    told = profile.get(name, {})
    rows = int(told.get("values") or 0)
    return rows > 50 and told.get("type") == "integer" and int(told.get("distinct") or 0) >= 0.95 * rows
