"""Rendering: rows of the records and observations as entities of SensorThings, with links, and only what was selected."""

import json
from collections.abc import Callable, Iterable, Sequence
from math import isnan
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.sensing.contracts import NONE, Observations
from mumian.foundation.sensing.flags import names_of
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.model import EntitySet
from mumian.foundation.sensing.sta.moments import span_of, written, written_many, written_or_null
from mumian.foundation.sensing.sta.observed import Observed
from mumian.foundation.sensing.sta.observed import Row as ObservedRow
from mumian.kernel.errors import Invalid
from mumian.kernel.unit_of_work import Row

Entity = dict[str, Any]
Spans = tuple[tuple[int, int] | None, tuple[int, int] | None]
LINK = "@iot.navigationLink"
_PLAIN = ["id", "selfLink", "phenomenonTime", "resultTime", "result", "Datastream", "FeatureOfInterest"]


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _described(row: Row) -> Entity:
    return {"name": row["name"], "description": row["description"], "properties": _json(row["properties"])}


def _placed(key: str) -> Callable[[Row], Entity]:
    def render(row: Row) -> Entity:
        return {**_described(row), "encodingType": row["encoding"], key: _json(row[key])}

    return render


def _device(row: Row) -> Entity:
    metadata = row["metadata"] if row["metadata_json"] is None else _json(row["metadata_json"])
    return {**_described(row), "encodingType": row["encoding"], "metadata": metadata}


def _stream(row: Row) -> Entity:
    title = {"zh": row["title_zh"], "en": row["title_en"]}
    own = {"stream": row["name"], "title": title, "owner": row["owner"], "frequencySeconds": row["frequency_seconds"]}
    return {
        "name": row["title_en"],
        "description": row["description"],
        "observationType": row["observation_type"],
        "observedArea": _json(row["observed_area"]),
        "properties": {**_json(row["properties"]), **own},
    }


def _datastream(row: Row) -> Entity:
    unit = {"name": row["unit_name"] or row["unit"], "symbol": row["unit"], "definition": row["unit_definition"]}
    return {**_stream(row), "unitOfMeasurement": unit}


def _multi(row: Row) -> Entity:
    units, types = _json(row["units"]), _json(row["observation_types"])
    return {**_stream(row), "unitOfMeasurements": units, "multiObservationDataTypes": types}


def _task(row: Row) -> Entity:
    return {
        "creationTime": row["created"],
        "changeTime": row["changed"],
        "status": row["status"],
        "taskingParameters": _json(row["parameters"]),
        "properties": _json(row["properties"]),
    }


_RENDER: dict[str, Callable[[Row], Entity]] = {
    "Things": _described,
    "Locations": _placed("location"),
    "HistoricalLocations": lambda row: {"time": row["time"]},
    "Datastreams": _datastream,
    "MultiDatastreams": _multi,
    "Sensors": _device,
    "ObservedProperties": lambda row: {**_described(row), "definition": row["definition"]},
    "FeaturesOfInterest": _placed("feature"),
    "Actuators": _device,
    "TaskingCapabilities": lambda row: {**_described(row), "taskingParameters": _json(row["parameters"])},
    "Tasks": _task,
}


def entity(entities: EntitySet, row: Row, base: str, spans: Spans = (None, None)) -> Entity:
    """A whole entity of the records: id, self link, properties, the `spans` of a stream's times, and navigation links."""
    own = f"{base}/{entities.name}({row['id']})"
    links = {name: own + end for name, end in _LINKS[entities.name]}
    times = {name: span_of(span) for name, span in zip(("phenomenonTime", "resultTime"), spans, strict=True) if span is not None}
    return {"@iot.id": row["id"], "@iot.selfLink": own, **_RENDER[entities.name](row), **times, **links}


def observation(row: ObservedRow, base: str, multi: bool = False) -> Entity:
    """An observation from id, stream, time, result, result time, flags and details; a missing result is null."""
    number, _, time, result, result_time, flags, detail = row[:7]
    own = f"{base}/Observations({number})"
    found: Entity = {
        "@iot.id": number,
        "@iot.selfLink": own,
        "phenomenonTime": written(time),
        "resultTime": None if result_time == NONE else written(result_time),
        "result": None if isnan(result) else result,
    }
    if flags:
        found["resultQuality"] = names_of(flags)
    if detail is not None:
        _detail(found, json.loads(detail), time)
    stream = "MultiDatastream" if multi else "Datastream"
    found[f"{stream}{LINK}"] = f"{own}/{stream}"
    found[f"FeatureOfInterest{LINK}"] = f"{own}/FeatureOfInterest"
    return found


def _detail(found: Entity, detail: dict[str, Any], time: int) -> None:
    if "result" in detail:
        found["result"] = detail["result"]
    if detail.get("end") is not None:
        found["phenomenonTime"] = f"{written(time)}/{written(detail['end'])}"
    if detail.get("validTime") is not None:
        found["validTime"] = "/".join(written(moment) for moment in detail["validTime"])
    if "resultQuality" in detail and "resultQuality" not in found:
        found["resultQuality"] = detail["resultQuality"]
    if "parameters" in detail:
        found["parameters"] = detail["parameters"]


def plain_observations(rows: Sequence[Any], base: str, select: Sequence[tuple[str, ...]]) -> bytes | None:
    """Many observations as a JSON list, quickly, whole or with some properties; None where any has more to it than that."""
    wanted = dict.fromkeys([steps[0] for steps in select] or _PLAIN)
    if any(name not in _PLAIN for name in wanted):
        return None
    columns = rows.columns if isinstance(rows, Observed) else _gathered(rows)
    if columns is None or columns.flags.any() or (columns.details is not None and any(columns.details != None)):  # noqa: E711
        return None
    if not len(columns):
        return b"[]"
    address = msgspec.json.encode(f"{base}/Observations(")[:-1].replace(b"%", b"%%")
    templates, values = zip(*(_piece(name, columns, address) for name in wanted), strict=True)
    flat: list[Any] = [None] * (len(columns) * len(values))
    for place, column in enumerate(values):
        flat[place :: len(values)] = column
    template = b"{" + b",".join(templates) + b"},"
    return b"[" + (template * len(columns))[:-1] % tuple(flat) + b"]"


def _piece(name: str, rows: Observations, address: bytes) -> tuple[bytes, list[Any]]:
    """How a property of an observation is written, and its value in each row."""
    if name == "phenomenonTime":
        return b'"phenomenonTime":"%b"', written_many(rows.times)
    if name == "resultTime":
        return b'"resultTime":%b', written_or_null(rows.result_times)
    if name == "result":
        return b'"result":%b', msgspec.json.encode(rows.results.tolist())[1:-1].split(b",")
    if name == "id":
        return b'"@iot.id":%d', rows.ids.tolist()
    if name == "selfLink":
        return b'"@iot.selfLink":' + address + b'%d)"', rows.ids.tolist()
    link = name.encode()
    return b'"' + link + LINK.encode() + b'":' + address + b"%d)/" + link + b'"', rows.ids.tolist()


def _gathered(rows: Sequence[Sequence[Any]]) -> Observations | None:
    """Rows as columns; None where one has details."""
    if any(row[6] is not None for row in rows):
        return None
    ids, streams, times, result_times, flags = (np.array([row[place] for row in rows], np.int64) for place in (0, 1, 2, 4, 5))
    return Observations(streams, times, np.array([row[3] for row in rows], np.float64), ids, result_times, flags)


def selected(
    entities: EntitySet, item: Entity, select: Iterable[tuple[str, ...]], expanded: Iterable[str], option: str
) -> Entity:
    """Only what is selected, if anything is: properties, what is inside of them, navigation links, and what was expanded."""
    wanted = list(select)
    if not wanted:
        return item
    found: Entity = {}
    for steps in wanted:
        name = steps[0]
        if name in ("id", "@iot.id"):
            found["@iot.id"] = item["@iot.id"]
        elif name in ("selfLink", "@iot.selfLink"):
            found["@iot.selfLink"] = item["@iot.selfLink"]
        elif name in entities.links and len(steps) == 1:
            found |= {f"{name}{LINK}": item[f"{name}{LINK}"]} if f"{name}{LINK}" in item else {}
        elif name in TOP_NAMES[entities.name]:
            if name in item:
                _put(found, item[name], steps)
        else:
            expected = ", ".join(["id", "selfLink", *TOP_NAMES[entities.name], *entities.links])
            raise Invalid.field(option, "sensing.property", entity=entities.name, name="/".join(steps)[:100], expected=expected)
    for name in expanded:
        found |= {key: item[key] for key in (f"{name}@iot.count", name, f"{name}@iot.nextLink") if key in item}
    return found


def _put(found: Entity, value: Any, steps: tuple[str, ...]) -> None:
    """Copy what the steps lead to, with all that is around it."""
    for step in steps[1:]:
        value = value.get(step) if isinstance(value, dict) else None
    for step in steps[:-1]:
        inner = found.get(step)
        found[step] = inner = dict(inner) if isinstance(inner, dict) else {}
        found = inner
    found[steps[-1]] = value


_LINKS = {name: [(f"{link}{LINK}", f"/{link}") for link in entities.links] for name, entities in MODEL.items()}
TOP_NAMES: dict[str, list[str]] = {
    name: list(dict.fromkeys(shown.split("/")[0] for shown in entities.shown if shown != "id"))
    + (["phenomenonTime", "resultTime"] if entities.rows == "sensing_stream" else [])
    for name, entities in MODEL.items()
}
