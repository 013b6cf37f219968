"""Health with hysteresis: one lost look is no outage, one lucky look no recovery."""

import msgspec

from mumian.foundation.video.contracts import Health, Probe

FAILURES = 3
SUCCESSES = 2


def after(health: Health, probe: Probe, now: str) -> Health:
    """The health after a look: offline or blind after three bad looks in a row, online again after two good ones.

    A camera never looked at takes the first look as it is. `tampered` is set by analysis and ends like an outage.
    """
    state = "offline" if not probe.reachable else "blind" if probe.blind else "online"
    good = state == "online"
    failures, successes = (0, health.successes + 1) if good else (health.failures + 1, 0)
    needed = successes >= SUCCESSES if good else failures >= FAILURES
    settled = state if health.state == "unknown" or needed or state == health.state else health.state
    seen = {"last_frame": now, "fps": probe.fps, "width": probe.width, "height": probe.height} if probe.reachable else {}
    return msgspec.structs.replace(
        health,
        state=settled,
        reason=probe.reason if settled != "online" else "",
        since=now if settled != health.state else health.since,
        checked=now,
        failures=min(failures, 1000),
        successes=min(successes, 1000),
        **seen,
    )


def unknown(camera: str, now: str) -> Health:
    """The health of a camera that nobody looked at."""
    return Health(camera=camera, state="unknown", reason="", since=now, checked="")
