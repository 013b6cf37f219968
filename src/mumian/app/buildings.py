"""What the commands about buildings do, once the command line has been read."""

import asyncio
import json
import sys
from pathlib import Path

import msgspec
import uvloop

from mumian.app.commands import guard, language
from mumian.app.platform import create_platform
from mumian.foundation.buildings.api import Buildings, ImportReport, Origin, Reading
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.i18n import describe


def import_file(file: Path, origin: Origin, reading: Reading, preview: bool, as_json: bool) -> None:
    """Import a file into a city that is not being served; status 1 when objects were refused."""

    async def work() -> int:
        platform = await asyncio.to_thread(create_platform)
        await platform.start()
        try:
            report = await platform.get(Buildings).bring(file, origin, reading, preview)
        finally:
            await platform.stop()
        print(json.dumps(msgspec.to_builtins(report), ensure_ascii=False) if as_json else "\n".join(_lines(report)))
        return 1 if report.refused else 0

    sys.exit(guard(lambda: uvloop.run(work())))


def _lines(report: ImportReport) -> list[str]:
    counts = ("added", "changed", "repeated", "withdrawn", "refused")
    told = ", ".join(f"{getattr(report, name)} {name}" for name in counts)
    faults = (
        f"  {one.object}: {describe(Invalid(Fault(one.field, one.key, dict(one.values))), language())}" for one in report.faults
    )
    return [f"{report.objects} objects in {report.crs}: {told}", *faults]
