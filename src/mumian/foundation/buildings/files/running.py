"""Running the worker: one process for one IFC file, with limits; whatever becomes of it, an answer comes back."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from mumian.foundation.buildings.errors import NoReader
from mumian.foundation.buildings.files.bodies import refused
from mumian.foundation.buildings.files.job import IfcReport, Job
from mumian.foundation.buildings.settings import BuildingSettings


def read_ifc(content: bytes, settings: BuildingSettings) -> IfcReport:
    """Read IFC bytes in a worker and wait for it; blocks. Raises BadModel, and NoReader where the library is missing."""
    if not content.lstrip()[:13].startswith(b"ISO-10303-21"):
        raise refused("it does not begin with ISO-10303-21, as IFC in STEP form does")
    with TemporaryDirectory(prefix="mumian-ifc-") as folder:
        path = Path(folder) / "model.ifc"
        path.write_bytes(content)
        job = Job(path=str(path), seconds=settings.worker_seconds, memory=settings.worker_bytes)
        report = _run(job)
    if report.missing:
        raise NoReader(reason="ifcopenshell is not installed; run: pip install 'mumian[bim]'")
    if report.unreadable is not None:
        raise refused(report.unreadable)
    return report


def _run(job: Job) -> IfcReport:
    command = [sys.executable, "-m", "mumian.foundation.buildings.files.worker"]
    try:
        done = subprocess.run(command, input=msgspec.json.encode(job), capture_output=True, timeout=job.seconds * 2, check=False)
    except subprocess.TimeoutExpired:
        return IfcReport(unreadable=f"reading it took more than {job.seconds} seconds")
    if done.returncode != 0:
        return IfcReport(unreadable=f"it broke the reader (status {done.returncode}); the file is damaged or too large")
    try:
        return msgspec.json.decode(done.stdout, type=IfcReport)
    except msgspec.DecodeError:
        return IfcReport(unreadable="the reader gave no sense; the file is damaged")
