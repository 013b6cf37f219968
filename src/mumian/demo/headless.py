"""Headless: the whole loop stepped hour by hour on a clock moved by hand, through the same doors, as fast as it goes."""

import asyncio
import json
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from mumian.app.web import create_asgi
from mumian.demo.accounts import Accounts
from mumian.demo.contracts import DemoOptions
from mumian.demo.feed import Feed
from mumian.demo.officers import Officers
from mumian.demo.opening import Opened, open_city
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.sensing.api import Sensing
from mumian.kernel.clock import ManualClock
from mumian.kernel.events import DeliveredEvent
from mumian.kernel.platform import Platform
from mumian.mechanism.evaluation.api import Evaluation

_WEIGHED = {"brain.vitals.evaluated": "vitals_evaluated", "sensing.observations.recorded": "observations"}
_COUNTED = {
    "brain.warnings.raised": "warnings_raised",
    "brain.warnings.lifted": "warnings_lifted",
    "brain.incidents.opened": "incidents_opened",
    "brain.incidents.closed": "incidents_closed",
}


async def run_headless(options: DemoOptions, city: Path) -> int:
    """Run it all, print the outcome; status 1 when the ledger does not prove it."""
    started = time.monotonic()
    opened = await asyncio.to_thread(open_city, options, city)
    outcome = await replay(opened)
    outcome["seconds"] = round(time.monotonic() - started, 2)
    if options.json:
        print(json.dumps(outcome), flush=True)
    else:
        print("\n".join(f"{name:18} {value}" for name, value in outcome.items()), flush=True)
    return 0 if outcome["ledger_verified"] else 1


async def replay(opened: Opened) -> dict[str, Any]:
    """Replay the span and tell what happened; stops the platform."""
    platform, counts = opened.platform, Counter[str]()
    _fold_daily(opened)
    platform.subscribe("*", "demo", lambda tx, event: _count(counts, event))
    await platform.start()
    try:
        transport = httpx.ASGITransport(create_asgi(platform), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://mumian.local", timeout=600.0) as http:
            await _step_through(opened, http)
        return await _outcome(platform, counts)
    finally:
        await platform.stop()


async def _step_through(opened: Opened, http: httpx.AsyncClient) -> None:
    platform, clock = opened.platform, opened.platform.clock
    assert isinstance(clock, ManualClock)
    accounts = Accounts(platform)
    feed = Feed(http, await accounts.device(), opened.replay)
    officers = Officers(http, accounts, clock)
    await feed.open()
    hour, now = timedelta(hours=1), opened.start
    while now < opened.end:
        clock.set(now)
        await feed.post(opened.replay.between(now, now + hour))
        await platform.settle()
        if await officers.act():
            await platform.settle()
        now += hour
    platform.get(Sensing).settings.settle_rows = 1
    await platform.settle()


def _fold_daily(opened: Opened) -> None:
    """Let observations move to the lake once a replayed day: a commit for every hour would cost more than it is worth."""
    settings = opened.platform.get(Sensing).settings
    settings.settle_rows = 24 * len(opened.replay.streams)


async def _outcome(platform: Platform, counts: Counter[str]) -> dict[str, Any]:
    now = platform.clock.now()
    figures = await platform.records.read(lambda session: platform.get(Evaluation).city(session, now))
    head = await platform.get(Ledger).sign()
    report = await platform.get(Ledger).verify()
    names = (*_WEIGHED.values(), *_COUNTED.values())
    return {
        **{name: counts[name] for name in sorted(names, key=_ORDER.index)},
        "on_time_rate": None if figures.on_time_rate is None else round(figures.on_time_rate, 4),
        "ledger_entries": head.size,
        "ledger_verified": not report.faults,
    }


_ORDER = ["observations", "vitals_evaluated", "warnings_raised", "warnings_lifted", "incidents_opened", "incidents_closed"]


def _count(counts: Counter[str], event: DeliveredEvent) -> None:
    if event.type in _COUNTED:
        counts[_COUNTED[event.type]] += 1
    elif event.type in _WEIGHED:
        counts[_WEIGHED[event.type]] += event.data["count"]
