"""Store of context: entities, their changes, contexts, subscriptions and notices, in the records."""

from collections.abc import Sequence
from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction


def entities(session: Session, after: str = "", limit: int = 20_000) -> list[Row]:
    """Stored entities by id, after `after`."""
    return session.rows(
        "SELECT id, number, body FROM context_entity WHERE id > :after ORDER BY id LIMIT :limit", after=after, limit=limit
    )


def some(session: Session, ids: Sequence[str]) -> list[Row]:
    """The stored entities of these ids."""
    found = (session.row("SELECT id, number, body FROM context_entity WHERE id = :id", id=id_) for id_ in ids)
    return [row for row in found if row is not None]


def highest(session: Session) -> int:
    """The highest number that a change ever had here."""
    one = session.value("SELECT MAX(number) FROM context_entity") or 0
    two = session.value("SELECT MAX(number) FROM context_change") or 0
    return max(int(one), int(two), int(position(session, "highest")))


def save(tx: Transaction, changes: Sequence[dict[str, Any]]) -> None:
    """Keep changes: `number`, `id`, `time`, `kind`, `delta` (what the history tells), `body` (None: deleted)."""
    kept = [{"id": c["id"], "number": c["number"], "body": c["body"]} for c in changes if c["body"] is not None]
    gone = [{"id": c["id"]} for c in changes if c["body"] is None]
    if kept:
        tx.session.execute_many(
            "INSERT INTO context_entity (id, number, body) VALUES (:id, :number, :body) "
            "ON CONFLICT (id) DO UPDATE SET number = excluded.number, body = excluded.body",
            kept,
        )
    if gone:
        tx.session.execute_many("DELETE FROM context_entity WHERE id = :id", gone)
    tx.session.execute_many(
        "INSERT INTO context_change (number, entity, time, kind, body) VALUES (:number, :id, :time, :kind, :delta)",
        [{name: c[name] for name in ("number", "id", "time", "kind", "delta")} for c in changes],
    )


def changes(session: Session, limit: int) -> list[Row]:
    """The oldest changes that the lake does not have, by number."""
    return session.rows("SELECT * FROM context_change ORDER BY number LIMIT :limit", limit=limit)


def changes_of(session: Session, ids: Sequence[str]) -> list[Row]:
    """The changes of these entities that the lake may not have yet, by number."""
    if len(ids) > 50:
        wanted = set(ids)
        return [row for row in session.rows("SELECT * FROM context_change ORDER BY number") if row["entity"] in wanted]
    rows = [r for id_ in ids for r in session.rows("SELECT * FROM context_change WHERE entity = :id", id=id_)]
    return sorted(rows, key=lambda row: int(row["number"]))


def forget_changes(tx: Transaction, last: int) -> None:
    """Drop the changes up to `last`; the lake has them."""
    keep_position(tx, "highest", last)
    tx.session.execute("DELETE FROM context_change WHERE number <= :last", last=last)


def position(session: Session, name: str) -> int:
    """The number kept under a name; 0 if there is none."""
    return int(session.value("SELECT value FROM context_position WHERE name = :name", name=name) or 0)


def keep_position(tx: Transaction, name: str, value: int) -> None:
    """Keep a number under a name."""
    tx.session.execute(
        "INSERT INTO context_position (name, value) VALUES (:name, :value) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name=name,
        value=value,
    )


def documents(session: Session) -> list[Row]:
    """All stored contexts, oldest first."""
    return session.rows("SELECT * FROM context_document ORDER BY time, id")


def add_document(tx: Transaction, row: Row) -> None:
    """Keep a context: id, address, kind, body, time."""
    tx.session.execute(
        "INSERT INTO context_document (id, address, kind, body, time) VALUES (:id, :address, :kind, :body, :time) "
        "ON CONFLICT (id) DO UPDATE SET body = excluded.body, time = excluded.time",
        **row,
    )


def delete_document(tx: Transaction, id_: str) -> None:
    """Drop a context."""
    tx.session.execute("DELETE FROM context_document WHERE id = :id", id=id_)


def subscriptions(session: Session) -> list[Row]:
    """All subscriptions, oldest first."""
    return session.rows("SELECT * FROM context_subscription ORDER BY created, id")


def save_subscription(tx: Transaction, row: Row) -> None:
    """Keep a subscription: id, body, context, owner, state, created, modified."""
    names = ", ".join(row)
    tx.session.execute(
        f"INSERT INTO context_subscription ({names}) VALUES ({', '.join(':' + name for name in row)}) "
        "ON CONFLICT (id) DO UPDATE SET body = excluded.body, context = excluded.context, modified = excluded.modified",
        **row,
    )


def keep_state(tx: Transaction, id_: str, state: str) -> None:
    """Keep what became of a subscription's notifications."""
    tx.session.execute("UPDATE context_subscription SET state = :state WHERE id = :id", id=id_, state=state)


def delete_subscription(tx: Transaction, id_: str) -> None:
    """Drop a subscription and what waits for its receiver."""
    tx.session.execute("DELETE FROM context_notice WHERE subscription = :id", id=id_)
    tx.session.execute("DELETE FROM context_subscription WHERE id = :id", id=id_)


def add_notices(tx: Transaction, rows: Sequence[Row]) -> None:
    """Keep notices that are to be sent: number, subscription, body, time."""
    if rows:
        tx.session.execute_many(
            "INSERT INTO context_notice (number, subscription, body, time) VALUES (:number, :subscription, :body, :time)", rows
        )


def notices(session: Session, subscription: str, limit: int) -> list[Row]:
    """The oldest waiting notices of a subscription."""
    return session.rows(
        "SELECT * FROM context_notice WHERE subscription = :id ORDER BY number LIMIT :limit", id=subscription, limit=limit
    )


def waiting(session: Session) -> list[str]:
    """The subscriptions for which notices wait."""
    return [row["subscription"] for row in session.rows("SELECT DISTINCT subscription FROM context_notice")]


def highest_notice(session: Session) -> int:
    """The highest number of a waiting notice."""
    return int(session.value("SELECT MAX(number) FROM context_notice") or 0)


def drop_notices(tx: Transaction, subscription: str, last: int) -> None:
    """Drop the notices of a subscription up to `last`: they were taken, or given up."""
    tx.session.execute("DELETE FROM context_notice WHERE subscription = :id AND number <= :last", id=subscription, last=last)
