"""Fixtures that every test may use: a platform on real engines in a folder of its own, stepped by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings as hypothesis_settings

from mumian.app.platform import apply_city, create_platform
from mumian.kernel.clock import ManualClock
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
hypothesis_settings.register_profile("mumian", deadline=None)
hypothesis_settings.load_profile("mumian")
START = datetime(2014, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at the start of 2014."""
    return ManualClock(START)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a city in a temporary folder, untouched by the environment."""
    return Settings(
        home=tmp_path / "home", records="sqlite", lake="local", objects="local", messages="outbox", synchronous="normal"
    )


@pytest_asyncio.fixture
async def platform(settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """An empty platform, started."""
    made = create_platform(settings, clock)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def city(settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """A platform with the city that comes with Mumian and all its services, started."""
    made = create_platform(settings, clock)
    apply_city(made, ROOT / "cities" / "guangzhou")
    await made.start()
    await made.settle()
    yield made
    await made.stop()


@pytest.fixture
def shared_data() -> Path:
    """The folder of open data that is not shipped; tests that need it are skipped where it is not there."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the shared open data are not here")
    return folder
