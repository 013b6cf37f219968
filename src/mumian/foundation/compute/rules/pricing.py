"""Pricing: what a job costs in a pool from a given hour on, and when it would be cheapest. Times are hours of local time."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pool:
    """A pool as the scheduler sees it; `tariff` holds (from hour, to hour, factor) of each day."""

    name: str
    cores: float
    memory: float
    gpus: dict[str, int] = field(default_factory=dict)
    core_hour: float = 0.0
    gpu_hour: float = 0.0
    tariff: tuple[tuple[float, float, float], ...] = ()
    renewable: float = 0.0
    grades: frozenset[str] = frozenset({"general"})
    personal: bool = False
    datasets: frozenset[str] = frozenset()


def _pieces(pool: Pool, start: float, hours: float) -> Iterator[tuple[float, float]]:
    """The stretches of equal price between two times: (hours, factor)."""
    marks = sorted({0.0, 24.0, *(hour for each in pool.tariff for hour in each[:2])})
    at, end = start, start + hours
    while at < end - 1e-9:
        day = at // 24 * 24
        hour = at - day
        if hour > 24 - 1e-9:
            day, hour = day + 24, 0.0
        following = day + min(mark for mark in marks if mark > hour + 1e-9)
        until = min(following, end)
        factor = next((f for low, high, f in pool.tariff if low <= hour + 1e-9 < high), 1.0)
        yield until - at, factor
        at = until


def weighed_hours(pool: Pool, start: float, hours: float) -> float:
    """The hours from `start` on, each weighed with its factor; whole days are not walked through one by one."""
    days = int(hours // 24)
    whole = sum(length * factor for length, factor in _pieces(pool, start, 24.0)) * days if days else 0.0
    return whole + sum(length * factor for length, factor in _pieces(pool, start + 24.0 * days, hours - 24.0 * days))


def cost(pool: Pool, cores: float, gpus: int, start: float, hours: float) -> float:
    """What cores and GPUs cost from `start` on for so many hours."""
    return (cores * pool.core_hour + gpus * pool.gpu_hour) * weighed_hours(pool, start, hours)


def starts(pool: Pool, now: float, latest: float) -> list[float]:
    """Now, and the moments until `latest` (a day ahead at most) at which the price changes."""
    marks = {hour for each in pool.tariff for hour in each[:2]}
    day = now // 24 * 24
    later = {day + shift + mark for shift in (0.0, 24.0) for mark in marks}
    return [now, *sorted(at for at in later if now < at <= min(latest, now + 24.0))]
