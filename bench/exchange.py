"""Rows a second through an exchange job (8 rules, 2 masks, HMAC-SM3 token, Parquet, digest), and of pandas with pandera."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import exchange_people

ROWS = int(os.environ.get("MUMIAN_BENCH_EXCHANGE_ROWS", "10000000"))
PEER_ROWS = min(ROWS, int(os.environ.get("MUMIAN_BENCH_EXCHANGE_PEER_ROWS", "2000000")))
DAY = 92_000_000
KEY = "62656e6368" * 6
_made: dict[str, Any] = {}


def run(data: Path | None) -> list[dict[str, Any]]:
    """The job in its worker, a process of its own, and the peer in another; each reads Parquet and writes Parquet."""
    folder, files, peer_file = _inputs()
    with tempfile.TemporaryDirectory(dir=folder) as work:
        ours = _ours(Path(work), files)
        peer = _in_process("bench.exchange_peer", str(peer_file), str(Path(work) / "peer.parquet"), str(folder / "divisions.csv"))
    rate, peer_rate = ROWS / ours["seconds"], PEER_ROWS / peer["seconds"]
    per_row = ours["cpu_seconds"] / ROWS
    return [
        {
            "name": "exchange",
            "value": rate,
            "unit": "rows/s",
            "size": f"{ROWS:,} rows × 12 columns, 8 rules, zstd",
            "peer": f"pandas + pandera ({PEER_ROWS:,} rows)",
            "peer_value": peer_rate,
            "minutes_for_92_million": DAY / rate / 60,
            "cpu_seconds": ours["cpu_seconds"],
            "rows_per_cpu_second": 1 / per_row,
            "uniqueness_seconds": ours["costs"]["uniqueness"],
            "digest_and_sync_seconds": ours["costs"]["digest and sync"],
            "load": os.getloadavg()[0],
        },
        {
            "name": "exchange-memory",
            "value": ours["peak_bytes"] / 1e6,
            "unit": "MB at most",
            "size": f"{ROWS:,} rows",
            "peer": "pandas + pandera, for fewer rows",
            "peer_value": peer["peak_bytes"] / 1e6,
        },
        {
            "name": "exchange-checkpoint",
            "value": ours["costs"]["checkpoint"] / ours["chunks"] * 1000,
            "unit": "ms a checkpoint",
            "size": "a chunk of 1,000,000 rows",
            "ledger_ms": _ledger_milliseconds(),
        },
    ]


def _inputs() -> tuple[Path, list[Path], Path]:
    """Made once for all runs; gone when the bench ends."""
    if not _made:
        import duckdb

        _made["held"] = tempfile.TemporaryDirectory(dir=os.environ.get("MUMIAN_BENCH_FOLDER"))
        folder = Path(_made["held"].name)
        codes = [str(440100 + n) for n in range(exchange_people.DIVISIONS)]
        (folder / "divisions.csv").write_text("code\n" + "\n".join(codes) + "\n", "utf-8")
        connection = duckdb.connect()
        exchange_people.prepare(connection)
        files: list[Path] = []
        for first in range(0, ROWS, 10_000_000):
            files.append(folder / f"people-{len(files):03d}.parquet")
            exchange_people.make(connection, files[-1], first, min(first + 10_000_000, ROWS))
        exchange_people.make(connection, folder / "peer.parquet", 0, PEER_ROWS)
        connection.close()
        _made["files"] = (folder, files, folder / "peer.parquet")
    made: tuple[Path, list[Path], Path] = _made["files"]
    return made


def job(files: list[Path], codes: Path) -> Any:
    """The job: as a spec it could come from anybody."""
    import msgspec

    from mumian.elements.sharing.exchange.contracts import Field, FileSource, Job, Mask, Reference, Rule

    def rule(name: str, kind: Any, *fields: str, **more: Any) -> Rule:
        return Rule(name=name, kind=kind, fields=fields, **more)

    fields = (
        Field(name="serial", type="integer"),
        Field(name="id_card", token="bench"),
        Field(name="name", mask=Mask(method="keep", first=1)),
        Field(name="sex"),
        Field(name="birth", type="date"),
        Field(name="phone", mask=Mask(method="keep", first=3, last=4)),
        Field(name="division"),
        Field(name="address"),
        Field(name="height", type="number"),
        Field(name="registered", type="date"),
        Field(name="income", type="integer"),
        Field(name="updated", type="time"),
    )
    rules = (
        rule("named", "required", "name"),
        rule("id-card", "id_card", "id_card"),
        rule("phone", "pattern", "phone", pattern="1[3-9][0-9]{9}"),
        rule("height", "range", "height", minimum=30.0, maximum=250.0),
        rule("sex", "codes", "sex", codes=("1", "2")),
        rule("order", "order", "birth", "registered"),
        rule("once", "unique", "id_card"),
        rule("division", "reference", "division", reference=Reference(column="code", files=(str(codes),))),
    )
    made = Job(id="bench", source=FileSource(paths=tuple(str(file) for file in files)), fields=fields, rules=rules)
    return msgspec.json.decode(made.canonical(), type=Job)


def _ours(work: Path, files: list[Path]) -> dict[str, Any]:
    import msgspec

    from mumian.elements.sharing.exchange.contracts import Order

    (work / "job.json").write_bytes(job(files, files[0].parent / "divisions.csv").canonical())
    order = Order(keys={"bench": KEY}, attach=(), engines=2, memory="192MB", search_memory="384MB")
    command = [sys.executable, "-m", "mumian.elements.sharing.exchange.worker", str(work)]
    subprocess.run(command, input=msgspec.json.encode(order), check=True)
    outcome: dict[str, Any] = json.loads((work / "outcome.json").read_bytes())
    manifest = outcome["manifest"]
    if outcome["state"] != "done" or manifest["read"] != ROWS or manifest["rules"]["once"] == 0:
        raise RuntimeError(outcome)
    return outcome | {"chunks": (work / "journal").read_bytes().count(b"\n")}


def _in_process(module: str, *words: str) -> dict[str, Any]:
    ran = subprocess.run([sys.executable, "-m", module, *words], check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def _ledger_milliseconds() -> float:
    """What one step of a job costs in the records: state, event and ledger entry, durable."""
    import asyncio

    return asyncio.run(_steps())


async def _steps() -> float:
    import time

    import msgspec

    from mumian.app.platform import create_platform
    from mumian.elements.sharing.exchange.service.jobs import Exchange
    from mumian.kernel.settings import Settings

    with tempfile.TemporaryDirectory() as home:
        platform = create_platform(
            Settings(home=Path(home), lake="local", objects="local", messages="outbox", synchronous="full")
        )
        try:
            exchange, base = Exchange(platform), job([Path("x.parquet")], Path("codes.csv"))
            started = time.perf_counter()
            for number in range(50):
                one = msgspec.structs.replace(base, id=f"j{number}")
                await platform.records.write(lambda tx, one=one: exchange.submit(tx, one))  # type: ignore[misc]
            return (time.perf_counter() - started) / 50 * 1000
        finally:
            await platform.stop()
