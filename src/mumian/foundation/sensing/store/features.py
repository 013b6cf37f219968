"""Features of interest that streams observe: remembered once a pair, with the area that a stream has observed."""

import json
from typing import Any

from mumian.foundation.sensing.store.rows import update, written
from mumian.kernel.unit_of_work import Row, Session, Transaction


def own_features(session: Session, streams: list[int]) -> dict[int, int | None]:
    """The feature that each of these streams observes where an observation names none."""
    found = {}
    for stream in streams:
        found[stream] = session.value("SELECT feature FROM sensing_stream WHERE id = :id", id=stream)
    return found


def observe(tx: Transaction, stream: int, feature: int) -> bool:
    """Remember that observations of the stream name this feature, and extend the observed area; False if there is none such."""
    row = tx.session.row("SELECT * FROM sensing_feature WHERE id = :id", id=feature)
    if row is None:
        return False
    sql = "INSERT INTO sensing_stream_feature (stream, feature) VALUES (:stream, :feature) ON CONFLICT DO NOTHING"
    tx.session.execute(sql, stream=stream, feature=feature)
    area = tx.session.value("SELECT observed_area FROM sensing_stream WHERE id = :id", id=stream)
    wider = extended(area, row)
    if wider is not None and wider != area:
        update(tx, "sensing_stream", stream, {"observed_area": wider})
    return True


def extended(area: str | None, feature: Row) -> str | None:
    """The observed area, made wide enough for a feature: that feature alone, or the rectangle around both."""
    if feature["west"] is None:
        return area
    if area is None:
        return str(feature["feature"])
    corners = list(_corners(json.loads(area)))
    if not corners:
        return area
    xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
    west, east = min(*xs, feature["west"]), max(*xs, feature["east"])
    south, north = min(*ys, feature["south"]), max(*ys, feature["north"])
    if (west, south, east, north) == (min(xs), min(ys), max(xs), max(ys)):
        return area
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return written({"type": "Polygon", "coordinates": [ring]})


def _corners(value: Any) -> Any:
    """Every position inside of a geometry."""
    if isinstance(value, dict):
        for inner in (value.get("coordinates"), value.get("geometry"), value.get("geometries")):
            yield from _corners(inner)
    elif isinstance(value, list):
        if len(value) >= 2 and all(isinstance(number, int | float) for number in value[:2]):
            yield value
            return
        for inner in value:
            yield from _corners(inner)
