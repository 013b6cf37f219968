"""Tests of jobs that run here for real, and of pools whose own agents run them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mumian.foundation.ledger.api import Ledger
from mumian.kernel.clock import ManualClock
from tests.foundation.compute.conftest import City, open_city, submit
from tests.foundation.engines import records_url

Open = Callable[[str], Awaitable[City]]
WAITS = "import time\nfrom pathlib import Path\nPath('out/begun').write_text('x')\ntime.sleep(60)\n"


@pytest_asyncio.fixture
async def opened(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Open]:
    """Opens the city, again and again, with a script for its jobs."""
    cities: list[City] = []

    async def open_(given: str) -> City:
        for city in cities:
            await _close(city)
        cities[:] = [await open_city(tmp_path, clock, records_url("sqlite", ""), given)]
        return cities[0]

    yield open_
    for city in cities:
        await _close(city)


async def _close(city: City) -> None:
    for client in city.clients:
        await client.aclose()
    await city.platform.stop()


async def begun(city: City, id_: str) -> Path:
    """The folder of a job that has begun to work."""
    await city.platform.settle()
    folder = city.compute.runner.folder(city.job(id_))
    while not (folder / "work" / "out" / "begun").exists():
        assert city.job(id_).state == "running"
        await asyncio.sleep(0.02)
    return folder


async def test_a_job_runs_and_leaves_output_results_and_usage(made: City) -> None:
    analyst = await made.person("analyst", "city")
    told = await submit(analyst, "double", parameters={"number": 21})
    assert told["state"] == "queued"
    job = await made.ended(told["id"])
    assert (job.state, job.pool, job.result["status"]) == ("done", "here", 0), job
    assert made.output(job, "stdout") == b"doubled\n"
    assert made.output(job, "out/answer.json") == b'{"answer": 42}'
    file = job.result["files"][-1]
    assert (await analyst.get(f"/jobs/{job.id}/files/{file['number']}")).content == b'{"answer": 42}'
    assert {verdict["pool"] for verdict in job.placement["verdicts"]} == {"here", "centre"}
    usage = (await analyst.get("/usage")).json()
    assert [(row["organisation"], row["month"], row["jobs"]) for row in usage] == [("city", "2014-01", 1)]
    series = (await analyst.get("/pools/here/utilisation")).status_code
    assert series == 403, "an analyst reads jobs, not pools"
    assert (await made.platform.get(Ledger).verify()).faults == ()


async def test_whoever_changes_a_job_or_its_result_is_found_out(made: City) -> None:
    admin = await made.person("administrator")
    job = await made.ended((await submit(admin, "double", parameters={"number": 1}))["id"])
    from mumian.foundation.storage.contracts import Objects

    made.platform.get(Objects).put(f"compute/{job.id}/1/0", b"tripled")  # type: ignore[type-abstract]
    await made.platform.records.write(lambda tx: tx.session.execute("UPDATE compute_job SET cost = 7"))
    await made.platform.records.write(
        lambda tx: tx.session.execute("UPDATE compute_script SET content = 'rm' WHERE type = 'double'")
    )
    told = str((await made.platform.get(Ledger).verify()).faults)
    assert all(name in told for name in ("compute_job", "compute_script", f"compute/{job.id}/1/0"))


async def test_only_declared_types_with_fitting_parameters_are_taken(made: City) -> None:
    analyst = await made.person("analyst", "science")
    assert (await analyst.post("/jobs", json={"type": "rm -rf"})).status_code == 404
    bad: Any
    for bad in ({"parameters": {}}, {"parameters": {"number": "x"}}, {"parameters": {"number": 1, "more": 2}}):
        assert (await analyst.post("/jobs", json={"type": "double", **bad})).status_code in (400, 422)
    fit = {"type": "double", "parameters": {"number": 1}}
    for bad in ({"cores": 5}, {"hours": 100}, {"gpus": 1}, {"deadline": "soon"}, {"deadline": "2014-01-01T00:00:01Z"}):
        assert (await analyst.post("/jobs", json={**fit, **bad})).status_code in (400, 422), bad
    assert (await analyst.post("/jobs", json={**fit, "organisation": "health"})).status_code == 403
    nowhere = await analyst.post("/jobs", json={**fit, "personal": True})
    assert nowhere.status_code in (400, 422)
    assert "may not hold personal data" in nowhere.text


async def test_a_shell_script_and_an_installed_function_run_too(opened: Open) -> None:
    city = await opened("")
    admin = await city.person("administrator")
    shell = await city.ended((await submit(admin, "shell"))["id"])
    assert city.output(shell, "out/lines").strip() == b"1"
    called = await city.ended((await submit(admin, "called", parameters={"word": "木棉"}))["id"])
    assert called.state == "done", city.output(called, "stderr")
    assert "word" in city.output(called, "out/result.json").decode()


async def test_a_job_sees_neither_the_home_of_the_city_nor_its_environment(opened: Open) -> None:
    script = (
        "import os, json\nfrom pathlib import Path\nfound = {}\n"
        "for place in ('..', '../../..', '/root', '/etc/shadow', '/tmp'):\n"
        "    try:\n        p = Path(place); (list(p.iterdir()) if p.is_dir() else p.read_bytes()); found[place] = 'seen'\n"
        "    except OSError as e:\n        found[place] = type(e).__name__\n"
        "try:\n    Path('../order.json').write_text('x'); found['write'] = 'done'\n"
        "except OSError as e:\n    found['write'] = 'no'\n"
        "found['env'] = sorted(os.environ)\nPath('out/found.json').write_text(json.dumps(found))\n"
        "os.symlink('/etc/hostname', 'out/link')\n"
    )
    city = await opened(script)
    admin = await city.person("administrator")
    job = await city.ended((await submit(admin, "script"))["id"])
    if not job.result["sandbox"].startswith("landlock"):
        pytest.skip("this kernel has no Landlock")
    import json

    found = json.loads(city.output(job, "out/found.json"))
    assert {found[place] for place in ("..", "../../..", "/root", "/etc/shadow", "/tmp")} == {"PermissionError"}
    assert found["write"] == "no"
    assert set(found["env"]) <= {"PATH", "HOME", "TMPDIR", "LANG", "TZ", "LC_CTYPE"}
    assert [file["name"] for file in job.result["files"]] == ["stdout", "stderr", "out/found.json"], "a link is no result"


@pytest.mark.parametrize(
    ("script", "hours", "reason"),
    [
        ("while True: pass", 0.0003, ""),
        ("import time\ntime.sleep(60)", 0.0003, "time"),
        ("x = bytearray(2_000_000_000)", 0.02, ""),
        ("open('out/big', 'wb').write(b'x' * 100_000_000)", 0.02, ""),
        ("raise SystemExit(3)", 0.02, ""),
    ],
)
async def test_a_job_that_takes_too_much_or_fails_is_a_failed_job(opened: Open, script: str, hours: float, reason: str) -> None:
    city = await opened(script)
    admin = await city.person("administrator")
    job = await city.ended((await submit(admin, "script", hours=hours))["id"])
    assert (job.state, job.result["status"] != 0) == ("failed", True)
    assert job.result["reason"] in (reason, "time")


async def test_what_a_job_leaves_running_ends_with_it(opened: Open) -> None:
    script = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(300)\n    os._exit(0)\n"
    )
    city = await opened(script)
    admin = await city.person("administrator")
    job = await city.ended((await submit(admin, "script"))["id"])
    assert job.state == "done"
    assert not city.compute.runner.alive(job)


async def test_a_running_job_is_cancelled_and_a_waiting_one_at_once(opened: Open) -> None:
    city = await opened(WAITS)
    admin = await city.person("administrator")
    running = (await submit(admin, "script", cores=2))["id"]
    await begun(city, running)
    waiting = (await submit(admin, "script", cores=2))["id"]
    await city.platform.settle()
    shown = (await admin.get(f"/jobs/{waiting}")).json()
    assert (shown["state"], shown["placement"]["why"]) == ("queued", "room")
    assert {v["refused"] for v in shown["placement"]["verdicts"]} == {"", "label"}
    assert (await admin.post(f"/jobs/{waiting}/cancel")).json()["state"] == "cancelled"
    assert (await admin.post(f"/jobs/{running}/cancel")).json()["cancelling"]
    assert (await city.ended(running)).state == "cancelled"
    assert (await admin.post(f"/jobs/{running}/cancel")).status_code == 409


async def test_a_job_outlives_the_server_and_is_taken_up_again(opened: Open) -> None:
    script = "import time\nfrom pathlib import Path\nPath('out/begun').write_text('x')\n"
    script += "while not Path('go').exists(): time.sleep(0.02)\n"
    city = await opened(script)
    admin = await city.person("administrator")
    id_ = (await submit(admin, "script"))["id"]
    folder = await begun(city, id_)
    again = await opened(script)
    await again.platform.settle()
    assert (again.job(id_).state, again.job(id_).attempt) == ("running", 1)
    (folder / "work" / "go").write_text("x")
    job = await again.ended(id_)
    assert (job.state, job.attempt) == ("done", 1)
    assert not folder.exists()


@pytest.mark.parametrize(("type_", "attempts", "state"), [("script", 1, "failed"), ("persistent", 2, "failed")])
async def test_a_job_found_dead_fails_or_is_started_again_as_declared(
    opened: Open, type_: str, attempts: int, state: str
) -> None:
    city = await opened(WAITS)
    admin = await city.person("administrator")
    id_ = (await submit(admin, type_))["id"]
    for attempt in range(1, attempts + 1):
        folder = await begun(city, id_)
        assert city.job(id_).attempt == attempt
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
        while city.compute.runner.alive(city.job(id_)):  # noqa: ASYNC110 - nobody tells of a killed process
            await asyncio.sleep(0.02)
    job = await city.ended(id_)
    assert (job.state, job.result["reason"], job.attempt) == (state, "dead", attempts)


async def test_the_agent_of_a_pool_runs_its_jobs_once(made: City) -> None:
    analyst, agent = await made.person("analyst", "health"), await made.person("agent", "science")
    id_ = (await submit(analyst, "large", organisation="health", cores=50, gpus=2, gpu_model="A", hours=2))["id"]
    await made.platform.settle()
    assert [job["id"] for job in (await agent.get("/pools/centre/work")).json()] == [id_]
    assert (await agent.get("/pools/here/work")).status_code == 403
    report = f"/jobs/{id_}/report"
    assert (await agent.post(report, json={"attempt": 0, "state": "running"})).json()["attempt"] == 1
    assert (await agent.post(report, json={"attempt": 0, "state": "running"})).status_code == 409
    made.clock.advance(hours=1)
    assert (await agent.post(report, json={"attempt": 2, "state": "done"})).status_code == 409
    done = (await agent.post(report, json={"attempt": 1, "state": "done", "result": {"status": 0}})).json()
    assert (done["state"], done["core_hours"], done["gpu_hours"], done["cost"]) == ("done", 50, 2, 50)
    pools: list[dict[str, object]] = (await agent.get("/pools")).json()
    assert [pool["jobs"] for pool in pools] == [0, 0]
    series = (await agent.get("/pools/centre/utilisation")).json()["items"]
    assert [row["cores"] for row in series] == [0, 50]


async def test_jobs_of_others_are_not_shown(made: City) -> None:
    health, science = await made.person("analyst", "health"), await made.person("analyst", "science")
    id_ = (await submit(health, "double", organisation="health", parameters={"number": 1}))["id"]
    assert (await science.get("/jobs")).json()["items"] == []
    assert (await science.get(f"/jobs/{id_}")).status_code == 404
    assert (await science.post(f"/jobs/{id_}/cancel")).status_code == 403
    assert [job["id"] for job in (await health.get("/jobs")).json()["items"]] == [id_]
