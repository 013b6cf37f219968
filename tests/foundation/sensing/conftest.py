"""A platform with a few streams, for the tests of sensing."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.app.web import create_asgi
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.ids import new_id
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from tests.foundation.engines import ENGINES, records_url
from tests.foundation.sensing.writing import Client

PLACE = {"thing": "station", "longitude": 113.3, "latitude": 23.1}


def stream(name: str, **spec: object) -> Document:
    """The declaration of a stream."""
    body = {**PLACE, "observed_property": "pm25", "unit": "ug/m3", "frequency_seconds": 3600, **spec}
    return Document("Stream", name, {"zh": f"数据流 {name}", "en": f"Stream {name}"}, body)


STREAMS = [stream("a"), stream("b"), stream("c", minimum=0.0, maximum=100.0, observed_property="humidity", unit="%")]


def build(settings: Settings, clock: ManualClock) -> Platform:
    """A platform with the streams a, b and c."""
    made = create_platform(settings, clock)
    made.declarations.apply_now(STREAMS, "test")
    return made


@pytest_asyncio.fixture
async def sensed(settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """That platform, started."""
    made = build(settings, clock)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def sensing(sensed: Platform) -> Sensing:
    """Its sensing."""
    return sensed.get(Sensing)


def token_for(platform: Platform, *scopes: str) -> str:
    """A token that may do what `scopes` say: of a device, or of an administrator where they have to do with tasks or messages."""
    identity = platform.get(Identity)
    role = "administrator" if any(scope.startswith(("task:", "message:")) for scope in scopes) else "device"
    draft = PersonDraft(f"device-{new_id().lower()}", {"zh": "设备", "en": "Device"}, None, (role,))
    person, _ = identity.accounts.create_person_now(draft)
    return identity.accounts.create_token_now(person.id, "test", scopes)[1]


@pytest_asyncio.fixture
async def http(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a platform with the streams a, b and c, signed in as a device."""
    made = build(settings, clock)
    token = token_for(made, "sensing:*")
    await made.start()
    transport = httpx.ASGITransport(create_asgi(made), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as client:
        client.platform = made  # type: ignore[attr-defined]
        yield client
    await made.stop()


@pytest_asyncio.fixture(params=ENGINES)
async def sta(settings: Settings, clock: ManualClock, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A SensorThings client of a platform with the streams a, b and c, on each engine of the records."""
    url = records_url(request.param, f"sensing_{new_id().lower()}")
    made = build(settings.model_copy(update={"records": url}), clock)
    token = token_for(made, "sensing:*", "stream:read", "observation:read", "task:*")
    await made.start()
    transport = httpx.ASGITransport(create_asgi(made), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://city", headers=headers) as client:
        client.platform = made  # type: ignore[attr-defined]
        yield Client(client)
    await made.stop()
