"""The demo: `run(DemoOptions(...))` replays a city's data, live in the browser or headless in one go."""

from pathlib import Path

import uvloop

import mumian
from mumian.app.commands import guard
from mumian.demo.contracts import DemoOptions
from mumian.demo.errors import BadReplay
from mumian.kernel.errors import Fault, Invalid

__all__ = ["DemoOptions", "run"]


def run(options: DemoOptions) -> int:
    """Run the demo to its end (headless) or until it is stopped; returns the exit status."""

    def work() -> int:
        _check(options)
        city = options.city or city_folder()
        if options.headless:
            from mumian.demo.headless import run_headless

            return uvloop.run(run_headless(options, city))
        from mumian.demo.live import run_live

        return uvloop.run(run_live(options, city))

    return int(guard(work))


def city_folder() -> Path:
    """The city that comes with Mumian: the first with data to replay, beside the package or in the checkout; raises BadReplay."""
    package = Path(mumian.__file__).resolve().parent
    for root in (package / "cities", package.parent.parent / "cities"):
        for manifest in sorted(root.glob("*/data/replay.toml")):
            return manifest.parent.parent
    raise BadReplay(Fault("--city", "demo.no_manifest", {"folder": str(package.parent.parent / "cities")}))


def _check(options: DemoOptions) -> None:
    faults = []
    if not 0 < options.speed <= 1_000_000:
        faults.append(Fault("--speed", "field.range", {"expected": "> 0, ≤ 1000000"}))
    if options.days is not None and not 1 <= options.days <= 36_600:
        faults.append(Fault("--days", "field.range", {"expected": "1…36600"}))
    if not 0 <= options.port <= 65_535:
        faults.append(Fault("--port", "field.range", {"expected": "0…65535"}))
    if faults:
        raise Invalid(*faults)
