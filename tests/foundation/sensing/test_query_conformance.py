"""Every request of OGC 18-088 that reads: paths, pages, expansions, selections, orders, formats, and the root."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from mumian.foundation.sensing.sta import reading
from mumian.foundation.sensing.sta.conformance import MqttAddress
from mumian.foundation.sensing.sta.paths import parse_path
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.i18n import describe
from tests.foundation.engines import ENGINES
from tests.foundation.sensing.worlds import BASE, World, world_on


@pytest.fixture(scope="module", params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world on each engine of the records."""
    yield from world_on(request.param, "query_conformance", tmp_path_factory.mktemp("world"))


def get(world: World, address: str) -> Any:
    """What a GET of an address below the service's root answers."""
    path, _, query = address.removeprefix(BASE).partition("?")
    return world.runner.run(reading.read(world.sensing, parse_path(path, path), query.encode(), BASE))


def reply(world: World, address: str) -> reading.Reply:
    path, _, query = address.partition("?")
    return world.runner.run(reading.reply(world.sensing, parse_path(path, path), query.encode(), BASE))


def ids(found: Any) -> list[int]:
    return [item["@iot.id"] for item in found["value"]]


_SEEN = "Datastreams/Observations"
EXAMPLES = [
    "/",
    "/ObservedProperties",
    "/Things(1)",
    "/Observations(2)/resultTime",
    "/Observations(2)/resultTime/$value",
    "/Datastreams(1)/Observations",
    "/Datastreams(1)/Observations/$ref",
    "/Datastreams(1)/Observations(1)",
    "/Datastreams(1)/Observations(7)/phenomenonTime",
    "/Datastreams(1)/Thing/Locations(2)/name/$value",
    "/Things?$expand=Datastreams",
    "/Things?$expand=Datastreams/ObservedProperty",
    "/Datastreams(1)?$expand=Observations,ObservedProperty",
    "/Datastreams(1)?$expand=Observations($filter=result eq 1)",
    "/Observations?$select=result,resultTime",
    "/Datastreams(1)?$select=id,Observations&$expand=Observations/Datastream",
    "/Datastreams(1)?$expand=Observations($select=result)",
    "/Observations?$orderby=result",
    "/Observations?$expand=Datastream&$orderby=id desc, phenomenonTime",
    "/Things?$top=5",
    "/Observations?$top=5&$orderby=phenomenonTime%20desc",
    "/Things?$skip=5",
    "/Observations?$skip=2&$top=2&$orderby=resultTime",
    "/Things?$count=true",
    "/Observations?$filter=result lt 10.00",
    "/Observations?$filter=Datastream/id eq '1'",
    "/Things?$filter=geo.distance(Locations/location, geography'POINT(-122 43)') gt 1",
    (
        f"/Things?$expand={_SEEN}/FeatureOfInterest&$filter={_SEEN}/FeatureOfInterest/id eq 1 and "
        f"{_SEEN}/resultTime ge 2010-06-01T00:00:00Z and {_SEEN}/resultTime le 2010-07-01T00:00:00Z"
    ),
    "/Datastreams?$filter=unitOfMeasurement/name eq 'degree Celsius'",
    "/Datastreams?$filter=unitOfMeasurement/name ne 'degree Celsius'",
    "/Observations?$filter=result ge 20.0",
    "/Observations?$filter=result le 3.5 and FeatureOfInterest/id eq '1'",
    "/Observations?$filter=result gt 20 or result le 3.5",
    "/Things?$filter=not startswith(description,'test')",
    "/Observations?$filter=result add 5 gt 10",
    "/Observations?$filter=result sub 5 gt 10",
    "/Observations?$filter=result mul 2 gt 2000",
    "/Observations?$filter=result div 2 gt 4",
    "/Observations?$filter=result mod 2 eq 0",
    "/Observations?$filter=(result sub 5) gt 10",
    "/Things?$filter=substringof('Sensor Things',description)",
    "/Things?$filter=endswith(description,'Things')",
    "/Things?$filter=length(description) eq 13",
    "/Things?$filter=indexof(description,'Sensor') eq 1",
    "/Things?$filter=substring(description,1) eq 'ensor Things'",
    "/Things?$filter=tolower(description) eq 'sensor things'",
    "/Things?$filter=toupper(description) eq 'SENSOR THINGS'",
    "/Things?$filter=trim(description) eq 'Sensor Things'",
    "/Datastreams?$filter=concat(concat(unitOfMeasurement/symbol,', '), unitOfMeasurement/name) eq 'degree, Celsius'",
    "/Observations?$filter=year(resultTime) eq 2015",
    "/Observations?$filter=date(resultTime) ne date(validTime)",
    "/Observations?$filter=time(resultTime) le validTime",
    "/Observations?$filter=totaloffsetminutes(resultTime) eq 60",
    "/Observations?$filter=resultTime ge now()",
    "/Observations?$filter=resultTime eq mindatetime()",
    "/Observations?$filter=before(2016-07-26T09:56:00Z, validTime)",
    "/Observations?$filter=during(2016-01-02T01:01:01.000Z/2016-01-03T23:59:59.999Z, validTime)",
    "/Observations?$filter=finishes(validTime, 2016-01-02T01:01:01.000Z/2016-01-03T23:59:59.999Z)",
    "/Observations?$filter=round(result) eq 32 or floor(result) eq 32 or ceiling(result) eq 33",
    "/Locations?$filter=geo.length(geography'LINESTRING (30 10, 10 30, 40 40)') gt 1 or id gt 0",
    "/Locations?$filter=geo.intersects(location, geography'POLYGON ((30 10, 10 20, 20 40, 40 40, 30 10))')",
    "/Locations?$filter=st_relate(location, geography'POLYGON ((30 10, 10 20, 20 40, 40 40, 30 10))', 'T********')",
    "/Observations?$resultFormat=dataArray",
]


@pytest.mark.parametrize("address", EXAMPLES)
def test_every_example_of_the_standard_is_answered(world: World, address: str) -> None:
    path, mark, query = address.partition("?")
    answer = reply(world, path + mark + quote(query, safe="$=&%"))
    assert answer.status == 200
    if answer.media == reading.JSON:
        assert msgspec.json.decode(answer.body)


def test_pages_by_keys_are_not_disturbed_by_what_comes_between(world: World) -> None:
    seen: list[int] = []
    link = "/Observations?$top=7&$orderby=result%20desc,phenomenonTime&$count=true"
    while link:
        page = get(world, link)
        assert page["@iot.count"] == 60
        seen += ids(page)
        link = page.get("@iot.nextLink", "")
    assert sorted(seen) == list(range(1, 61))
    numbers = [get(world, f"/Observations({number})").get("result") for number in seen]
    missing = [not isinstance(number, int | float) or isinstance(number, bool) for number in numbers]
    assert missing == sorted(missing), "missing numbers come last in descending order"


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("Things", "properties/size"),
        ("Things", "properties/size desc,name"),
        ("Things", "name desc"),
        ("Datastreams", "Thing/name,unitOfMeasurement/symbol desc"),
        ("Observations", "phenomenonTime desc"),
        ("Observations", "validTime,id desc"),
        ("Observations", "result"),
        ("Observations", "resultQuality desc"),
        ("Locations", "length(name) desc"),
    ],
)
def test_any_order_is_paged_completely(world: World, name: str, order: str) -> None:
    every = ids(get(world, f"/{name}?$top=1000&$orderby={quote(order)}"))
    seen, link = [], f"/{name}?$top=3&$orderby={quote(order)}"
    while link:
        page = get(world, link)
        seen += ids(page)
        link = page.get("@iot.nextLink", "")
    assert seen == every
    assert sorted(seen) == [one.id for one in world.sets[name]]


def test_missing_values_come_first_in_ascending_order(world: World) -> None:
    assert ids(get(world, "/Observations?$top=3&$orderby=resultTime,id")) == [1, 4, 7]
    assert ids(get(world, "/Observations?$top=1&$orderby=resultTime%20desc"))[0] not in (1, 4, 7)


def test_links_are_expanded_to_any_depth_with_options_of_their_own(world: World) -> None:
    inner = "Observations($top=2;$orderby=phenomenonTime desc;$select=id,result;$count=true)"
    options = f"Datastreams($filter=id gt 2;$orderby=id desc;$select=name;$count=true;$expand={inner},ObservedProperty)"
    found = get(world, f"/Things?$expand={quote(options)}")["value"]
    assert [thing["Datastreams@iot.count"] for thing in found] == [2, 1, 1, 2, 0, 0]
    first = found[0]["Datastreams"]
    assert [set(stream) for stream in first] == [
        {"name", "Observations", "Observations@iot.count", "ObservedProperty"},
        {"name", "Observations", "Observations@iot.count", "Observations@iot.nextLink", "ObservedProperty"},
    ]
    assert (first[0]["Observations"], first[0]["Observations@iot.count"]) == ([], 0)
    assert first[1]["Observations@iot.count"] == 10
    newest = first[1]["Observations"]
    assert [item["@iot.id"] for item in newest] == [58, 52]
    following = get(world, first[1]["Observations@iot.nextLink"])
    assert (ids(following), set(following["value"][0])) == ([46, 40], {"@iot.id", "result"})


def test_expanded_pages_are_those_of_the_link_itself(world: World) -> None:
    for thing in get(world, "/Things?$expand=Datastreams($top=1;$skip=1),Locations,HistoricalLocations")["value"]:
        own = get(world, f"/Things({thing['@iot.id']})/Datastreams?$top=1&$skip=1")
        assert thing["Datastreams"] == own["value"]
        assert ("Datastreams@iot.nextLink" in thing) == ("@iot.nextLink" in own)
        assert thing["Locations"] == get(world, f"/Things({thing['@iot.id']})/Locations")["value"]


def test_observations_are_expanded_to_their_streams(world: World) -> None:
    found = get(world, "/Observations?$top=60&$expand=Datastream($select=id;$expand=Thing($select=name),Sensor)")["value"]
    for item in found:
        assert item["Datastream"]["@iot.id"] == 1 + (item["@iot.id"] - 1) % 6
        assert set(item["Datastream"]) == {"@iot.id", "Thing", "Sensor"}


def test_each_set_of_each_level_is_asked_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    records = world.sensing.platform.records
    read = records.read

    async def counted(work: Any) -> Any:
        asked.append("records")
        return await read(work)

    monkeypatch.setattr(records, "read", counted)
    found = get(
        world, "/Things?$expand=Datastreams($expand=ObservedProperty,Sensor($expand=Datastreams)),Locations($expand=Things)"
    )
    assert sum(len(thing["Datastreams"]) for thing in found["value"]) == 8
    assert len(asked) == 7


def test_only_what_is_selected_is_told(world: World) -> None:
    found = get(world, "/Datastreams(3)?$select=id,properties/tag,unitOfMeasurement/symbol,Observations")
    assert found == {
        "@iot.id": 3,
        "properties": {"tag": None},
        "unitOfMeasurement": {"symbol": "Cel"},
        "Observations@iot.navigationLink": f"{BASE}/Datastreams(3)/Observations",
    }


def test_properties_have_addresses_to_any_depth(world: World) -> None:
    assert get(world, "/Things(3)/properties/deep/on") == {"on": True}
    assert get(world, "/Datastreams(3)/unitOfMeasurement/symbol/$value") == "Cel"
    assert get(world, "/Locations(2)/location/coordinates[0]/$value") == "113.2"
    assert get(world, "/Datastreams(3)/Observations(57)/result/$value") == "14.0"
    assert get(world, "/Things(1)/id") == {"id": 1}
    assert reply(world, "/Observations(1)/resultTime").status == 204
    for missing in ("/Things(1)/colour", "/Things(3)/properties/deep/off", "/Things(99)", "/Things(1)/Datastreams(1)", "/Cars"):
        with pytest.raises(NotFound):
            get(world, missing)


def test_times_of_streams_span_their_observations(world: World) -> None:
    stream = get(world, "/Datastreams(1)")
    assert re.fullmatch(r"2014-01-01T00:00:00.000Z/2014-01-01T\d\d:00:00.000Z", stream["phenomenonTime"])
    assert "phenomenonTime" not in get(world, "/Datastreams(8)")


def test_periods_and_kinds_of_results_are_told(world: World) -> None:
    first, fourth, fifth = (get(world, f"/Observations({number})") for number in (1, 4, 5))
    assert first["phenomenonTime"] == "2014-01-01T00:00:00.000Z/2014-01-01T01:00:00.000Z"
    assert (first["result"], fourth["result"], fifth["result"]) == (0.0, "10", "alpha")
    assert fifth["resultQuality"] == ["out-of-range", "spike"]
    assert first["validTime"] == "2014-01-01T00:00:00.000Z/2014-01-01T02:00:00.000Z"
    assert get(world, "/Observations(2)")["parameters"] == {"x": 1}


def test_data_arrays_are_grouped_by_stream(world: World) -> None:
    found = get(world, "/Observations?$resultFormat=dataArray&$select=id,result&$top=12&$count=true")
    assert (found["@iot.count"], len(found["value"])) == (60, 6)
    first = found["value"][0]
    assert first["Datastream@iot.navigationLink"] == f"{BASE}/Datastreams(1)"
    assert (first["components"], first["dataArray@iot.count"]) == (["id", "result"], 2)
    assert first["dataArray"][0] == [1, 0.0]
    assert "@iot.nextLink" in found


def test_csv_has_all_rows_and_no_pages(world: World) -> None:
    text = get(world, "/Observations?$resultFormat=CSV&$select=id,result&$expand=Datastream($select=name)")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["id", "result", "Datastream/name"]
    assert [int(row[0]) for row in rows[1:]] == list(range(1, 61))
    assert rows[1] == ["1", "0.0", "Alpha"]
    few = list(csv.reader(io.StringIO(get(world, "/Datastreams?$resultFormat=CSV&$top=3&$orderby=id%20desc"))))
    assert [row[0] for row in few] == ["id", "8", "7", "6"]
    assert "unitOfMeasurement/symbol" in few[0]


@pytest.mark.parametrize("query", ["$resultFormat=CSV&$expand=Observations", "$resultFormat=dataArray&$expand=Thing"])
def test_flat_formats_refuse_what_they_cannot_hold(world: World, query: str) -> None:
    with pytest.raises(Invalid) as caught:
        get(world, f"/Datastreams?{query}")
    assert caught.value.faults[0].field == "$expand"
    assert "CSV" in describe(caught.value, "zh") or "dataArray" in describe(caught.value, "zh")


def test_every_set_of_the_root_is_there(world: World) -> None:
    root = get(world, "/")
    assert {entry["name"] for entry in root["value"]} >= {"Things", "HistoricalLocations", "MultiDatastreams", "Tasks"}
    for entry in root["value"]:
        assert "value" in get(world, entry["url"])
    assert all(claim.startswith("http") for claim in root["serverSettings"]["conformance"])


def test_the_root_tells_where_mqtt_is_spoken_if_it_is(world: World) -> None:
    platform = world.sensing.platform
    assert not any("mqtt" in claim for claim in get(world, "/")["serverSettings"]["conformance"])
    own = platform.get(MqttAddress)
    platform.provide(MqttAddress, MqttAddress(lambda: "mqtt://city:1883"))
    settings = get(world, "/")["serverSettings"]
    platform.provide(MqttAddress, own)
    claims = [claim for claim in settings["conformance"] if "via-mqtt" in claim]
    assert [settings[claim] for claim in claims] == [{"endpoints": ["mqtt://city:1883"]}] * 2


def test_a_forged_page_token_is_refused(world: World) -> None:
    for token in ("W10", "WyJ4Il0", "WzEsMl0", "e30", "WzFlOTk5XQ"):
        with pytest.raises(Invalid) as caught:
            get(world, f"/Things?$skiptoken={token}")
        assert caught.value.faults[0].field == "$skiptoken"
