"""A worker that is killed at any moment leaves nothing double and nothing out, and delivers what an undisturbed one does.

Nothing is compiled here: that would be done anew in every process, and the checkpoints do not know the difference.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from mumian.elements.sharing.exchange.checkpoints import put
from mumian.elements.sharing.exchange.contracts import Job, Order, Outcome
from mumian.elements.sharing.exchange.running import Means, run_job
from tests.elements.sharing import exchange_rows as made

ROWS = made.people(16_000)
ORDER = Order(keys={"people": made.KEY.hex()}, attach=(), engines=2, memory="192MB", search_memory="256MB", compiled=False)
PLAIN = Means(compiled=False)
WORKER = [sys.executable, "-I", "-m", "mumian.elements.sharing.exchange.worker"]


def begun(folder: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([*WORKER, str(folder)], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(ORDER))
    process.stdin.close()
    return process


def chunks_done(folder: Path) -> int:
    journal = folder / "journal"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def killed_when(folder: Path, chunks: int) -> int:
    """Start a worker and kill it once so many chunks are done; returns how many were done then."""
    process = begun(folder)
    until = time.monotonic() + 120
    while chunks_done(folder) < chunks and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return chunks_done(folder)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return made.job([made.write(ROWS, tmp_path / "people.parquet")], tmp_path)


def test_three_kills_change_nothing_of_what_is_delivered(tmp_path: Path, job: Job) -> None:
    undisturbed = run_job(job, tmp_path / "undisturbed", {"people": made.KEY}, PLAIN)
    folder = tmp_path / "disturbed"
    folder.mkdir()
    put(folder / "job.json", job.canonical())
    seen = [killed_when(folder, chunks) for chunks in (1, 4, 9)]
    assert seen == sorted(seen)
    assert seen[0] > 0
    assert seen[-1] < 16, "it ended before it was killed; make more rows"
    # A kill between two writes may leave half a line, a draft, and a part that no checkpoint knows.
    with (folder / "journal").open("ab") as journal:
        journal.write(b'{"number": 99, "re')
    (folder / "out" / "part-00099.parquet").write_bytes(b"no checkpoint knows it")
    assert begun(folder).wait(240) == 0
    outcome = msgspec.json.decode((folder / "outcome.json").read_bytes(), type=Outcome)
    assert outcome.state == "done"
    assert outcome.resumed == seen[-1]
    assert outcome.manifest == undisturbed.manifest
    wrong = made.broken(ROWS)
    assert [row[0] for row in made.delivered(folder)] == [n for n in range(len(ROWS)) if n not in wrong]
    assert sorted(file.name for file in (folder / "out").iterdir()) == sorted(
        file.name for file in (tmp_path / "undisturbed" / "out").iterdir()
    )


def test_a_second_worker_leaves_the_job_to_the_first(tmp_path: Path, job: Job) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    put(folder / "job.json", job.canonical())
    first = begun(folder)
    until = time.monotonic() + 60
    while not (folder / "plan.json").exists() and time.monotonic() < until:
        time.sleep(0.005)
    assert begun(folder).wait(60) == 3
    (folder / "cancel").touch()
    assert first.wait(120) == 0
    assert msgspec.json.decode((folder / "outcome.json").read_bytes(), type=Outcome).state in {"cancelled", "done"}


def test_a_job_that_is_cancelled_ends_and_can_go_on(tmp_path: Path, job: Job) -> None:
    looks = iter(range(1000))
    outcome = run_job(job, tmp_path / "job", {"people": made.KEY}, PLAIN, cancelled=lambda: next(looks) >= 0)
    assert (outcome.state, outcome.manifest) == ("cancelled", None)
    assert run_job(job, tmp_path / "job", {"people": made.KEY}, PLAIN).state == "done"


def test_checkpoints_of_another_source_are_not_gone_on_with(tmp_path: Path, job: Job) -> None:
    small = msgspec.structs.replace(job, rules=())
    assert run_job(small, tmp_path / "job", {"people": made.KEY}, PLAIN).state == "done"
    made.write(ROWS[:500], tmp_path / "people.parquet")
    outcome = run_job(small, tmp_path / "job", {"people": made.KEY}, PLAIN)
    assert (outcome.state, "source changed" in outcome.reason) == ("failed", True)


def test_checkpoints_whose_parts_are_gone_are_not_gone_on_with(tmp_path: Path, job: Job) -> None:
    small = msgspec.structs.replace(job, rules=())
    run_job(small, tmp_path / "job", {"people": made.KEY}, PLAIN)
    (tmp_path / "job" / "out" / "part-00003.parquet").unlink()
    outcome = run_job(small, tmp_path / "job", {"people": made.KEY}, PLAIN)
    assert (outcome.state, "part-00003.parquet" in outcome.reason) == ("failed", True)
