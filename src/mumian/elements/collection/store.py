"""How runs, their faults, accepted columns, watermarks and taken files are kept."""

import json
from collections.abc import Sequence
from typing import Any

from mumian.elements.collection.contracts import RowFault, Run
from mumian.kernel.unit_of_work import Row, Session, Transaction

_SHOWN = (
    "id, connector, dataset, state, trigger_by, actor, queued_at, started_at, ended_at, rows_read, rows_good, rows_bad, "
    "rows_mended, bytes_read, rows_total, batches, watermark, load_number, drift, error, guessed"
)
_WHOLE = f"{_SHOWN}, spec, given, position, profile, cancelled"
_OPEN = "('queued', 'reading', 'loading')"


def queue(tx: Transaction, run: dict[str, Any]) -> None:
    """Enter a run that waits to begin; `run` has id, connector, dataset, spec, given and trigger."""
    tx.session.execute(
        "INSERT INTO collection_run (id, connector, dataset, spec, given, state, trigger_by, actor, queued_at) "
        "VALUES (:id, :connector, :dataset, :spec, :given, 'queued', :trigger, :actor, :now)",
        **run,
        actor=tx.actor.id,
        now=tx.now_text,
    )


def under_way(session: Session, connector: str) -> str | None:
    """The run of a connector that is queued or under way, by id."""
    found = session.value(f"SELECT id FROM collection_run WHERE connector = :c AND state IN {_OPEN} ORDER BY id", c=connector)
    return None if found is None else str(found)


def open_runs(session: Session) -> list[str]:
    """The ids of all runs that are queued or under way, oldest first."""
    return [row["id"] for row in session.rows(f"SELECT id FROM collection_run WHERE state IN {_OPEN} ORDER BY id")]


def whole(session: Session, id_: str) -> Row | None:
    """Everything that is kept of a run."""
    return session.row(f"SELECT {_WHOLE} FROM collection_run WHERE id = :id", id=id_)


def last_queued(session: Session) -> dict[str, str]:
    """When a run of each connector was last queued by its schedule or by hand."""
    rows = session.rows("SELECT connector, MAX(queued_at) AS at FROM collection_run GROUP BY connector")
    return {row["connector"]: row["at"] for row in rows}


def runs(session: Session, connector: str | None, state: str | None, before: str | None, limit: int) -> list[Run]:
    """Runs, newest first, of one connector or all."""
    where, params = ["id < :before"], {"before": before or "~", "limit": limit}
    for column, value in (("connector", connector), ("state", state)):
        if value is not None:
            where.append(f"{column} = :{column}")
            params[column] = value
    rows = session.rows(
        f"SELECT {_SHOWN} FROM collection_run WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT :limit", **params
    )
    return [run_of(row) for row in rows]


def change(tx: Transaction, id_: str, **changes: Any) -> None:
    """Change columns of a run."""
    columns = ", ".join(f"{name} = :{name}" for name in changes)
    tx.session.execute(f"UPDATE collection_run SET {columns} WHERE id = :id", id=id_, **changes)


def advance(tx: Transaction, id_: str, batch: dict[str, Any], faults: Sequence[RowFault], first: int) -> None:
    """Remember, in one commit, how far a run came and what was wrong with the rows of its last batch."""
    change(tx, id_, **batch)
    if not faults:
        return
    tx.session.execute_many(
        "INSERT INTO collection_fault (run, number, place, line, field, value, key, expected) "
        "VALUES (:run, :number, :place, :line, :field, :value, :key, :expected)",
        [{"run": id_, "number": first + i, **fault.__dict__} for i, fault in enumerate(faults)],
    )


def begin_anew(tx: Transaction, id_: str) -> None:
    """Forget what a run has read so far."""
    tx.session.execute("DELETE FROM collection_fault WHERE run = :id", id=id_)
    zeros = dict.fromkeys(("batches", "rows_read", "rows_good", "rows_bad", "rows_mended", "bytes_read"), 0)
    change(tx, id_, position=None, profile="{}", watermark=None, **zeros)


def fault_count(session: Session, id_: str) -> int:
    """How many faults are kept of a run."""
    return int(session.value("SELECT COALESCE(MAX(number), 0) FROM collection_fault WHERE run = :id", id=id_))


def faults(session: Session, id_: str, after: int, limit: int) -> list[Row]:
    """Faults of a run, in order, behind a number."""
    return session.rows(
        "SELECT number, place, line, field, value, key, expected FROM collection_fault "
        "WHERE run = :id AND number > :after ORDER BY number LIMIT :limit",
        id=id_,
        after=after,
        limit=limit,
    )


def schema(session: Session, connector: str) -> dict[str, str]:
    """The columns of a connector that were accepted last, with their types; empty before its first run."""
    found = session.value("SELECT columns FROM collection_schema WHERE connector = :c", c=connector)
    return {} if found is None else dict(json.loads(found))


def accept(tx: Transaction, connector: str, columns: dict[str, str], run: str) -> None:
    """Expect these columns from now on."""
    tx.session.execute(
        "INSERT INTO collection_schema (connector, columns, run, accepted_at, accepted_by) "
        "VALUES (:connector, :columns, :run, :now, :by) ON CONFLICT (connector) DO UPDATE SET "
        "columns = excluded.columns, run = excluded.run, accepted_at = excluded.accepted_at, accepted_by = excluded.accepted_by",
        connector=connector,
        columns=json.dumps(columns, ensure_ascii=False, sort_keys=True),
        run=run,
        now=tx.now_text,
        by=tx.actor.id,
    )


def watermark(session: Session, connector: str) -> str | None:
    """How far a connector came."""
    found = session.value("SELECT watermark FROM collection_watermark WHERE connector = :c", c=connector)
    return None if found is None else str(found)


def keep_watermark(tx: Transaction, connector: str, mark: str, run: str) -> None:
    """Remember how far a connector came."""
    tx.session.execute(
        "INSERT INTO collection_watermark (connector, watermark, run) VALUES (:c, :mark, :run) "
        "ON CONFLICT (connector) DO UPDATE SET watermark = excluded.watermark, run = excluded.run",
        c=connector,
        mark=mark,
        run=run,
    )


def forget_watermark(tx: Transaction, connector: str) -> None:
    """Let the next run of a connector bring everything."""
    tx.session.execute("DELETE FROM collection_watermark WHERE connector = :c", c=connector)
    tx.session.execute("DELETE FROM collection_taken WHERE connector = :c", c=connector)


def taken(session: Session, connector: str) -> dict[str, str]:
    """The files that a connector took, with what they were known by."""
    rows = session.rows("SELECT file, mark FROM collection_taken WHERE connector = :c", c=connector)
    return {row["file"]: row["mark"] for row in rows}


def keep_taken(tx: Transaction, connector: str, files: Sequence[Sequence[str]], run: str) -> None:
    """Remember files as taken."""
    if files:
        tx.session.execute_many(
            "INSERT INTO collection_taken (connector, file, mark, run) VALUES (:c, :file, :mark, :run) "
            "ON CONFLICT (connector, file) DO UPDATE SET mark = excluded.mark, run = excluded.run",
            [{"c": connector, "file": file, "mark": mark, "run": run} for file, mark in files],
        )


def run_of(row: Row) -> Run:
    """A run as it is handed out."""
    return Run(
        id=row["id"],
        connector=row["connector"],
        dataset=row["dataset"],
        state=row["state"],
        trigger=row["trigger_by"],
        actor=row["actor"],
        queued_at=row["queued_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        read=row["rows_read"],
        good=row["rows_good"],
        bad=row["rows_bad"],
        mended=row["rows_mended"],
        bytes=row["bytes_read"],
        total=row["rows_total"],
        batches=row["batches"],
        watermark=row["watermark"],
        load=row["load_number"],
        drift=_json(row["drift"]),
        error=_json(row["error"]),
        guessed=json.loads(row["guessed"]),
    )


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)
