"""A warning that rises after its incident was handled or closed is not lost: it opens another one."""

import httpx

from mumian.kernel.platform import Platform
from tests.brain.conftest import Observe, rows
from tests.brain.incidents.test_incidents import PATH, act, dusty

SHOWN = "SELECT number, state, severity FROM incidents_incident ORDER BY number"


async def walk(client: httpx.AsyncClient, *actions: str) -> None:
    incident = (await client.get(f"{PATH}/INC-20140101-0001")).json()
    for action in actions:
        incident = (await act(client, incident, action)).json()


async def test_a_warning_that_rises_after_its_incident_was_closed_opens_another(
    town: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    await dusty(observe)
    await walk(client, "take", "resolve", "verify", "close")
    for at in range(3, 10):
        await observe(at, north=500.0, south=1.0)
    assert [tuple(row.values()) for row in rows(town, SHOWN)] == [
        ("INC-20140101-0001", "closed", "minor"),
        ("INC-20140101-0002", "dispatched", "extreme"),
    ]
    assert len(rows(town, "SELECT DISTINCT warning FROM incidents_incident")) == 1


async def test_a_warning_that_falls_and_rises_again_to_what_was_handled_opens_none(
    town: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    for at in range(6):
        await observe(at, north=500.0, south=1.0)
    await walk(client, "take", "resolve", "verify", "close")
    for at, level in enumerate((60.0,) * 6 + (500.0,) * 6, 6):
        await observe(at, north=level, south=1.0)
    assert rows(town, "SELECT level, lifted_at FROM warnings_warning") == [{"level": "red", "lifted_at": None}]
    assert len(rows(town, SHOWN)) == 1


async def test_an_incident_that_is_returned_carries_the_present_severity(
    town: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    await dusty(observe)
    await walk(client, "take", "resolve")
    for at in range(3, 8):
        await observe(at, north=500.0, south=1.0)
    await walk(client, "return")
    assert [tuple(row.values()) for row in rows(town, SHOWN)] == [
        ("INC-20140101-0001", "handling", "extreme"),
        ("INC-20140101-0002", "dispatched", "extreme"),
    ]


async def test_a_warning_that_falls_after_its_incident_was_closed_opens_none(
    town: Platform, observe: Observe, client: httpx.AsyncClient
) -> None:
    for at in range(6):
        await observe(at, north=500.0, south=1.0)
    await walk(client, "take", "resolve", "verify", "close")
    for at in range(6, 10):
        await observe(at, north=60.0, south=1.0)
    assert rows(town, "SELECT level, lifted_at FROM warnings_warning") == [{"level": "blue", "lifted_at": None}]
    assert len(rows(town, SHOWN)) == 1
