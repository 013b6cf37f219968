"""The catalogue's entries of streams, written from sensing's events, and the tables and loads of other datasets."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value

LOAD = "number, dataset, mode, source, watermark, state, started_at, ended_at, added_rows, total_rows, actor"
FACTS = ("stream", "owner", "unit", "observed_property", "frequency_seconds")


def enter(tx: Transaction, name: str, facts: dict[str, Any]) -> bool:
    """Enter or update a stream; True if it was not in the catalogue."""
    present = tx.session.value("SELECT COUNT(*) FROM catalog_stream WHERE name = :name AND withdrawn = 0", name=name)
    tx.session.execute(
        "INSERT INTO catalog_stream (name, stream, owner, unit, observed_property, frequency_seconds, entered_at, withdrawn) "
        "VALUES (:name, :stream, :owner, :unit, :observed_property, :frequency_seconds, :now, 0) "
        "ON CONFLICT (name) DO UPDATE SET stream = excluded.stream, owner = excluded.owner, unit = excluded.unit, "
        "observed_property = excluded.observed_property, frequency_seconds = excluded.frequency_seconds, withdrawn = 0",
        name=name,
        now=tx.now_text,
        **{key: facts[key] for key in FACTS},
    )
    return not present


def withdraw(tx: Transaction, name: str) -> bool:
    """Take a stream out of the catalogue; False if it was not there."""
    return tx.session.execute("UPDATE catalog_stream SET withdrawn = 1 WHERE name = :name AND withdrawn = 0", name=name) > 0


def everything(session: Session) -> list[Row]:
    """Every entry, withdrawn or not: for verification."""
    return session.rows(f"SELECT name, {', '.join(FACTS)}, entered_at, withdrawn FROM catalog_stream ORDER BY name")


def streams(session: Session) -> list[str]:
    """The names of all streams in the catalogue."""
    return [row["name"] for row in session.rows("SELECT name FROM catalog_stream WHERE withdrawn = 0 ORDER BY name")]


def table(session: Session, dataset: str) -> Row | None:
    """What is kept of a dataset's rows."""
    return session.row("SELECT dataset, number, total_rows, last_row, loaded_at FROM catalog_table WHERE dataset = :d", d=dataset)


def tables(session: Session) -> list[Row]:
    """What is kept of all datasets with rows, by name."""
    return session.rows("SELECT dataset, number, total_rows, last_row, loaded_at FROM catalog_table ORDER BY dataset")


def give_table(tx: Transaction, dataset: str) -> None:
    """Have a table for a dataset, numbered once and for all."""
    if table(tx.session, dataset) is None:
        tx.session.execute(
            "INSERT INTO catalog_table (dataset, number, total_rows, last_row) VALUES (:dataset, :number, 0, 0)",
            dataset=dataset,
            number=next_value(tx.session, "catalog.table"),
        )


def start_load(tx: Transaction, dataset: str, mode: str, source: str, watermark: str | None) -> int:
    """Remember that a load begins; returns its number."""
    number = next_value(tx.session, "catalog.load")
    tx.session.execute(
        "INSERT INTO catalog_load (number, dataset, mode, source, watermark, state, started_at, actor) "
        "VALUES (:number, :dataset, :mode, :source, :watermark, 'started', :now, :actor)",
        number=number,
        dataset=dataset,
        mode=mode,
        source=source,
        watermark=watermark,
        now=tx.now_text,
        actor=tx.actor.id,
    )
    return number


def end_load(tx: Transaction, number: int, state: str, added: int | None = None, total: int | None = None) -> None:
    """Remember how a load ended."""
    tx.session.execute(
        "UPDATE catalog_load SET state = :state, ended_at = :now, added_rows = :added, total_rows = :total "
        "WHERE number = :number",
        number=number,
        state=state,
        now=tx.now_text,
        added=added,
        total=total,
    )


def note_rows(tx: Transaction, dataset: str, total: int, last: int) -> None:
    """Remember how many rows a dataset has, and the last number given to one."""
    tx.session.execute(
        "UPDATE catalog_table SET total_rows = :total, last_row = :last, loaded_at = :now WHERE dataset = :dataset",
        dataset=dataset,
        total=total,
        last=last,
        now=tx.now_text,
    )


def started_loads(session: Session) -> list[Row]:
    """Loads of which it is not known how they ended."""
    return session.rows(f"SELECT {LOAD} FROM catalog_load WHERE state = 'started' ORDER BY number")


def loads(session: Session, dataset: str, before: int | None, limit: int) -> list[Row]:
    """The loads of a dataset, newest first, from before one on."""
    return session.rows(
        f"SELECT {LOAD} FROM catalog_load WHERE dataset = :dataset AND number < :before ORDER BY number DESC LIMIT :limit",
        dataset=dataset,
        before=before if before is not None else 1 << 62,
        limit=limit,
    )
