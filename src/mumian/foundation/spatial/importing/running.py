"""Running the worker: one process for one file, with a limit of time; whatever becomes of it, an answer comes back."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec

from mumian.foundation.spatial.errors import BadFile
from mumian.foundation.spatial.importing.job import FORMATS, Job, Report
from mumian.kernel.errors import Fault, Invalid

SECONDS = 900.0


def format_of(name: str) -> str:
    """The format that a file's name says; raises Invalid."""
    found = FORMATS.get(Path(name).suffix.lower())
    if found is None:
        raise Invalid.field("file", "spatial.format", file=name[:100], known=", ".join(sorted(FORMATS)))
    return found


def run(job: Job, seconds: float = SECONDS) -> Report:
    """Read a file in a worker and wait for it; blocks."""
    command = [sys.executable, "-m", "mumian.foundation.spatial.importing.worker"]
    try:
        done = subprocess.run(command, input=msgspec.json.encode(job), capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Report(unreadable=f"reading it took more than {seconds:.0f} seconds")
    if done.returncode != 0:
        return Report(unreadable=f"it broke the reader (status {done.returncode}); the file is damaged or too large")
    return msgspec.json.decode(done.stdout, type=Report)


async def run_async(job: Job, seconds: float = SECONDS) -> Report:
    """The same, off the event loop."""
    return await asyncio.to_thread(run, job, seconds)


def faults_of(report: Report, field: str) -> list[Fault]:
    """What is wrong with a file, as faults that name the rows; at most fifty."""
    if report.unreadable is not None:
        return [Fault(field, "spatial.unreadable", {"reason": report.unreadable})]
    return [
        Fault(f"{field}.rows[{fault.row}].{fault.field}", "spatial.row", {"row": fault.row, "reason": fault.reason})
        for fault in report.faults[:50]
    ]


def demand(report: Report, field: str, skip: bool = False) -> Report:
    """The report of a file that can be used; raises BadFile where it cannot, or where rows are wrong and may not be skipped."""
    if report.unreadable is not None or (report.refused and not skip):
        raise BadFile(*faults_of(report, field))
    return report
