"""GeoJSON files: collections, single features, and one feature a line; a broken feature does not spoil the others."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.spatial.importing.job import RowFault, Rows, Unreadable


class _Feature(msgspec.Struct):
    type: str = ""
    id: str | int | float | None = None
    properties: Any = None
    geometry: msgspec.Raw = msgspec.Raw(b"null")


class _Collection(msgspec.Struct):
    type: str = ""
    features: list[msgspec.Raw] | None = None
    crs: Any = None


def read_geojson(path: Path) -> Rows:
    """The features of a GeoJSON file; raises Unreadable where it is no GeoJSON at all."""
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        found = msgspec.json.decode(content, type=_Collection)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        lines = _lines(content)
        if lines is None:
            raise Unreadable(f"it is no JSON: {str(error)[:200]}") from error
        return _rows(lines, None)
    if found.type == "FeatureCollection" and found.features is not None:
        return _rows([bytes(raw) for raw in found.features], _declared(found.crs))
    if found.type == "Feature":
        return _rows([content], None)
    raise Unreadable("it is no FeatureCollection and no Feature of GeoJSON")


def _lines(content: bytes) -> list[bytes] | None:
    """The features of a file with one a line (RFC 8142 separators allowed), None if it is not such a file."""
    lines = [line.strip(b"\x1e \t\r") for line in content.split(b"\n")]
    lines = [line for line in lines if line]
    return lines if len(lines) > 1 and all(line.startswith(b"{") for line in lines) else None


def _declared(crs: Any) -> str | None:
    """The system that the member `crs` of older files names."""
    name = crs.get("properties", {}).get("name") if isinstance(crs, dict) and isinstance(crs.get("properties"), dict) else None
    return name if isinstance(name, str) else None


def _rows(raws: list[bytes], crs: str | None) -> Rows:
    import shapely

    decoder = msgspec.json.Decoder(_Feature)
    texts: list[bytes | None] = []
    properties: list[dict[str, Any]] = []
    ids: list[str | None] = []
    faults: dict[int, RowFault] = {}
    for index, raw in enumerate(raws):
        text: bytes | None = None
        values: Any = {}
        id_ = None
        try:
            feature = decoder.decode(raw)
            text = bytes(feature.geometry)
            values = {} if feature.properties is None else feature.properties
            if feature.type != "Feature" or not isinstance(values, dict):
                raise ValueError("it is no Feature with properties")
            id_ = None if feature.id is None else str(feature.id)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            faults[index] = RowFault(index + 1, "feature", str(error)[:200])
            values = {}
        texts.append(None if text == b"null" else text)
        properties.append(values if isinstance(values, dict) else {})
        ids.append(id_)
    sources = np.empty(len(texts), object)
    sources[:] = [None if text is None else text.decode("utf-8", "replace") for text in texts]
    drawn = shapely.from_geojson(sources, on_invalid="ignore")
    for index, (geometry, text) in enumerate(zip(drawn, texts, strict=True)):
        if geometry is None and text is not None and index not in faults:
            faults[index] = RowFault(index + 1, "geometry", "it is no geometry of GeoJSON")
    return Rows(drawn, properties, crs, ids, faults)
