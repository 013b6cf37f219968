"""Scheduling: which waiting job goes where, now, and why not elsewhere; never over capacity, fair, and starving nobody.

Between organisations by dominant-resource fairness (Ghodsi et al., 2011): next comes a job of the organisation whose largest
share of any resource is least. Whoever waited longer than the patience goes before all others, in the order of arrival; then
come those whose deadline presses. A job that finds no room gets the earliest that is free (a reservation), and others are put
in front of it only where they do not delay it (conservative backfilling). Nothing that runs is ever stopped. Times are hours
of local time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mumian.foundation.compute.contracts import GRADES, Ask
from mumian.foundation.compute.rules.pricing import Pool, cost, starts

WEIGHTS = {"locality": 0.4, "price": 0.4, "green": 0.1, "room": 0.1}


@dataclass(frozen=True)
class Waiting:
    """A job in the queue, since when, and by when it shall have ended (None: whenever)."""

    id: str
    organisation: str
    ask: Ask
    since: float
    deadline: float | None = None


@dataclass(frozen=True)
class Running:
    """A job that holds its share of a pool until `ends` at the latest."""

    id: str
    organisation: str
    pool: str
    ask: Ask
    ends: float


@dataclass(frozen=True)
class Verdict:
    """What speaks for a pool: `score` with its `parts` and the `cost`, or why it is `refused` (a translation key's last word)."""

    pool: str
    refused: str = ""
    score: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    cost: float = 0.0


@dataclass(frozen=True)
class Decision:
    """A job goes to `pool` now, or waits (`pool` None) for `why`: room, tariff, nowhere; `until` is when it could start."""

    id: str
    pool: str | None
    why: str
    until: float | None
    verdicts: tuple[Verdict, ...]


def impossible(pool: Pool, ask: Ask) -> str:
    """Why a pool can never take a job; empty where it can. Labels are a hard rule."""
    if ask.grade not in pool.grades or ask.grade not in GRADES:
        return "label"
    if ask.personal and not pool.personal:
        return "personal"
    if ask.gpus > (pool.gpus.get(ask.gpu_model, 0) if ask.gpu_model else max(pool.gpus.values(), default=0)):
        return "gpu"
    return "size" if ask.cores > pool.cores or ask.memory > pool.memory else ""


def gpu_model(pool: Pool, ask: Ask) -> str:
    """The model of GPU that a job takes in a pool: the one asked for, else the pool's most frequent one."""
    return ask.gpu_model or max(sorted(pool.gpus), key=lambda model: pool.gpus[model], default="")


class Room:
    """What is taken of a pool over time: stretches between moments, each with cores, memory and GPUs by model."""

    def __init__(self, pool: Pool, taken: Iterable[tuple[float, float, Ask]] = ()) -> None:
        self.pool = pool
        self._models = sorted(pool.gpus)
        self._most = [pool.cores + 1e-9, pool.memory + 1e-9, *(pool.gpus[model] + 1e-9 for model in self._models)]
        self._times = [float("-inf")]
        self._taken = [[0.0] * len(self._most)]
        for start, end, ask in taken:
            self.take(start, end, ask)

    def take(self, start: float, end: float, ask: Ask) -> None:
        """Take a share from a time until another."""
        first, last = self._cut(start), self._cut(end)
        for number, amount in self._needed(ask):
            for stretch in self._taken[first:last]:
                stretch[number] += amount

    def fits(self, ask: Ask, start: float) -> bool:
        """Whether there is room for a job from `start` on for as long as it may last."""
        needed = self._needed(ask)
        first, last = bisect_right(self._times, start) - 1, bisect_left(self._times, start + ask.hours)
        return all(self._holds(number, needed) for number in range(first, last))

    def earliest(self, ask: Ask, now: float) -> float:
        """The first moment at which there is room: after the last stretch that has none, if nothing before it is long enough."""
        needed = self._needed(ask)
        begin = now
        for number in range(bisect_right(self._times, now) - 1, len(self._times)):
            if self._times[number] >= begin + ask.hours:
                break
            if not self._holds(number, needed):
                begin = self._times[number + 1]
        return begin

    def share(self, now: float) -> float:
        """The largest share of cores or memory that is taken now."""
        taken = self._taken[bisect_right(self._times, now) - 1]
        return max(taken[0] / self.pool.cores, taken[1] / self.pool.memory)

    def _holds(self, number: int, needed: Sequence[tuple[int, float]]) -> bool:
        taken = self._taken[number]
        return all(taken[place] + amount <= self._most[place] for place, amount in needed)

    def _needed(self, ask: Ask) -> list[tuple[int, float]]:
        needed = [(0, ask.cores), (1, ask.memory)]
        if ask.gpus and (model := gpu_model(self.pool, ask)) in self.pool.gpus:
            needed.append((2 + self._models.index(model), float(ask.gpus)))
        return needed

    def _cut(self, at: float) -> int:
        """The number of the stretch that begins at a moment, cut where need be."""
        number = bisect_left(self._times, at)
        if number == len(self._times) or self._times[number] != at:
            self._times.insert(number, at)
            self._taken.insert(number, list(self._taken[number - 1]))
        return number


class Round:
    """One round of scheduling."""

    def __init__(self, pools: Sequence[Pool], running: Iterable[Running], now: float, patience: float, saving: float) -> None:
        self._pools = sorted(pools, key=lambda pool: pool.name)
        self._now, self._patience, self._saving = now, patience, saving
        self._rooms = {pool.name: Room(pool) for pool in self._pools}
        self._used: dict[str, dict[str, float]] = {}
        self._total = {"cores": sum(p.cores for p in pools), "memory": sum(p.memory for p in pools)}
        self._total["gpus"] = sum(sum(p.gpus.values()) for p in pools)
        for job in running:
            if job.pool in self._rooms:
                self._rooms[job.pool].take(float("-inf"), max(job.ends, now + 1e-3), job.ask)
            self._use(job.organisation, job.ask)

    def decide(self, queue: Sequence[Waiting]) -> list[Decision]:
        """A decision for each waiting job, in the order in which they were looked at."""
        aged = sorted((j for j in queue if self._now - j.since >= self._patience), key=lambda j: (j.since, j.id))
        seen = {job.id for job in aged}
        pressed = [j for j in queue if j.id not in seen and self._spare(j) <= max(0.25 * j.ask.hours, 1.0)]
        aged += sorted(pressed, key=lambda j: (self._spare(j), j.since, j.id))
        seen |= {job.id for job in pressed}
        lines: dict[str, list[Waiting]] = {}
        for job in sorted((j for j in queue if j.id not in seen), key=lambda j: (-j.ask.priority, j.since, j.id)):
            lines.setdefault(job.organisation, []).append(job)
        decisions = [self._one(job, aged=True) for job in aged]
        reserved = len([d for d in decisions if d.why == "room"])
        while lines:
            organisation = min(lines, key=lambda name: (self.dominant(name), lines[name][0].since, name))
            job = lines[organisation].pop(0)
            if not lines[organisation]:
                del lines[organisation]
            decision = self._one(job, aged=reserved < 1)
            reserved += decision.why == "room"
            decisions.append(decision)
        return decisions

    def dominant(self, organisation: str) -> float:
        """An organisation's dominant share: the largest share that it holds of any resource of all pools."""
        used = self._used.get(organisation, {})
        return max((used.get(name, 0.0) / most for name, most in self._total.items() if most), default=0.0)

    def _spare(self, job: Waiting) -> float:
        """How long a job can wait before its deadline cannot be kept."""
        return float("inf") if job.deadline is None else job.deadline - job.ask.hours - self._now

    def _use(self, organisation: str, ask: Ask) -> None:
        used = self._used.setdefault(organisation, {"cores": 0.0, "memory": 0.0, "gpus": 0.0})
        used["cores"] += ask.cores
        used["memory"] += ask.memory
        used["gpus"] += ask.gpus

    def _one(self, job: Waiting, aged: bool) -> Decision:
        """Where a job goes; one that finds no room keeps the earliest that is free, where `aged`."""
        verdicts = self._verdicts(job)
        able = [verdict for verdict in verdicts if not verdict.refused]
        if not able:
            return Decision(job.id, None, "nowhere", None, tuple(verdicts))
        if self._now - job.since < self._patience and (until := self._cheaper(job, able)) is not None:
            return Decision(job.id, None, "tariff", until, tuple(verdicts))
        free = [v for v in able if self._rooms[v.pool].fits(job.ask, self._now)]
        if free:
            best = min(free, key=lambda v: (-v.score, v.pool))
            self._rooms[best.pool].take(self._now, self._now + job.ask.hours, job.ask)
            self._use(job.organisation, job.ask)
            full = {v.pool for v in able} - {v.pool for v in free}
            told = tuple(Verdict(v.pool, "room", v.score, v.parts, v.cost) if v.pool in full else v for v in verdicts)
            return Decision(job.id, best.pool, "placed", self._now, told)
        until, name = min((self._rooms[v.pool].earliest(job.ask, self._now), v.pool) for v in able)
        if aged:
            self._rooms[name].take(until, until + job.ask.hours, job.ask)
        return Decision(job.id, None, "room", until, tuple(verdicts))

    def _verdicts(self, job: Waiting) -> list[Verdict]:
        """Each pool's verdict; the scores lie between 0 and 1, costs are compared among the pools that could take the job."""
        refused = {pool.name: impossible(pool, job.ask) for pool in self._pools}
        ask = job.ask
        costs = {p.name: cost(p, ask.cores, ask.gpus, self._now, ask.hours) for p in self._pools if not refused[p.name]}
        least = min(costs.values(), default=0.0)
        found = []
        for pool in self._pools:
            if refused[pool.name]:
                found.append(Verdict(pool.name, refused[pool.name]))
                continue
            near = len(pool.datasets.intersection(ask.datasets)) / len(set(ask.datasets)) if ask.datasets else 1.0
            price = least / costs[pool.name] if costs[pool.name] > 0 else 1.0
            room = max(1.0 - self._rooms[pool.name].share(self._now), 0.0)
            parts = {"locality": near, "price": price, "green": pool.renewable, "room": room}
            score = sum(WEIGHTS[name] * value for name, value in parts.items())
            found.append(Verdict(pool.name, "", round(score, 9), parts, costs[pool.name]))
        return found

    def _cheaper(self, job: Waiting, able: Sequence[Verdict]) -> float | None:
        """When a job with time to spare should start for cheaper energy; None: now. The last moment is a tenth of it early."""
        if job.deadline is None:
            return None
        latest = job.deadline - 1.1 * job.ask.hours
        by_name = {pool.name: pool for pool in self._pools}
        ask, now = job.ask, self._now
        least = min(verdict.cost for verdict in able)
        offers = [
            (cost(by_name[v.pool], ask.cores, ask.gpus, at, ask.hours), at)
            for v in able
            for at in starts(by_name[v.pool], now, latest)
            if at > now
        ]
        best = min(offers, default=None)
        return best[1] if best is not None and best[0] < least * (1 - self._saving) else None
