"""A platform with a few streams, for the tests of sensing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import Document
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

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


def home_of(platform: Platform) -> Path:
    """Its data folder."""
    return platform.home
