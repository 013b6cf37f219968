"""SQL of lineage: runs and edges."""

import json
from collections.abc import Iterable
from typing import Any

from mumian.elements.lineage.contracts import Column, Edge, Run
from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value

_RUN = "number, id, job, state, producer, started_at, ended_at, analysed"
_EDGE = "source_dataset, source_field, target_dataset, target_field, job, kind, run"
_OVER = ("completed", "failed", "aborted")


def note_run(tx: Transaction, id_: str, job: str, state: str, producer: str, at: str) -> int:
    """Have a run, or bring it further; returns its number."""
    number = tx.session.value("SELECT number FROM lineage_run WHERE id = :id", id=id_)
    ended = at if state in _OVER else None
    if number is None:
        number = next_value(tx.session, "lineage.run")
        tx.session.execute(
            f"INSERT INTO lineage_run ({_RUN}, sent) VALUES (:number, :id, :job, :state, :producer, :at, :ended, 0, 1)",
            number=number,
            id=id_,
            job=job,
            state=state,
            producer=producer,
            at=at,
            ended=ended,
        )
    elif ended is not None:
        tx.session.execute(
            "UPDATE lineage_run SET state = :state, ended_at = :ended WHERE number = :number",
            number=number,
            state=state,
            ended=ended,
        )
    return int(number)


def note_analysed(tx: Transaction, number: int, event: dict[str, Any] | None, analysed: bool) -> None:
    """Remember whether the columns of a run are known, and the event that is to be sent about it."""
    tx.session.execute(
        "UPDATE lineage_run SET analysed = :analysed, event = :event, sent = :sent WHERE number = :number",
        number=number,
        analysed=int(analysed),
        event=None if event is None else json.dumps(event, ensure_ascii=False),
        sent=int(event is None),
    )


def put_edges(tx: Transaction, edges: Iterable[Edge]) -> None:
    """Keep edges; one that is known takes the kind and the run that were told last."""
    tx.session.execute_many(
        f"INSERT INTO lineage_edge ({_EDGE}) VALUES (:sd, :sf, :td, :tf, :job, :kind, :run) "
        "ON CONFLICT (source_dataset, source_field, target_dataset, target_field, job) DO UPDATE SET kind = :kind, run = :run",
        [
            {
                "sd": edge.source.dataset,
                "sf": edge.source.field,
                "td": edge.target.dataset,
                "tf": edge.target.field,
                "job": edge.job,
                "kind": edge.kind,
                "run": edge.run,
            }
            for edge in edges
        ],
    )


def beside(session: Session, column: Column, upstream: bool, limit: int) -> list[Edge]:
    """The edges that end at a column (upstream) or begin there; those of all its fields for a whole dataset."""
    here = "target" if upstream else "source"
    field = "" if not column.field else f" AND {here}_field = :field"
    params: dict[str, Any] = {"field": column.field} if column.field else {}
    rows = session.rows(
        f"SELECT {_EDGE} FROM lineage_edge WHERE {here}_dataset = :dataset{field} "
        "ORDER BY source_dataset, source_field, target_dataset, target_field, job LIMIT :limit",
        dataset=column.dataset,
        limit=limit,
        **params,
    )
    return [edge(row) for row in rows]


def runs(session: Session, job: str | None, before: int | None, limit: int) -> list[Run]:
    """Runs, newest first."""
    where = "" if job is None else "AND job = :job "
    params: dict[str, Any] = {} if job is None else {"job": job}
    rows = session.rows(
        f"SELECT {_RUN} FROM lineage_run WHERE number < :before {where}ORDER BY number DESC LIMIT :limit",
        before=before if before is not None else 1 << 62,
        limit=limit,
        **params,
    )
    return [Run(**{**row, "analysed": bool(row["analysed"])}) for row in rows]


def unsent(session: Session, limit: int) -> list[Row]:
    """Events that were not sent yet, oldest first."""
    return session.rows("SELECT number, event FROM lineage_run WHERE sent = 0 ORDER BY number LIMIT :limit", limit=limit)


def note_sent(tx: Transaction, number: int) -> None:
    """Remember that the event of a run was taken."""
    tx.session.execute("UPDATE lineage_run SET sent = 1 WHERE number = :number", number=number)


def everything(session: Session) -> list[Row]:
    """All edges, for the evidence."""
    return session.rows(f"SELECT {_EDGE} FROM lineage_edge ORDER BY run")


def edge(row: Row) -> Edge:
    """An edge as it is kept."""
    source, target = Column(row["source_dataset"], row["source_field"]), Column(row["target_dataset"], row["target_field"])
    return Edge(source, target, row["kind"], row["job"], int(row["run"]))
