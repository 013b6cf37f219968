"""Rendering: rows of the records and observations as entities of SensorThings, with links, and only what was selected."""

import json
from collections.abc import Callable, Iterable, Sequence
from math import isnan
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.sensing.contracts import NONE, Observations
from mumian.foundation.sensing.flags import names_of
from mumian.foundation.sensing.rules import instant
from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.model import EntitySet
from mumian.kernel.errors import Invalid
from mumian.kernel.unit_of_work import Row

Entity = dict[str, Any]
Spans = tuple[tuple[int, int] | None, tuple[int, int] | None]
Observed = tuple[int, int, int, float, int, int, str | None]
LINK = "@iot.navigationLink"
_PLAIN = ["id", "selfLink", "phenomenonTime", "resultTime", "result", "Datastream", "FeatureOfInterest"]
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_000_000


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
    links = {f"{name}{LINK}": f"{own}/{name}" for name in entities.links}
    times = {
        name: "/".join(written(moment) for moment in span)
        for name, span in zip(("phenomenonTime", "resultTime"), spans, strict=True)
        if span is not None
    }
    return {"@iot.id": row["id"], "@iot.selfLink": own, **_RENDER[entities.name](row), **times, **links}


def observation(row: Observed, base: str, multi: bool = False) -> Entity:
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


def plain_observations(rows: Sequence[Sequence[Any]], base: str, select: Sequence[tuple[str, ...]]) -> bytes | None:
    """Many observations as a JSON list, quickly, whole or with some properties; None where any has more to it than that."""
    wanted = [steps[0] for steps in select] or _PLAIN
    if any(name not in _PLAIN for name in wanted) or any(row[5] or row[6] is not None for row in rows):
        return None
    address = msgspec.json.encode(f"{base}/Observations(").decode()[:-1].replace("%", "%%")
    pieces: dict[str, tuple[str, Callable[[], list[str]]]] = {
        "id": ('"@iot.id":%s', lambda: [str(row[0]) for row in rows]),
        "selfLink": (f'"@iot.selfLink":{address}%s)"', lambda: [str(row[0]) for row in rows]),
        "phenomenonTime": ('"phenomenonTime":"%s"', lambda: _many([row[2] for row in rows])),
        "resultTime": ('"resultTime":%s', lambda: ["null" if row[4] == NONE else f'"{written(row[4])}"' for row in rows]),
        "result": ('"result":%s', lambda: _numbers([row[3] for row in rows])),
        "Datastream": (f'"Datastream{LINK}":{address}%s)/Datastream"', lambda: [str(row[0]) for row in rows]),
        "FeatureOfInterest": (
            f'"FeatureOfInterest{LINK}":{address}%s)/FeatureOfInterest"',
            lambda: [str(row[0]) for row in rows],
        ),
    }
    chosen = [pieces[name] for name in dict.fromkeys(wanted)]
    template = "{" + ",".join(text for text, _ in chosen) + "}"
    parts = [template % values for values in zip(*(make() for _, make in chosen), strict=True)]
    return f"[{','.join(parts)}]".encode()


def _numbers(results: list[float]) -> list[str]:
    """Many results as JSON, at once; missing ones as null."""
    return msgspec.json.encode(results)[1:-1].decode().split(",") if results else []


def _many(times: list[int]) -> list[str]:
    """Many times as ISO 8601, at once."""
    unit = "ms" if all(time % 1000 == 0 for time in times) else None
    if unit is None or (times and not _FIRST <= min(times) <= max(times) <= _LAST):
        return [written(time) for time in times]
    texts: list[str] = np.datetime_as_string(np.array(times, "datetime64[us]"), unit="ms").tolist()
    return [f"{text}Z" for text in texts]


def columns_of(rows: Observations) -> list[Observed]:
    """Rows as tuples of id, stream, time, result, result time, flags and details."""
    details = [None] * len(rows) if rows.details is None else rows.details.tolist()
    columns = (rows.ids, rows.streams, rows.times, rows.results, rows.result_times, rows.flags)
    return list(zip(*(column.tolist() for column in columns), details, strict=True))


def written(time: int) -> str:
    """µs since 1970 as ISO 8601 UTC, with milliseconds or microseconds as needed."""
    try:
        moment = instant(time)
    except OverflowError:
        return "9999-12-31T23:59:59.999Z" if time > 0 else "0001-01-01T00:00:00.000Z"
    return moment.isoformat(timespec="milliseconds" if time % 1000 == 0 else "microseconds").replace("+00:00", "Z")


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


TOP_NAMES: dict[str, list[str]] = {
    name: list(dict.fromkeys(shown.split("/")[0] for shown in entities.shown if shown != "id"))
    + (["phenomenonTime", "resultTime"] if entities.rows == "sensing_stream" else [])
    for name, entities in MODEL.items()
}
