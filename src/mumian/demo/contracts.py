"""Contracts of the demo: what the command line asks for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DemoOptions:
    """What to replay and how: `speed` as many times as real time, `from_` the first day, `days` how many, `city` its folder."""

    speed: float = 3600.0
    from_: str | None = None
    days: int | None = None
    headless: bool = False
    json: bool = False
    host: str = "127.0.0.1"
    port: int = 8080
    city: Path | None = None
