"""Live: serves the city on a replayed clock while feed and officers act over HTTP, as devices and people do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from mumian.app.commands import language
from mumian.app.server import log_to_stderr, serving, until_told_to_stop
from mumian.demo.accounts import Accounts
from mumian.demo.contracts import DemoOptions
from mumian.demo.feed import Feed
from mumian.demo.officers import Officers
from mumian.demo.opening import Opened, open_city
from mumian.foundation.identity.api import bootstrap
from mumian.foundation.sensing.api import Sensing, instant
from mumian.kernel.i18n import text

_HOUR = timedelta(hours=1)
_MOST_HOURS = 1000
_LOOK_SECONDS = 600.0
_SHORTEST, _LONGEST = 0.05, 5.0
_log = logging.getLogger("mumian.demo")


async def run_live(options: DemoOptions, city: Path) -> int:
    """Serve until told to stop."""
    log_to_stderr()
    opened = await asyncio.to_thread(open_city, options, city)
    password = await asyncio.to_thread(bootstrap, opened.platform)
    async with serving(opened.platform, options.host, options.port) as address:
        _greet(opened, options, address, password)
        async with httpx.AsyncClient(base_url=address, timeout=30.0, trust_env=False) as http:
            tasks = [asyncio.create_task(work) for work in await works(opened, http)]
            await until_told_to_stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return 0


async def works(opened: Opened, http: httpx.AsyncClient) -> list[Coroutine[Any, Any, None]]:
    """The feed and the officers, to be run beside the server."""
    accounts = Accounts(opened.platform)
    feed = Feed(http, await accounts.device(), opened.replay)
    officers = Officers(http, accounts, opened.platform.clock)
    await feed.open()
    return [_feeding(opened, feed), _repeat(opened, officers.act)]


async def _feeding(opened: Opened, feed: Feed) -> None:
    """Deliver every hour when it has come; what was delayed goes along with the next."""
    clock, position = opened.platform.clock, _first_missing(opened)
    while position < opened.end:
        until = min(clock.now(), opened.end, position + _MOST_HOURS * _HOUR)
        try:
            await feed.post(opened.replay.between(position, until))
            position = until
        except httpx.HTTPError as error:
            _log.warning("the feed is not heard: %s; it tries again", error)
        wait = 3600 - clock.now().timestamp() % 3600
        await asyncio.sleep(max(_SHORTEST, clock.real_seconds(wait)))
    print(text("demo.ended", language()), flush=True)


def _first_missing(opened: Opened) -> datetime:
    """The first hour that some stream lacks: a demo that was cut off goes on there, however far its clock had run."""
    sensing = opened.platform.get(Sensing)
    known = sensing.latest([sensing.stream(name).id for name in opened.replay.streams])
    if len(known) < len(opened.replay.streams):
        return opened.start.replace(minute=0, second=0, microsecond=0)
    return instant(int(known.times.min())) + _HOUR


async def _repeat(opened: Opened, act: Callable[[], Awaitable[int]]) -> None:
    while True:
        try:
            await act()
        except Exception as error:
            _log.warning("an officer could not act: %r; it tries again", error)
        await asyncio.sleep(min(max(_SHORTEST, opened.platform.clock.real_seconds(_LOOK_SECONDS)), _LONGEST))


def _greet(opened: Opened, options: DemoOptions, address: str, password: str | None) -> None:
    chosen, city = language(), opened.platform.declarations.all("City")[0]
    start = opened.start.astimezone(opened.replay.zone).strftime("%Y-%m-%d %H:%M")
    speed = f"{options.speed:g}"
    lines = [
        text("demo.started", chosen, title=city.title[chosen], address=address, start=start, speed=speed),
        text("demo.look" if opened.start == opened.replay.start else "demo.look_again", chosen),
        text("demo.sign_in", chosen, password=password) if password else text("demo.sign_in_again", chosen),
        text("demo.stop", chosen, home=opened.platform.home),
    ]
    print("\n".join(lines), flush=True)
