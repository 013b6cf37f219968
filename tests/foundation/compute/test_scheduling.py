"""Tests of the scheduler: never over capacity, labels held, nobody starved, the same every time, cheap hours used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.compute.contracts import Ask
from mumian.foundation.compute.rules.pricing import Pool, cost, weighed_hours
from mumian.foundation.compute.rules.scheduling import Decision, Round, Running, Waiting, gpu_model, impossible

NIGHT = ((0.0, 8.0, 0.4), (8.0, 11.0, 1.0), (11.0, 17.0, 1.7))
PATIENCE = 6.0
POOLS = st.lists(
    st.builds(
        Pool,
        name=st.sampled_from(["a", "b", "c"]),
        cores=st.integers(1, 8).map(float),
        memory=st.integers(4, 32).map(float),
        gpus=st.dictionaries(st.sampled_from(["X", "Y"]), st.integers(0, 3), max_size=2),
        core_hour=st.floats(0, 3),
        tariff=st.sampled_from([(), NIGHT]),
        grades=st.frozensets(st.sampled_from(["general", "important", "core"]), min_size=1),
        personal=st.booleans(),
        datasets=st.frozensets(st.sampled_from(["d1", "d2"])),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda pool: pool.name,
)
ASKS = st.builds(
    Ask,
    cores=st.integers(1, 8).map(float),
    memory=st.integers(1, 16).map(float),
    hours=st.sampled_from([0.5, 1.0, 3.0]),
    gpus=st.integers(0, 2),
    gpu_model=st.sampled_from(["", "X"]),
    grade=st.sampled_from(["general", "important", "core"]),
    personal=st.booleans(),
    datasets=st.lists(st.sampled_from(["d1", "d2"]), unique=True),
    priority=st.integers(0, 9),
)
JOBS = st.lists(st.tuples(st.sampled_from(["red", "green", "blue"]), ASKS, st.floats(0, 10)), min_size=1, max_size=14)


def played(pools: list[Pool], jobs: list[Waiting], until: float, step: float = 0.5) -> dict[str, tuple[float, str]]:
    """When and where each job starts, if each lasts as long as it may; capacity and labels are watched at each step."""
    by_name = {pool.name: pool for pool in pools}
    started: dict[str, tuple[float, str]] = {}
    running: list[Running] = []
    now = 0.0
    while now <= until:
        running = [job for job in running if job.ends > now]
        queue = [job for job in jobs if job.since <= now and job.id not in started]
        for decision in Round(pools, running, now, PATIENCE, 0.1).decide(queue):
            if decision.pool is not None:
                job = next(job for job in queue if job.id == decision.id)
                assert not impossible(by_name[decision.pool], job.ask)
                started[job.id] = (now, decision.pool)
                running.append(Running(job.id, job.organisation, decision.pool, job.ask, now + job.ask.hours))
        for pool in pools:
            held = [job.ask for job in running if job.pool == pool.name]
            assert sum(ask.cores for ask in held) <= pool.cores
            assert sum(ask.memory for ask in held) <= pool.memory
            for model, most in pool.gpus.items():
                assert sum(ask.gpus for ask in held if ask.gpus and gpu_model(pool, ask) == model) <= most
        now += step
    return started


def queued(jobs: list[tuple[str, Ask, float]]) -> list[Waiting]:
    """Jobs of a drawn list."""
    return [Waiting(f"j{n:02d}", organisation, ask, since) for n, (organisation, ask, since) in enumerate(jobs)]


@given(POOLS, JOBS)
def test_capacity_and_labels_hold_and_whatever_fits_somewhere_starts(
    pools: list[Pool], jobs: list[tuple[str, Ask, float]]
) -> None:
    waiting = queued(jobs)
    started = played(pools, waiting, 10 + PATIENCE + 3.5 * len(jobs))
    able = {job.id for job in waiting if any(not impossible(pool, job.ask) for pool in pools)}
    assert set(started) == able


@given(POOLS, JOBS, st.randoms())
def test_a_round_depends_on_nothing_but_what_it_is_given(pools: list[Pool], jobs: list[tuple[str, Ask, float]], chance) -> None:  # type: ignore[no-untyped-def]
    waiting = queued(jobs)
    first = Round(pools, [], 12.0, PATIENCE, 0.1).decide(waiting)
    shuffled, others = list(waiting), list(pools)
    chance.shuffle(shuffled)
    chance.shuffle(others)
    assert Round(others, [], 12.0, PATIENCE, 0.1).decide(shuffled) == first


@given(st.integers(2, 6), st.sampled_from([0.5, 1.0, 3.0]))
def test_a_large_job_starts_in_bounded_time_whatever_small_ones_keep_coming(cores: int, hours: float) -> None:
    pool = Pool("a", float(cores), 64.0)
    small = Ask(cores=1, memory=1, hours=hours, priority=9)
    stream = [Waiting(f"s{n:04d}", f"o{n % 7}", small, n * 0.25) for n in range(200)]
    large = Waiting("large", "o1", Ask(cores=cores, memory=1, hours=1, priority=0), 1.0)
    started = played([pool], [*stream, large], 40.0, 0.25)
    older = sum(1 for job in stream if job.since < large.since)
    assert started["large"][0] <= large.since + PATIENCE + hours * (older + 1) + 0.25


def test_the_organisation_that_holds_least_comes_next() -> None:
    pool = Pool("a", 4.0, 100.0)
    ask = Ask(cores=1, memory=1, hours=1)
    jobs = [Waiting(f"r{n}", "red", ask, 0.0) for n in range(10)] + [Waiting(f"b{n}", "blue", ask, 0.1) for n in range(2)]
    placed = [d.id for d in Round([pool], [], 1.0, PATIENCE, 0.1).decide(jobs) if d.pool]
    assert sorted(placed) == ["b0", "b1", "r0", "r1"]


def test_a_small_job_is_put_in_front_only_where_it_delays_nobody() -> None:
    pool = Pool("a", 4.0, 100.0)
    held = [Running("h", "x", "a", Ask(cores=3, memory=1, hours=2), 2.0)]
    whole = Waiting("whole", "red", Ask(cores=4, memory=1, hours=1), 0.0)
    short, long = Ask(cores=1, memory=1, hours=2), Ask(cores=1, memory=1, hours=3)
    found = {
        d.id: d
        for d in Round([pool], held, 0.0, PATIENCE, 0.1).decide(
            [whole, Waiting("short", "red", short, 0.1), Waiting("long", "red", long, 0.2)]
        )
    }
    assert (found["whole"].why, found["whole"].until) == ("room", 2.0)
    assert (found["short"].pool, found["long"].pool) == ("a", None)


def one(pools: list[Pool], job: Waiting, now: float) -> Decision:
    """The decision on a single job."""
    return Round(pools, [], now, PATIENCE, 0.1).decide([job])[0]


def test_data_nearby_and_cheap_energy_speak_for_a_pool_and_a_label_against_it_always() -> None:
    near = Pool("near", 4, 16, core_hour=2, datasets=frozenset({"d"}))
    cheap = Pool("cheap", 4, 16, core_hour=1, grades=frozenset({"general", "important"}))
    ask = Ask(cores=1, memory=1, hours=1, datasets=["d"])
    decision = one([near, cheap], Waiting("j", "o", ask, 0.0), 0.0)
    assert decision.pool == "near"
    assert {v.pool: v.cost for v in decision.verdicts} == {"cheap": 1.0, "near": 2.0}
    labelled = Ask(cores=1, memory=1, hours=1, datasets=["d"], grade="important")
    assert one([near, cheap], Waiting("j", "o", labelled, 0.0), 0.0).pool == "cheap"
    assert one([near], Waiting("j", "o", labelled, 0.0), 0.0).why == "nowhere"


def test_a_job_with_time_to_spare_waits_for_the_night_and_no_longer() -> None:
    pool = Pool("a", 4, 16, core_hour=1, tariff=((0.0, 8.0, 0.4),))
    ask = Ask(cores=1, memory=1, hours=2)
    noon = 12.0
    assert one([pool], Waiting("j", "o", ask, noon, deadline=noon + 24), noon).until == 24.0
    assert one([pool], Waiting("j", "o", ask, noon, deadline=noon + 6), noon).pool == "a"
    assert one([pool], Waiting("j", "o", ask, noon), noon).pool == "a"
    assert one([pool], Waiting("j", "o", ask, noon - PATIENCE, deadline=noon + 24), noon).pool == "a"


@given(st.floats(0, 48), st.floats(0.01, 80), st.floats(0.01, 80))
def test_prices_of_stretches_add_up(start: float, first: float, second: float) -> None:
    pool = Pool("a", 1, 1, core_hour=1, tariff=NIGHT)
    whole = weighed_hours(pool, start, first + second)
    assert whole == pytest.approx(weighed_hours(pool, start, first) + weighed_hours(pool, start + first, second), abs=1e-6)
    assert 0.4 * (first + second) - 1e-6 <= whole <= 1.7 * (first + second) + 1e-6
    assert cost(pool, 2, 0, 0.0, 24.0) == pytest.approx(2 * (8 * 0.4 + 3 + 6 * 1.7 + 7))
