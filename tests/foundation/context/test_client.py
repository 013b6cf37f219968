"""A client that nobody here wrote: ngsildclient, in an interpreter of its own, since its pins are older than ours."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from mumian.app.server import serving
from mumian.kernel.clock import ManualClock
from mumian.kernel.settings import Settings
from tests.foundation.context.conftest import build, token_for

PYTHON = os.environ.get("MUMIAN_TEST_NGSILDCLIENT")


@pytest.mark.skipif(not PYTHON, reason="MUMIAN_TEST_NGSILDCLIENT names no interpreter that has ngsildclient")
async def test_ngsildclient_writes_reads_queries_and_looks_back(settings: Settings, clock: ManualClock) -> None:
    made = build(settings, clock)
    token = token_for(made, "*")
    script = Path(__file__).with_name("client_session.py")
    async with serving(made, "127.0.0.1", 0) as address:
        child = await asyncio.create_subprocess_exec(
            PYTHON or "", str(script), address.rpartition(":")[2], token,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 0, errors.decode()[-2000:]
    seen = json.loads(out.decode().splitlines()[-1])
    assert (seen["created"], seen["exists"], seen["speed"], seen["batch"], seen["count"]) == (True, True, 50, 30, 31)
    assert seen["found"] == ["urn:ngsi-ld:Vehicle:C1", "urn:ngsi-ld:Vehicle:D29"]
    assert (seen["changed"], seen["past"]) == (60, [[60, "2013-12-31T22:00:00Z"]])
    assert (seen["subscriptions"], seen["unsubscribed"]) == (1, True)
    assert "Vehicle" in seen["types"]
    assert (seen["deleted"], seen["gone"]) == (True, True)
