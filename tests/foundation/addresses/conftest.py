"""A library of a few addresses in a small town, on every engine."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from mumian.foundation.addresses.service.parsing import Parser, make_parser
from mumian.kernel.platform import Platform
from tests.foundation.addresses.town import Town, open_town
from tests.foundation.engines import ENGINES, records_url

HEADER = "code,division,road,number,poi,building,unit,room,longitude,latitude,valid_from\n"
ROWS = """\
a1,440106001,五山路,381号,,,,,113.3440,23.1500,2013-01-01
a2,440106001,五山路,385号,,,,,113.3444,23.1510,2013-01-01
a3,440106001,五山路,383号,华南花园,6栋,2单元,1203室,113.3442,23.1505,2013-01-01
a4,440106001,五山路,383号,华南花园,6栋,2单元,1204室,113.3442,23.1505,2013-01-01
a5,440106001,天河路,208号,天河城广场,,,,113.3230,23.1330,2013-01-01
a6,440106001,体育西路,103号,维多利广场,,,,113.3210,23.1331,2013-01-01
a7,440106001,天河路,200号,,,,,113.3212,23.1330,2013-01-01
a8,440104001,北京路,168号,,,,,113.2650,23.1220,2013-01-01
a9,110101001,北京路,168号,,,,,116.4000,39.9100,2013-01-01
"""


@pytest.fixture(scope="session")
def parser() -> Parser:
    """The rules with the divisions of the whole country."""
    return make_parser()


@pytest.fixture(params=ENGINES)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A town without any address."""
    made = open_town(tmp_path / "home", records_url(request.param, "addresses_test"))
    yield made
    made.platform.records.close()


@pytest_asyncio.fixture
async def library(town: Town) -> Platform:
    """The platform of a town whose library holds ROWS."""
    report = await town.fill(HEADER + ROWS)
    assert (report.added, report.refused) == (9, 0), report
    return town.platform


@pytest_asyncio.fixture
async def http(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client of the addresses' API."""
    async with town.client() as client:
        yield client
