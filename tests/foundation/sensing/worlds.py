"""A small world in all sets, kept in memory as well: half of its observations are in the lake and half still wait."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import quote

import numpy as np

from mumian.app.platform import create_platform
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Observations
from mumian.foundation.sensing.sta import reading
from mumian.foundation.sensing.sta.paths import parse_path
from mumian.foundation.sensing.sta.syntax import Expression
from mumian.kernel.clock import ManualClock
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Transaction
from tests.conftest import START as NOW
from tests.foundation.engines import records_url
from tests.foundation.sensing.brute_force import Json, Thing, Time
from tests.foundation.sensing.query_texts import HOUR, START, write

BASE = "http://city/sta/v1.1"
NAMES = ["alpha", "Alpha", "beta gamma", " it's ", "木棉", "b"]
PROPERTIES = [
    {"size": 3, "tag": "a"},
    {"size": "3", "tag": "b"},
    {},
    {"size": 10.25, "deep": {"on": True}},
    {"tag": None, "size": 0},
]
ANYTHING = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Observation"


class World:
    """A platform with some entities, and the same entities in memory."""

    def __init__(self, sensing: Sensing, runner: asyncio.Runner, sets: dict[str, list[Thing]]) -> None:
        self.sensing = sensing
        self.runner = runner
        self.sets = sets

    def read(self, path: str, **options: str) -> Any:
        query = "&".join(f"${name}={quote(value)}" for name, value in options.items())
        return self.runner.run(reading.read(self.sensing, parse_path(path, path), query.encode(), BASE))

    def chosen(self, path: str, condition: Expression) -> list[int]:
        return [item["@iot.id"] for item in self.read(path, filter=write(condition), top="1000")["value"]]


def entity(number: int, properties: dict[str, Any], own: dict[str, Any]) -> Thing:
    found = {f"properties/{name}": Json(value) for name, value in own.items() if name != "deep"}
    missing = {f"properties/{name}": Json(None) for name in ("size", "tag") if name not in own}
    return Thing(number, {**properties, **missing, **found})


def furnish(tx: Transaction) -> dict[str, list[Thing]]:
    """Six things with locations, and eight streams of them."""
    sets: dict[str, list[Thing]] = {name: [] for name in ("Things", "Locations", "Datastreams", "Sensors", "ObservedProperties")}
    run = tx.session.execute
    for number, name in enumerate(NAMES, 1):
        own = PROPERTIES[number % len(PROPERTIES)]
        row = {"id": number, "name": name, "d": f"about {name}", "p": json.dumps(own), "x": 113 + number / 10, "y": 23.0}
        point = json.dumps({"type": "Point", "coordinates": [row["x"], row["y"]]})
        run("INSERT INTO sensing_thing (id, name, description, properties, longitude, latitude, origin) "
            "VALUES (:id, :name, :d, :p, :x, :y, 'sensorthings')", **row)  # fmt: skip
        run("INSERT INTO sensing_location (id, name, description, encoding, location, properties, west, south, east, north) "
            "VALUES (:id, :name, :d, 'application/geo+json', :l, :p, :x, :y, :x, :y)", **row, l=point)  # fmt: skip
        run("INSERT INTO sensing_sensor (id, name, description, encoding, metadata, properties) "
            "VALUES (:id, :name, :d, 'text/html', 'm', :p)", id=number, name=name, d=row["d"], p=row["p"])  # fmt: skip
        run("INSERT INTO sensing_property (id, name, definition, description, properties) "
            "VALUES (:id, :name, 'x', :d, :p)", id=number, name=name, d=row["d"], p=row["p"])  # fmt: skip
        for kind in ("Things", "Locations", "Sensors", "ObservedProperties"):
            sets[kind].append(entity(number, {"name": name, "description": row["d"]}, own))
    for thing, location in ((1, 1), (1, 2), (2, 2), (3, 4), (5, 5)):
        run("INSERT INTO sensing_thing_location (thing, location) VALUES (:t, :l)", t=thing, l=location)
        sets["Things"][thing - 1].links.setdefault("Locations", []).append(sets["Locations"][location - 1])
        sets["Locations"][location - 1].links.setdefault("Things", []).append(sets["Things"][thing - 1])
    for number in range(1, 9):
        thing, sensor, seen = 1 + number % 4, 1 + number % 6, 1 + number % 3
        own = PROPERTIES[number % len(PROPERTIES)]
        row = {"id": number, "name": f"s{number}", "title": NAMES[number % 6], "thing": thing, "sensor": sensor, "seen": seen}
        row |= {"unit": "Cel" if number % 2 else "", "p": json.dumps(own), "any": ANYTHING}
        run("INSERT INTO sensing_stream (id, name, title_zh, title_en, description, thing, sensor, property, unit, unit_name, "
            "unit_definition, origin, retired, properties, observation_type) VALUES (:id, :name, :title, :title, 'd', :thing, "
            ":sensor, :seen, :unit, 'n', '', 'sensorthings', 0, :p, :any)", **row)  # fmt: skip
        found = entity(number, {"name": row["title"], "unitOfMeasurement/symbol": "Cel" if number % 2 else ""}, own)
        links = {"Thing": sets["Things"][thing - 1], "Sensor": sets["Sensors"][sensor - 1]}
        links["ObservedProperty"] = sets["ObservedProperties"][seen - 1]
        found.links = {name: [target] for name, target in links.items()}
        sets["Things"][thing - 1].links.setdefault("Datastreams", []).append(found)
        sets["Datastreams"].append(found)
    run("INSERT INTO kernel_sequence (name, value) VALUES ('sensing.stream', 8)")
    return sets


def observed(sets: dict[str, list[Thing]]) -> Observations:
    """Sixty observations of six streams: numbers, missing values, texts, truths, periods, flags, parameters."""
    rows: list[tuple[Any, ...]] = []
    for number in range(60):
        stream, time = 1 + number % 6, START + (number // 6) * HOUR + (number % 3) * 500_000
        value: Any = [number / 4, None, -2.5, "10", "alpha", True, 10][number % 7]
        plain = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        detail: dict[str, Any] = {} if plain else {"result": value}
        end = time + HOUR if number % 5 == 0 else time
        detail |= {"end": end} if end != time else {}
        valid = [time, time + 2 * HOUR] if number % 4 == 0 else None
        detail |= {"validTime": valid} if valid else {}
        detail |= {"parameters": {"x": number}} if number % 6 == 1 else {}
        result_time = None if number % 3 == 0 else time + HOUR
        flags = [0, 0, 4, 0, 5][number % 5]
        rows.append((stream, time, float(value) if plain and value is not None else np.nan, result_time, flags, detail))
        found = Thing(number + 1, {"result": Json(value, result=True), "phenomenonTime": Time(time, end)})
        found.properties["resultTime"] = None if result_time is None else Time(result_time, result_time)
        found.properties["validTime"] = None if valid is None else Time(*valid)
        found.properties["parameters/x"] = Json(number if number % 6 == 1 else None)
        found.links["Datastream"] = [sets["Datastreams"][stream - 1]]
        sets["Datastreams"][stream - 1].links.setdefault("Observations", []).append(found)
        sets.setdefault("Observations", []).append(found)
    none = np.iinfo(np.int64).min
    return Observations(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        result_times=np.array([none if row[3] is None else row[3] for row in rows], np.int64),
        flags=np.array([row[4] for row in rows], np.int64),
        details=np.array([json.dumps(row[5]) if row[5] else None for row in rows], np.object_),
    )


def world_on(engine: str, schema: str, home: FilePath) -> Iterator[World]:
    """The world on one engine."""
    url = records_url(engine, schema)
    made = create_platform(
        Settings(home=home, records=url, lake="local", objects="local", messages="outbox", synchronous="normal"), ManualClock(NOW)
    )
    sets = made.records.write_now(furnish)
    sensing = made.get(Sensing)
    sensing.registry.changed()
    with asyncio.Runner() as runner:
        runner.run(made.start())
        rows = observed(sets)
        sensing.settings.future_seconds = 10**9
        for part in (slice(0, 30), slice(30, 60)):
            runner.run(sensing.record(rows.take(part)))
            runner.run(sensing.folding.fold() if part.start == 0 else asyncio.sleep(0))
        yield World(sensing, runner, sets)
        runner.run(made.stop())
