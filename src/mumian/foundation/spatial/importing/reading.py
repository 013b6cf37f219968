"""Reading what the worker wrote."""

from pathlib import Path
from typing import Any


def as_geojson(rows: str) -> str:
    """The worker's rows as the text of a FeatureCollection."""
    import duckdb
    import shapely

    with duckdb.connect() as con:
        found = con.execute("SELECT fid, geometry, properties FROM read_parquet($rows)", {"rows": str(Path(rows))}).fetchall()
    features = []
    for fid, wkb, properties in found:
        geometry = "null" if wkb is None else shapely.to_geojson(shapely.from_wkb(bytes(wkb)))
        features.append(f'{{"type":"Feature","id":{quoted(fid)},"geometry":{geometry},"properties":{properties}}}')
    return '{"type":"FeatureCollection","features":[' + ",".join(features) + "]}"


def quoted(text: Any) -> str:
    """A text as JSON."""
    import json

    return json.dumps(text, ensure_ascii=False)
