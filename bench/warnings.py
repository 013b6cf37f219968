"""Warnings: how many rules are judged a second, and how many messages a person gets out of a storm of 50,000 warnings."""

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from mumian.app.platform import create_platform
from mumian.brain.warnings import rules
from mumian.brain.warnings.events import WarningRaised
from mumian.brain.warnings.rules import Line, Rule, Standing
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.kernel.clock import ManualClock, parse_iso
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Transaction

SAMPLES = 200_000
STORM = 50_000
_BATCH = 500
_START = parse_iso("2026-05-01T00:00:00Z")
_DECLARED = """
{kind: Channel, name: desk, title: {zh: 收件箱, en: Inbox}, spec: {way: inbox}}
---
kind: WarningRoute
name: all
title: {zh: 全部, en: All}
spec: {group_by: [rule], to: [{channel: desk, person: watch}]}
"""


def run(data: Path | None) -> list[dict[str, Any]]:
    """Four lines a rule with hysteresis and duration; a storm within ten minutes of 50,000 places under 5 rules."""
    return [_judged(), asyncio.run(_storm())]


def _judged() -> dict[str, Any]:
    lines = tuple(Line(level, 100.0 + 50 * level, 90.0 + 50 * level, 7_200_000_000) for level in range(4))
    rule, standing = Rule(lines, 1, 86_400_000_000), Standing()
    samples = [(3_600_000_000 * i, float(i * 37 % 320)) for i in range(SAMPLES)]
    start = time.perf_counter()
    for sample in samples:
        standing = rules.step(rule, standing, sample)
    seconds = time.perf_counter() - start
    return {
        "name": "warnings-judged",
        "value": SAMPLES / seconds,
        "unit": "rules/s",
        "size": f"{SAMPLES} samples, 4 lines a rule",
    }


async def _storm() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(
            home=Path(home), records="sqlite", lake="local", objects="local", messages="outbox", synchronous="normal"
        )
        clock = ManualClock(_START)
        platform = create_platform(settings, clock)
        await platform.declarations.apply(read_text(_DECLARED.encode()), "bench")
        draft = PersonDraft("watch", {"zh": "值守", "en": "Watch"}, None, ("administrator",))
        await platform.get(Identity).accounts.create_person(draft)
        await platform.start()
        start = time.perf_counter()
        for first in range(0, STORM, _BATCH):
            await platform.records.write(lambda tx, first=first: _raise(tx, first))  # type: ignore[misc]
            clock.advance(seconds=600 * _BATCH / STORM)
            await platform.settle()
        await _pass(platform, clock, 24)
        seconds = time.perf_counter() - start
        sql = "SELECT COUNT(*) FROM channels_message WHERE recipient = 'watch'"
        messages = platform.records.read_now(lambda session: session.value(sql))
        await platform.stop()
    return {
        "name": "warnings-storm",
        "value": messages,
        "unit": "messages a person",
        "size": f"{STORM} warnings of 5 rules in 10 minutes, then a day in which they stand; {STORM / seconds:.0f} warnings/s",
    }


async def _pass(platform: Platform, clock: ManualClock, hours: int) -> None:
    for _ in range(hours * 12):
        clock.set(clock.now() + timedelta(minutes=5))
        await platform.settle()


def _raise(tx: Transaction, first: int) -> None:
    for number in range(first, first + _BATCH):
        title = {"zh": f"测点 {number}", "en": f"Place {number}"}
        tx.emit(
            WarningRaised(
                subject=f"w{number}",
                rule=f"rule-{number % 5}",
                key=f"place-{number}",
                dimension="station",
                level=("blue", "yellow", "orange", "red")[min(number * 4 // STORM, 3)],
                previous=None,
                reason="entered",
                vital="level",
                time=tx.now_text,
                value=1.0,
                threshold=0.5,
                title=title,
                label=title,
                longitude=None,
                latitude=None,
            )
        )
