"""A client nobody here wrote: the FROST client creates, lists, filters, expands, pages, changes and deletes on a served city."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import frost_sta_client as fsc
import httpx
import pytest
import pytest_asyncio
from frost_sta_client.service.auth_handler import AuthHandler
from geojson import Point

from mumian.app.server import serving
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.sensing.conftest import STREAMS, build

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Address:
    """A served city: where it is, and the token of one who may do all."""

    def __init__(self, root: str, token: str) -> None:
        self.root = f"{root}/sta/v1.1"
        self.token = token

    def service(self) -> Any:
        """The client of who may do all."""
        return fsc.SensorThingsService(self.root, auth_handler=_Bearer(self.token))


class _Bearer(AuthHandler):  # type: ignore[misc]
    """Signs requests with a token."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def add_auth_header(self) -> Any:
        def sign(request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {self._token}"
            return request

        return sign


@pytest_asyncio.fixture
async def served(settings: Settings, clock: ManualClock) -> AsyncIterator[Address]:
    """A city on a port of its own."""
    made = build(settings, clock)
    accounts = made.get(Identity).accounts
    person, _ = accounts.create_person_now(PersonDraft("ada", {"zh": "艾达", "en": "Ada"}, None, ("administrator",)))
    token = accounts.create_token_now(person.id, "test", ["*"])[1]
    async with serving(made, "127.0.0.1", 0) as address:
        yield Address(address, token)


def furnish(service: Any) -> Any:
    """A thing with a place, two streams and thirty observations."""
    thing = fsc.Thing("oven", "a convection oven", properties={"owner": "kitchen"})
    thing.locations = [
        fsc.Location("hall", "where it stands", encoding_type="application/geo+json", location=Point((113.3, 23.1)))
    ]
    service.create(thing)
    for name in ("air", "door"):
        stream = fsc.Datastream(
            name=name,
            description=f"temperature of the {name}",
            observation_type="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            unit_of_measurement=fsc.UnitOfMeasurement("degree Celsius", "Cel", "http://unitsofmeasure.org/ucum.html#para-30"),
            thing=fsc.Thing(id=thing.id),
            sensor=fsc.Sensor(f"probe {name}", "a probe", encoding_type="text/html", metadata="http://example.org/probe"),
            observed_property=fsc.ObservedProperty("temperature", "http://example.org/temperature", "how warm"),
        )
        service.create(stream)
        for hour in range(15):
            service.create(
                fsc.Observation(
                    result=float(hour) + (100 if name == "door" else 0),
                    phenomenon_time=f"2013-12-31T{hour:02}:00:00Z",
                    datastream=fsc.Datastream(id=stream.id),
                )
            )
    return thing


def use(service: Any) -> None:
    """What the client's users do."""
    thing = furnish(service)
    found = service.things().query().filter("name eq 'oven' and properties/owner eq 'kitchen'").list()
    assert [one.id for one in found] == [thing.id]
    streams = service.datastreams().query().filter("Thing/name eq 'oven'").orderby("name", "desc").list().entities
    assert [one.name for one in streams] == ["door", "air"]
    warm = service.observations().query().filter("result ge 110 and Datastream/Thing/name eq 'oven'").count().list()
    assert warm.count == 5
    paged = service.observations().query().filter("Datastream/name eq 'air'").orderby("phenomenonTime", "desc").top(4).list()
    assert [one.result for one in paged] == [float(hour) for hour in range(14, -1, -1)]
    inner = "Datastreams($orderby=name;$expand=Observations($top=1;$orderby=phenomenonTime desc),ObservedProperty)"
    whole = service.things().query().filter(f"id eq {thing.id}").expand(f"{inner},Locations").list().entities[0]
    assert [one.observations.entities[0].result for one in whole.datastreams] == [14.0, 114.0]
    assert whole.locations.entities[0].location["coordinates"] == [113.3, 23.1]
    near = service.locations().query().filter("st_within(location, geography'POLYGON((113 23, 114 23, 114 24, 113 23))')").list()
    assert {one.name for one in near} <= {"hall", "station"}
    thing = service.things().find(thing.id)
    thing.description = "an old oven"
    service.update(thing)
    assert service.things().find(thing.id).description == "an old oven"
    service.delete(streams[0])
    assert [one.name for one in service.datastreams().query().filter("Thing/name eq 'oven'").list()] == ["air"]
    assert service.observations().query().filter("result ge 110").count().list().count == 0


async def test_the_frost_client_does_all_that_it_can(served: Address) -> None:
    await asyncio.to_thread(use, served.service())


async def test_observations_are_not_seen_by_a_detour(http: httpx.AsyncClient) -> None:
    cedar = 'forbid (principal, action == Action::"observation:read", resource);'
    policy = Document("Policy", "hidden", {"zh": "保密", "en": "Hidden"}, {"cedar": cedar})
    platform: Platform = http.platform  # type: ignore[attr-defined]
    await asyncio.to_thread(platform.declarations.apply_now, [*STREAMS, policy], "test")
    assert (await http.get("/sta/v1.1/Datastreams")).status_code == 200
    assert (await http.get("/sta/v1.1/Observations")).status_code == 403
    for query in ("$expand=Observations", "$expand=%4Fbservations", "$filter=Observations/result gt 1"):
        assert (await http.get(f"/sta/v1.1/Datastreams?{query}")).status_code == 403


async def test_a_whole_set_streams_as_csv(served: Address) -> None:
    await asyncio.to_thread(furnish, served.service())
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {served.token}"}) as client:
        answer = await client.get(f"{served.root}/Observations?$resultFormat=CSV&$select=result")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers.get("transfer-encoding") == "chunked"
        assert len(answer.text.splitlines()) == 31
        refused = await client.get(f"{served.root}/Observations?$filter=result%20gt", headers={"Accept-Language": "zh"})
        assert refused.status_code == 422
        assert "第 10 个字符" in refused.json()["errors"][0]["message"]
