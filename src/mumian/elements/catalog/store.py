"""The catalogue's entries of streams, written from sensing's events."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction

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
