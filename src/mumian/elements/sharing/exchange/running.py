"""Running a job: chunk by chunk on engines of one thread each, while what is written is digested, made durable and noted."""

import queue
import resource
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.sharing.exchange import sources, statements, uniqueness
from mumian.elements.sharing.exchange.checking import check
from mumian.elements.sharing.exchange.checkpoints import BadCheckpoint, Checkpoints, digest_of_parts, settle
from mumian.elements.sharing.exchange.contracts import (
    FORMAT,
    Chunk,
    Done,
    FileSource,
    Job,
    Manifest,
    Outcome,
    Part,
    Plan,
    Progress,
    Rule,
)
from mumian.elements.sharing.exchange.engine.duck import EngineError, Interrupted
from mumian.elements.sharing.exchange.engine.opening import Engine, open_engine

Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Means:
    """What a run may use: engines side by side, memory of each, and of the search for repeated values; all in DuckDB's words.

    `attach` are the statements that attach the lake; `compiled` false does without numba though it is there.
    """

    engines: int = 2
    memory: str = "256MB"
    search_memory: str = "512MB"
    attach: Sequence[str] = ()
    compiled: bool = True


@dataclass
class _Run:
    """What the threads of a run share."""

    job: Job
    opened: sources.Opened
    checkpoints: Checkpoints
    plan: Plan
    rules: list[Rule]
    conditions: list[str]
    repeats: dict[int, NDArray[np.int64]]
    done: list[Done]
    tell: Tell
    resumed: int = 0
    waiting: "queue.SimpleQueue[Chunk]" = field(default_factory=queue.SimpleQueue)
    written: "queue.Queue[_Written | None]" = field(default_factory=lambda: queue.Queue(2))
    stop: threading.Event = field(default_factory=threading.Event)
    faults: list[BaseException] = field(default_factory=list)
    engines: list[Engine] = field(default_factory=list)
    costs: dict[str, float] = field(default_factory=dict)
    too_many: bool = False

    def cost(self, name: str, since: float) -> None:
        self.costs[name] = self.costs.get(name, 0.0) + time.perf_counter() - since

    @property
    def rejected(self) -> int:
        return sum(one.rejected for one in self.done)


@dataclass(frozen=True)
class _Written:
    """A chunk that an engine wrote: its draft and what was found."""

    chunk: Chunk
    draft: Path
    seen: int
    rejected: int
    rows: NDArray[np.int64]
    bits: NDArray[np.uint64]


def run_job(
    job: Job,
    folder: Path,
    keys: Mapping[str, bytes],
    means: Means | None = None,
    tell: Tell = lambda progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Do a job in `folder`, going on where an earlier run of the same job ended; `out/` holds the parts and fault lists.

    `keys` are the bytes of the keys that tokens name. Raises Invalid for a job that makes no sense; all else is an Outcome.
    """
    check(job)
    means = means or Means()
    started, used = time.perf_counter(), time.process_time()
    run: _Run | None = None
    try:
        run = _prepared(job, Checkpoints(folder), means, tell)
        state = _chunks(run, keys, means, cancelled)
        manifest = _manifest(run) if state == "done" else None
        reason = f"more than {job.most_rejected:.2%} of the rows break rules" if state == "stopped" else ""
    except (BadCheckpoint, sources.BadSource, EngineError, OSError) as error:
        state, reason, manifest = "failed", _reason(error), None
    tell(Progress(stage="ended"))
    return Outcome(
        state=state,  # type: ignore[arg-type]
        reason=reason,
        manifest=manifest,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - used,
        peak_bytes=peak_bytes(),
        resumed=run.resumed if run else 0,
        costs={name: round(value, 3) for name, value in run.costs.items()} if run else {},
    )


def peak_bytes() -> int:
    """The most memory that this programme ever held, in bytes; `ru_maxrss` would count that of whoever started it, too."""
    try:
        status = Path("/proc/self/status").read_text("ascii", errors="replace")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _reason(error: BaseException) -> str:
    """One line; what DuckDB says of values stays here, they may be personal."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return (text.split(":")[0] if isinstance(error, EngineError) else text)[:300]


def _prepared(job: Job, checkpoints: Checkpoints, means: Means, tell: Tell) -> _Run:
    import duckdb

    began = time.perf_counter()
    tell(Progress(stage="planning"))
    staging = checkpoints.folder / "staging"
    staging.mkdir(exist_ok=True)
    config = {"autoinstall_known_extensions": False, "autoload_known_extensions": False, "threads": means.engines}
    connection = duckdb.connect(
        ":memory:", config={**config, "memory_limit": means.search_memory, "temp_directory": str(staging)}
    )
    try:
        for statement in means.attach:
            connection.execute(statement)
        opened = (
            sources.open_files(job.source, staging, connection)
            if isinstance(job.source, FileSource)
            else sources.open_lake(job.source, connection)
        )
        missing = list(sources.missing(job, opened))
        if missing:
            raise sources.BadSource(f"the source has no column {', '.join(missing)}")
        name = sha256(job.canonical()).hexdigest()
        plan = checkpoints.plan(lambda: _planned(name, opened, job, connection), name, opened.fingerprint)
        rules = [*job.rules, *statements.type_rules(job, opened.types)]
        run = _Run(job, opened, checkpoints, plan, rules, [], {}, checkpoints.done(), tell)
        run.resumed = len(run.done)
        run.cost("planning", began)
        began = time.perf_counter()
        search = uniqueness.Search(job, opened, plan, connection, checkpoints.folder, means.engines)
        run.repeats = search.repeated(lambda: tell(Progress(stage="uniqueness", total=plan.rows)), means.compiled)
        run.cost("uniqueness", began)
    except duckdb.Error as error:
        raise EngineError(str(error)) from error
    finally:
        connection.close()
    return run


def _planned(name: str, opened: sources.Opened, job: Job, connection: Any) -> Plan:
    rows, chunks = sources.chunks(opened, job, connection)
    return Plan(job=name, source=opened.fingerprint, rows=rows, chunks=chunks)


def _chunks(run: _Run, keys: Mapping[str, bytes], means: Means, cancelled: Callable[[], bool]) -> str:
    """Do all chunks that are not done; returns how it ended: done, stopped, cancelled."""
    known = {part.name for one in run.done for part in (one.part, one.fault_part) if part is not None}
    run.checkpoints.sweep(known)
    finished = {one.number for one in run.done}
    for chunk in run.plan.chunks:
        if chunk.number not in finished:
            run.waiting.put(chunk)
    _look(run)
    began = time.perf_counter()
    settler = threading.Thread(target=_settling, args=(run,), name="exchange-settling")
    workers = [threading.Thread(target=_working, args=(run, keys, means), name=f"exchange-{n}") for n in range(means.engines)]
    for thread in (settler, *workers):
        thread.start()
    ended = _watched(run, workers, cancelled)
    run.written.put(None)
    settler.join()
    run.cost("rows", began)
    if run.faults:
        raise run.faults[0]
    return "stopped" if run.too_many else "cancelled" if ended else "done"


def _watched(run: _Run, workers: list[threading.Thread], cancelled: Callable[[], bool]) -> bool:
    """Wait for the workers; True when they were told to end because the job was cancelled."""
    told = False
    while any(worker.is_alive() for worker in workers):
        workers[0].join(0.05)
        workers[-1].join(0.05)
        if not told and cancelled():
            told = True
            run.stop.set()
        if run.stop.is_set():
            for engine in list(run.engines):
                engine.duck.interrupt()
    return told


def _working(run: _Run, keys: Mapping[str, bytes], means: Means) -> None:
    """One engine: takes chunks until there are none left."""
    engine: Engine | None = None
    try:
        staging = run.checkpoints.folder / "staging"
        rejecting = sum(1 << k for k, rule in enumerate(run.rules) if rule.action == "reject")
        while not run.stop.is_set():
            try:
                chunk = run.waiting.get_nowait()
            except queue.Empty:
                return
            if engine is None:
                engine = open_engine(run.job, rejecting, keys, means.memory, staging, means.attach, means.compiled)
                run.engines.append(engine)
            run.written.put(_written(run, engine, chunk))
    except Interrupted:
        run.stop.set()
    except BaseException as error:
        run.faults.append(error)
        run.stop.set()
    finally:
        if engine is not None:
            run.engines.remove(engine)
            engine.duck.close()


def _written(run: _Run, engine: Engine, chunk: Chunk) -> _Written:
    first, last = chunk.first + chunk.base, chunk.last + chunk.base
    engine.judged.begin(first, last, *uniqueness.listed(run.repeats, first, last))
    relation, number, where = run.opened.chunk_relation(chunk)
    select = statements.reading(run.job, run.opened.types, relation, number, where, run.opened.condition)
    rules = statements.conditions(run.job, run.opened.types, engine.compiled)
    draft = run.checkpoints.out / f"part-{chunk.number + 1:05d}.draft"
    engine.duck.execute(statements.copying(run.job, statements.writing(run.job, select, rules), str(draft)))
    return _Written(chunk, draft, engine.judged.seen, engine.judged.rejected, *engine.judged.found())


def _settling(run: _Run) -> None:
    """Digest and note what was written, while the next chunks are."""
    try:
        while (written := run.written.get()) is not None:
            if run.faults:
                continue
            _settle(run, written)
            _look(run)
    except BaseException as error:
        run.faults.append(error)
        run.stop.set()
        while run.written.get() is not None:
            pass


def _settle(run: _Run, written: _Written) -> None:
    began = time.perf_counter()
    number = written.chunk.number + 1
    rows = written.seen - written.rejected
    part = fault_part = None
    if rows:
        part = settle(written.draft, f"part-{number:05d}.parquet", rows, run.job.digest)
    else:
        written.draft.unlink(missing_ok=True)
    if len(written.rows):
        draft = run.checkpoints.out / f"faults-{number:05d}.draft"
        lines = _fault_list(run.rules, written.rows, written.bits, draft)
        fault_part = settle(draft, f"faults-{number:05d}.csv", lines, run.job.digest)
    run.cost("digest and sync", began)
    began = time.perf_counter()
    counts = {rule.name: int(np.count_nonzero(written.bits & np.uint64(1 << place))) for place, rule in enumerate(run.rules)}
    done = Done(
        number=written.chunk.number,
        read=written.seen,
        rejected=written.rejected,
        faults={name: count for name, count in counts.items() if count},
        part=part,
        fault_part=fault_part,
    )
    run.checkpoints.add(done)
    run.done.append(done)
    run.cost("checkpoint", began)


def _fault_list(rules: list[Rule], rows: NDArray[np.int64], bits: NDArray[np.uint64], file: Path) -> int:
    """Write which rows break which rules: never their values, whoever mends them has them."""
    shown = [f",{rule.name},{'+'.join(rule.fields)}\n" for rule in rules]
    lines = 0
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.write("row,rule,fields\n")
        for row, broken in zip(rows.tolist(), bits.tolist(), strict=True):
            for place, text in enumerate(shown):
                if broken >> place & 1:
                    stream.write(f"{row}{text}")
                    lines += 1
    return lines


def _look(run: _Run) -> None:
    """Tell how far it is, and stop when so many rows are rejected that the rest cannot make it good."""
    read = sum(one.read for one in run.done)
    run.tell(
        Progress(
            stage="rows",
            total=run.plan.rows,
            read=read,
            rejected=run.rejected,
            chunks=len(run.plan.chunks),
            done=len(run.done),
            resumed=run.resumed,
        )
    )
    if run.rejected > run.job.most_rejected * run.plan.rows:
        run.too_many = True
        run.stop.set()


def _manifest(run: _Run) -> Manifest:
    job, done = run.job, sorted(run.done, key=lambda one: one.number)
    parts: tuple[Part, ...] = tuple(one.part for one in done if one.part is not None)
    read, rejected = sum(one.read for one in done), run.rejected
    return Manifest(
        format=FORMAT,
        id=job.id,
        job=run.plan.job,
        algorithm=job.digest,
        source=run.opened.told,
        grant=job.grant,
        holder=job.holder,
        purpose=job.purpose,
        columns=tuple(statements.written_types(job)),
        rules={rule.name: sum(one.faults.get(rule.name, 0) for one in done) for rule in run.rules},
        read=read,
        written=read - rejected,
        rejected=rejected,
        parts=parts,
        faults=tuple(one.fault_part for one in done if one.fault_part is not None),
        digest=digest_of_parts(parts, job.digest),
    )
