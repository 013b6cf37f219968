"""How entries are kept: written with a stamp that only grows, so that whoever holds a copy reads only what changed."""

from collections.abc import Iterable, Mapping
from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction, next_value

SEQUENCE = "catalog.entry"
COLUMNS = (
    "kind",
    "origin",
    "title_zh",
    "title_en",
    "owner",
    "theme",
    "duty",
    "observes",
    "share",
    "opened",
    "frequency_seconds",
    "formats",
    "facts",
    "digest",
)
_ALL = ("name", *COLUMNS, "version", "document", "reached_at", "held_rows", "score", "uses", "entered_at", "changed_at", "stamp")
_MOVED = ("reached_at", "held_rows", "score", "uses")


def stamp(session: Session) -> int:
    """The newest stamp; 0 before the first."""
    return int(session.value("SELECT value FROM kernel_sequence WHERE name = :name", name=SEQUENCE) or 0)


def entry(session: Session, name: str) -> Row | None:
    """One entry that is in the catalogue."""
    return session.row(f"SELECT {', '.join(_ALL)} FROM catalog_entry WHERE name = :name AND gone = 0", name=name)


def entries(session: Session, names: list[str]) -> dict[str, Row]:
    """Entries by name; those that are gone are left out."""
    if not names:
        return {}
    params = {f"n{i}": name for i, name in enumerate(names)}
    among = ", ".join(f":{key}" for key in params)
    rows = session.rows(f"SELECT {', '.join(_ALL)} FROM catalog_entry WHERE gone = 0 AND name IN ({among})", **params)
    return {row["name"]: row for row in rows}


def since(session: Session, seen: int) -> list[Row]:
    """What is needed to find entries, of those changed after a stamp, gone ones too."""
    return session.rows(
        "SELECT e.name, e.kind, e.origin, e.owner, e.theme, e.share, e.opened, e.frequency_seconds, e.formats, e.document, "
        "e.reached_at, e.score, e.uses, e.observes, e.changed_at, e.stamp, e.gone, s.stream FROM catalog_entry e "
        "LEFT JOIN catalog_stream s ON s.name = e.name AND e.kind = 'stream' WHERE e.stamp > :seen ORDER BY e.stamp",
        seen=seen,
    )


def formats(session: Session) -> dict[str, str]:
    """The formats of each declared dataset, as JSON."""
    rows = session.rows("SELECT name, formats FROM catalog_entry WHERE kind = 'dataset' AND gone = 0")
    return {row["name"]: row["formats"] for row in rows}


def everything(session: Session) -> Iterable[Row]:
    """Every entry that is in the catalogue, for verification."""
    return session.rows(f"SELECT name, {', '.join(COLUMNS)} FROM catalog_entry WHERE gone = 0 ORDER BY name")


def put(tx: Transaction, name: str, told: Mapping[str, Any], version: int, document: int) -> bool:
    """Write what a source says of an entry; True if it was not in the catalogue."""
    old = tx.session.row("SELECT digest, gone FROM catalog_entry WHERE name = :name", name=name)
    if old is not None and not old["gone"] and old["digest"] == told["digest"]:
        tx.session.execute("UPDATE catalog_entry SET version = :version WHERE name = :name", version=version, name=name)
        return False
    given = ", ".join((*COLUMNS, "version", "document", "changed_at", "stamp"))
    tx.session.execute(
        f"INSERT INTO catalog_entry (name, {given}, uses, entered_at, gone) "
        f"VALUES (:name, :{given.replace(', ', ', :')}, 0, :changed_at, 0) ON CONFLICT (name) DO UPDATE SET gone = 0, "
        + ", ".join(f"{column} = excluded.{column}" for column in given.split(", ")),
        name=name,
        version=version,
        document=document,
        changed_at=tx.now_text,
        stamp=next_value(tx.session, SEQUENCE),
        **told,
    )
    return old is None or bool(old["gone"])


def move(tx: Transaction, name: str, **moved: Any) -> None:
    """Write what happens to an entry: `reached_at`, `held_rows`, `score`; `used` adds to its uses."""
    used = moved.pop("used", 0)
    if not moved.keys() <= set(_MOVED):
        raise ValueError(f"unknown columns {moved.keys() - set(_MOVED)}")
    sets = "".join(f"{column} = :{column}, " for column in moved)
    tx.session.execute(
        f"UPDATE catalog_entry SET {sets}uses = uses + :used, stamp = :stamp WHERE name = :name",
        name=name,
        used=used,
        stamp=next_value(tx.session, SEQUENCE),
        **moved,
    )


def drop(tx: Transaction, name: str) -> bool:
    """Take an entry out of the catalogue; its row stays, so that copies learn of it. False if it was not there."""
    return (
        tx.session.execute(
            "UPDATE catalog_entry SET gone = 1, changed_at = :now, stamp = :stamp WHERE name = :name AND gone = 0",
            name=name,
            now=tx.now_text,
            stamp=next_value(tx.session, SEQUENCE),
        )
        > 0
    )


def keep_harvested(tx: Transaction, name: str, row: Mapping[str, Any]) -> bool:
    """Keep a harvested record; False if it is as it was."""
    old = tx.session.value("SELECT digest FROM catalog_harvested WHERE name = :name", name=name)
    if old == row["digest"]:
        return False
    tx.session.execute(
        "INSERT INTO catalog_harvested (name, origin, identifier, source_url, record, original, digest) "
        "VALUES (:name, :origin, :identifier, :source_url, :record, :original, :digest) ON CONFLICT (name) DO UPDATE SET "
        "source_url = excluded.source_url, record = excluded.record, original = excluded.original, digest = excluded.digest",
        name=name,
        **row,
    )
    return True


def forget_harvested(tx: Transaction, name: str) -> bool:
    """Drop a harvested record; False if it was not there."""
    return tx.session.execute("DELETE FROM catalog_harvested WHERE name = :name", name=name) > 0


def harvested(session: Session, name: str) -> Row | None:
    """A harvested record with its original."""
    return session.row(
        "SELECT name, origin, identifier, source_url, record, original, digest FROM catalog_harvested WHERE name = :name",
        name=name,
    )


def harvested_names(session: Session, origin: str) -> list[str]:
    """The names of all that came from one catalogue."""
    rows = session.rows("SELECT name FROM catalog_harvested WHERE origin = :origin ORDER BY name", origin=origin)
    return [row["name"] for row in rows]
