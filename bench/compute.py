"""A made day of 600 jobs in three pools: first come first served beside our scheduler, by energy cost, waiting and fairness."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

JOBS, ORGANISATIONS = 600, 8
STEP, PATIENCE, SAVING = 0.25, 12.0, 0.1
_NIGHT = ((0.0, 8.0, 0.4), (10.0, 12.0, 1.7), (14.0, 19.0, 1.7))
Figure = dict[str, Any]


def run(data: Path | None) -> list[Figure]:
    """Play the same day twice and compare."""
    pools, jobs = _pools(), _jobs()
    size = (
        f"{JOBS} made jobs of {ORGANISATIONS} organisations in a day, {len(pools)} pools, {sum(p.cores for p in pools):.0f} cores"
    )
    first = _played(pools, jobs, _first_come)
    began = time.perf_counter()
    ours = _played(pools, jobs, _ours)
    seconds = time.perf_counter() - began
    peer = "first come first served, first pool with room"
    rows = [
        ("compute energy and rent", "cost", "currency"),
        ("compute price of an hour with time to spare", "spare", "currency/core-hour"),
        ("compute jobs near their data", "near", "ratio"),
        ("compute mean wait", "wait", "h"),
        ("compute mean wait without spare time", "urgent", "h"),
        ("compute fairness of slowdown (Jain)", "fairness", "ratio"),
        ("compute deadlines missed", "missed", "jobs"),
    ]
    told = [{"name": n, "value": ours[k], "unit": u, "size": size, "peer": peer, "peer_value": first[k]} for n, k, u in rows]
    rounds = ours["rounds"]
    return [*told, {"name": "compute scheduling round", "value": seconds / rounds * 1000, "unit": "ms", "size": size}]


def _pools() -> list[Any]:
    from mumian.foundation.compute.rules.pricing import Pool

    both = frozenset({"general", "important"})
    return [
        Pool("a-centre", 256, 1024, {"A": 16}, 0.5, 8.0, _NIGHT, 0.2, datasets=frozenset({"d0", "d1"})),
        Pool("b-cloud", 128, 512, {}, 0.4, 0.0, _NIGHT, 0.1, both, datasets=frozenset({"d2", "d3"})),
        Pool("c-edge", 64, 256, {"B": 4}, 0.6, 6.0, (), 0.6, both, personal=True, datasets=frozenset({"d4"})),
    ]


def _jobs() -> list[Any]:
    from mumian.foundation.compute.contracts import Ask
    from mumian.foundation.compute.rules.scheduling import Waiting

    chance = random.Random(20260101)
    jobs = []
    for number in range(JOBS):
        since = min(max(chance.gauss(13, 4), 0.0), 23.9)
        hours = min(0.25 + chance.expovariate(1 / 1.5), 12.0)
        cores = float(chance.choice([1, 2, 2, 4, 4, 8, 16, 32]))
        gpus = chance.choice([1, 2, 4]) if chance.random() < 0.1 else 0
        grade = "important" if chance.random() < 0.2 and not gpus else "general"
        personal = chance.random() < 0.05 and cores <= 16
        near = [chance.choice(["d0", "d1", "d2", "d3", "d4"])] if chance.random() < 0.7 else []
        ask = Ask(cores=cores, memory=cores * 4, hours=hours, gpus=gpus, grade=grade, personal=personal, datasets=near)
        deadline = since + hours * 1.2 + chance.uniform(8, 24) if chance.random() < 0.4 else None
        # one organisation hands in half of everything
        name = "o0" if chance.random() < 0.5 else f"o{chance.randrange(1, ORGANISATIONS)}"
        jobs.append(Waiting(f"j{number:05d}", name, ask, since, deadline))
    return jobs


def _ours(pools: Sequence[Any], running: Sequence[Any], queue: Sequence[Any], now: float) -> list[tuple[str, str]]:
    from mumian.foundation.compute.rules.scheduling import Round

    decided = Round(pools, running, now, PATIENCE, SAVING).decide(queue)
    return [(decision.id, decision.pool) for decision in decided if decision.pool is not None]


def _first_come(pools: Sequence[Any], running: Sequence[Any], queue: Sequence[Any], now: float) -> list[tuple[str, str]]:
    """In the order of arrival into the first pool that has room; who finds none holds up all behind."""
    from mumian.foundation.compute.rules.scheduling import Room, impossible

    rooms = {
        pool.name: Room(pool, [(float("-inf"), job.ends, job.ask) for job in running if job.pool == pool.name]) for pool in pools
    }
    placed = []
    for job in sorted(queue, key=lambda job: (job.since, job.id)):
        able = [pool.name for pool in pools if not impossible(pool, job.ask)]
        name = next((name for name in able if rooms[name].fits(job.ask, now)), None)
        if name is None and able:
            break
        if name is not None:
            rooms[name].take(now, now + job.ask.hours, job.ask)
            placed.append((job.id, name))
    return placed


def _played(pools: Sequence[Any], jobs: Sequence[Any], decide: Callable[..., list[tuple[str, str]]]) -> dict[str, float]:
    from mumian.foundation.compute.rules.pricing import cost
    from mumian.foundation.compute.rules.scheduling import Running, impossible

    by_name, by_id = {pool.name: pool for pool in pools}, {job.id: job for job in jobs}
    waiting = {job.id for job in jobs if any(not impossible(pool, job.ask) for pool in pools)}
    started: dict[str, float] = {}
    running: list[Any] = []
    spent, now, rounds = 0.0, 0.0, 0
    spare = [0.0, 0.0]
    near: list[bool] = []
    while waiting:
        running = [job for job in running if job.ends > now + 1e-9]
        queue = [by_id[id_] for id_ in sorted(waiting) if by_id[id_].since <= now]
        rounds += bool(queue)
        for id_, name in decide(pools, running, queue, now) if queue else ():
            ask = by_id[id_].ask
            started[id_] = now
            price = cost(by_name[name], ask.cores, ask.gpus, now, ask.hours)
            spent += price
            if by_id[id_].deadline is not None and not ask.gpus:
                spare = [spare[0] + price, spare[1] + ask.cores * ask.hours]
            near += [by_name[name].datasets.issuperset(ask.datasets)] if ask.datasets else []
            running.append(Running(id_, by_id[id_].organisation, name, ask, now + ask.hours))
            waiting.remove(id_)
        now += STEP
    told = {"cost": spent, "spare": spare[0] / spare[1], "near": sum(near) / len(near), "rounds": rounds}
    return {**told, **_judged(by_id, started)}


def _judged(jobs: dict[str, Any], started: dict[str, float]) -> dict[str, float]:
    waits = {id_: at - jobs[id_].since for id_, at in started.items()}
    urgent = [wait for id_, wait in waits.items() if jobs[id_].deadline is None]
    slow: dict[str, list[float]] = {}
    for id_, wait in waits.items():
        slow.setdefault(jobs[id_].organisation, []).append((wait + jobs[id_].ask.hours) / jobs[id_].ask.hours)
    means = [sum(each) / len(each) for each in slow.values()]
    missed = [id_ for id_, at in started.items() if (end := jobs[id_].deadline) is not None and at + jobs[id_].ask.hours > end]
    return {
        "wait": sum(waits.values()) / len(waits),
        "urgent": sum(urgent) / len(urgent),
        "fairness": sum(means) ** 2 / (len(means) * sum(value * value for value in means)),
        "missed": float(len(missed)),
    }
