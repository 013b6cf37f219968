"""Store of compute: jobs, how pools were used, and the scripts that may run."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from mumian.foundation.compute.contracts import Ask, Job
from mumian.kernel.ids import new_id
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode

FIELDS = Job.__struct_fields__
_JSON = ("parameters", "ask", "placement", "result")
_SELECT = f"SELECT {', '.join(FIELDS)} FROM compute_job"
_FILTERS = ("state", "organisation", "type", "pool")


def digest(job: Job) -> str:
    """SHA-256 (hex) of the canonical JSON of a job's whole record."""
    return sha256(encode(job)).hexdigest()


def load(row: Row) -> Job:
    """A job from its row."""
    values = {name: msgspec.json.decode(row[name]) if name in _JSON else row[name] for name in FIELDS}
    return Job(**{**values, "ask": msgspec.convert(values["ask"], Ask), "cancelling": bool(row["cancelling"])})


def _row(job: Job) -> dict[str, Any]:
    row = {name: getattr(job, name) for name in FIELDS}
    return row | {name: encode(row[name]).decode() for name in _JSON} | {"cancelling": int(job.cancelling)}


def insert(session: Session, job: Job) -> None:
    """Keep a new job."""
    session.execute(f"INSERT INTO compute_job ({', '.join(FIELDS)}) VALUES ({', '.join(':' + n for n in FIELDS)})", **_row(job))


def update(session: Session, job: Job) -> bool:
    """Keep the next version of a job; False if somebody else was faster."""
    columns = ", ".join(f"{name} = :{name}" for name in FIELDS if name != "id")
    seen = job.version - 1
    return session.execute(f"UPDATE compute_job SET {columns} WHERE id = :id AND version = :seen", **_row(job), seen=seen) == 1


def find(session: Session, id_: str) -> Job | None:
    """The job of that id."""
    row = session.row(f"{_SELECT} WHERE id = :id", id=id_)
    return None if row is None else load(row)


def page(session: Session, filters: Mapping[str, str | None], before: str | None, limit: int) -> list[Job]:
    """Jobs, the newest first; `organisations` of filters is not a column: the caller checks."""
    params: dict[str, Any] = {name: filters[name] for name in _FILTERS if filters.get(name) is not None}
    where = "".join(f" AND {name} = :{name}" for name in params)
    sql = f"{_SELECT} WHERE id < :before{where} ORDER BY id DESC LIMIT :limit"
    return [load(row) for row in session.rows(sql, before=before or "~", limit=limit, **params)]


def in_states(session: Session, states: Sequence[str], limit: int = 1_000_000) -> list[Job]:
    """Jobs in some states, the oldest first."""
    names = {f"s{n}": state for n, state in enumerate(states)}
    sql = f"{_SELECT} WHERE state IN ({', '.join(':' + name for name in names)}) ORDER BY id LIMIT :limit"
    return [load(row) for row in session.rows(sql, limit=limit, **names)]


def waiting(session: Session, organisation: str) -> int:
    """How many jobs of an organisation wait."""
    sql = "SELECT COUNT(*) FROM compute_job WHERE state = 'queued' AND organisation = :organisation"
    return int(session.value(sql, organisation=organisation))


def usage(session: Session, organisation: str | None) -> list[Row]:
    """What organisations used, by month in which a job ended, and pool."""
    where = "" if organisation is None else " AND organisation = :organisation"
    params = {} if organisation is None else {"organisation": organisation}
    return session.rows(
        "SELECT organisation, SUBSTR(ended, 1, 7) AS month, pool, COUNT(*) AS jobs, SUM(core_hours) AS core_hours, "
        "SUM(gpu_hours) AS gpu_hours, SUM(memory_hours) AS memory_hours, SUM(cost) AS cost FROM compute_job "
        f"WHERE ended <> '' AND attempt > 0{where} GROUP BY organisation, SUBSTR(ended, 1, 7), pool "
        "ORDER BY organisation, month, pool",
        **params,
    )


def note_utilisation(tx: Transaction, pools: Sequence[str]) -> None:
    """Note how much of these pools is taken after a change."""
    held = in_states(tx.session, ("placed", "running"))
    for pool in sorted(set(pools) - {""}):
        asks = [job.ask for job in held if job.pool == pool]
        row = {"pool": pool, "id": new_id(), "time": tx.now_text, "jobs": len(asks), "gpus": sum(ask.gpus for ask in asks)}
        row |= {"cores": sum(ask.cores for ask in asks), "memory": sum(ask.memory for ask in asks)}
        names = list(row)
        sql = f"INSERT INTO compute_utilisation ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"
        tx.session.execute(sql, **row)


def utilisation(session: Session, pool: str, before: str | None, limit: int) -> list[Row]:
    """How much of a pool was taken, the newest first."""
    sql = "SELECT id, time, cores, memory, gpus, jobs FROM compute_utilisation WHERE pool = :pool AND id < :before "
    return session.rows(f"{sql}ORDER BY id DESC LIMIT :limit", pool=pool, before=before or "~", limit=limit)


def keep_script(session: Session, type_: str, file: str, content: str) -> str:
    """Keep the script of a job type; returns its SHA-256."""
    found = sha256(content.encode()).hexdigest()
    session.execute(
        "INSERT INTO compute_script (type, file, sha256, content) VALUES (:type, :file, :sha256, :content) "
        "ON CONFLICT (type) DO UPDATE SET file = :file, sha256 = :sha256, content = :content",
        type=type_,
        file=file,
        sha256=found,
        content=content,
    )
    return found


def drop_script(session: Session, type_: str) -> bool:
    """Forget the script of a job type; False where there was none."""
    return session.execute("DELETE FROM compute_script WHERE type = :type", type=type_) == 1


def script(session: Session, type_: str) -> Row | None:
    """The script of a job type: file, sha256, content."""
    return session.row("SELECT file, sha256, content FROM compute_script WHERE type = :type", type=type_)
