"""Opens the demo's city: claims the data folder, applies the city, and finds what is to be replayed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mumian.app.platform import apply_city, create_platform, offline
from mumian.demo.contracts import DemoOptions
from mumian.demo.errors import BadReplay, HomeTaken
from mumian.demo.home import claim
from mumian.demo.replay import Replay, read_replay
from mumian.kernel.clock import Clock, ManualClock, ReplayClock, parse_iso
from mumian.kernel.declarations.documents import read_path
from mumian.kernel.errors import Fault
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings

_DECLARATIONS = Path(__file__).parent / "declarations"


@dataclass(frozen=True)
class Opened:
    """A platform with the city in force, the data, and the span to replay (`end` excluded)."""

    platform: Platform
    replay: Replay
    start: datetime
    end: datetime


def open_city(options: DemoOptions, folder: Path) -> Opened:
    """Open the city, blocking; raises BadReplay, HomeTaken (also for records elsewhere that hold a city), Invalid."""
    replay = read_replay(folder, _timezone(folder))
    start = replay.day(options.from_)
    settings = Settings(host=options.host, port=options.port)
    resumed = claim(settings.home, options.headless)
    if resumed:
        start = _resumed(options, start)
    end = replay.times[-1] + timedelta(hours=1)
    if options.days is not None:
        end = min(end, start + timedelta(days=options.days))
    clock: Clock = ManualClock(start) if options.headless else ReplayClock(start, options.speed)
    platform = create_platform(settings, clock)
    if not resumed and platform.declarations.revision:
        close(platform)
        raise HomeTaken(home=settings.records.rpartition("@")[2])
    apply_city(platform, folder)
    platform.declarations.apply_now(read_path(_DECLARATIONS), "demo", prune=True)
    return Opened(platform, replay, start, end)


def close(platform: Platform) -> None:
    """Let go of a platform that was not started."""
    for closer in reversed(platform.closers):
        closer()
    platform.records.close()


def _timezone(folder: Path) -> str:
    for document in read_path(folder):
        if document.kind == "City":
            return str(document.spec.get("timezone", "UTC"))
    raise BadReplay(Fault("--city", "field.missing", {}, str(folder), 1))


def _resumed(options: DemoOptions, start: datetime) -> datetime:
    """A city that has lived goes on from its last event; it cannot go back."""
    with offline() as platform:
        last = platform.records.read_now(lambda session: session.value("SELECT MAX(time) FROM kernel_outbox"))
    if last is None:
        return start
    if options.from_ is not None:
        raise BadReplay(Fault("--from", "demo.resume", {"now": str(last)[:16].replace("T", " ")}))
    return parse_iso(str(last))
