"""Documents: where in a JSON answer something stands, and rows made of its objects."""

import json
from collections.abc import Mapping
from typing import Any


def at(document: Any, path: str) -> Any:
    """What stands at a path such as `result.records` or `data[0].rows`; None where there is nothing. Names with dots win."""
    if not path:
        return document
    found = document
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(found, Mapping):
            if path in found:
                return found[path]
            found = found.get(part)
        elif isinstance(found, list) and part.lstrip("-").isdigit() and -len(found) <= int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def flat(entry: Any, depth: int = 4) -> dict[str, Any]:
    """An object as one row: inner objects under names joined by dots, lists (and what lies deeper) as JSON."""
    if not isinstance(entry, Mapping):
        return {"value": plain(entry)}
    row: dict[str, Any] = {}
    for key, value in entry.items():
        if isinstance(value, Mapping) and depth > 1 and value and value.get("type") not in _GEOMETRIES:
            row.update({f"{key}.{inner}": each for inner, each in flat(value, depth - 1).items()})
        else:
            row[str(key)] = plain(value)
    return row


def plain(value: Any) -> Any:
    """A value as a cell: lists and objects become JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | Mapping) else value


_GEOMETRIES = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection", "Feature"}


def feature(entry: Any) -> dict[str, Any]:
    """A GeoJSON feature (RFC 7946) as a row: its properties, its id, and its geometry as JSON."""
    if not isinstance(entry, Mapping) or entry.get("type") != "Feature":
        raise ValueError("no GeoJSON feature")
    properties = entry.get("properties")
    row = flat(properties) if isinstance(properties, Mapping) else {}
    if "id" in entry:
        row.setdefault("id", plain(entry["id"]))
    row["geometry"] = plain(entry.get("geometry"))
    return row


def as_text(value: Any) -> str | None:
    """A value of a source as the text that is checked and read into a field."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return plain(value) if isinstance(value, list | Mapping) else str(value)
