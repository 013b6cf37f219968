"""A platform with a few streams, and a client that speaks NGSI-LD to it."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.app.web import create_asgi
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.engines import ENGINES, records_url

ROOT = "/ngsi-ld/v1"
STATION = "urn:ngsi-ld:AirQualityObserved:station"


def stream(name: str, **spec: object) -> Document:
    """The declaration of a stream."""
    body = {"thing": "station", "longitude": 113.3, "latitude": 23.1, "observed_property": "pm25", "unit": "ug/m3", **spec}
    return Document("Stream", name, {"zh": f"数据流 {name}", "en": f"Stream {name}"}, body)


STREAMS = [stream("a"), stream("b", observed_property="no2"), stream("c", minimum=0.0, maximum=500.0)]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings on each engine of the records."""
    return settings.model_copy(update={"records": records_url(request.param, "context_test")})


def build(settings: Settings, clock: ManualClock) -> Platform:
    """A platform with three streams of one station."""
    made = create_platform(settings, clock)
    made.declarations.apply_now(STREAMS, "test")
    return made


def token_for(platform: Platform, *scopes: str, role: str = "administrator") -> str:
    """A token of somebody who may do what `scopes` say."""
    accounts = platform.get(Identity).accounts
    draft = PersonDraft(f"person-{new_id().lower()}", {"zh": "某人", "en": "Somebody"}, None, (role,))
    person, _ = accounts.create_person_now(draft)
    return accounts.create_token_now(person.id, "test", scopes)[1]


def client_of(platform: Platform, token: str | None) -> httpx.AsyncClient:
    """A client of a platform; a stepped one must be settled by hand."""
    transport = httpx.ASGITransport(create_asgi(platform), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers)
    client.platform = platform  # type: ignore[attr-defined]
    return client


@pytest_asyncio.fixture
async def http(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a platform with three streams, signed in as an administrator."""
    made = build(settings, clock)
    token = token_for(made, "*")
    await made.start()
    async with client_of(made, token) as client:
        yield client
    await made.stop()


def vehicle(number: int = 1, **more: object) -> dict[str, object]:
    """An entity as the standard's examples have it."""
    return {
        "id": f"urn:ngsi-ld:Vehicle:A{number}",
        "type": "Vehicle",
        "brand": {"type": "Property", "value": "Kia"},
        "speed": {"type": "Property", "value": 40 + number, "unitCode": "KMH", "observedAt": "2013-12-31T22:00:00Z"},
        "isParked": {
            "type": "Relationship",
            "object": "urn:ngsi-ld:OffStreetParking:P1",
            "providedBy": {"type": "Relationship", "object": "urn:ngsi-ld:Person:Bob"},
        },
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [113.3 + number / 100, 23.1]}},
        **more,
    }
