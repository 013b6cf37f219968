"""How followings and notices are kept."""

from typing import Any

from mumian.kernel.unit_of_work import Row, Session, Transaction, encode, next_value


def follow(tx: Transaction, person: str, about: str, value: str, on: bool) -> bool:
    """Keep, or drop, that somebody follows something; False if it was so already."""
    given = {"person": person, "about": about, "value": value}
    if not on:
        where = "person = :person AND about = :about AND value = :value"
        return tx.session.execute(f"DELETE FROM catalog_following WHERE {where}", **given) > 0
    return (
        tx.session.execute(
            "INSERT INTO catalog_following (person, about, value, since) VALUES (:person, :about, :value, :now) "
            "ON CONFLICT (person, about, value) DO NOTHING",
            now=tx.now_text,
            **given,
        )
        > 0
    )


def followed(session: Session, person: str) -> list[Row]:
    """What somebody follows."""
    return session.rows(
        "SELECT about, value, since FROM catalog_following WHERE person = :person ORDER BY about, value", person=person
    )


def notify(tx: Transaction, event: int, type_: str, dataset: str, detail: dict[str, Any]) -> None:
    """A notice for everybody who follows a dataset, its theme or its owner."""
    people = tx.session.rows(
        "SELECT DISTINCT f.person FROM catalog_following f LEFT JOIN catalog_entry e ON e.name = :dataset WHERE "
        "(f.about = 'dataset' AND f.value = :dataset) OR (f.about = 'theme' AND f.value = e.theme) "
        "OR (f.about = 'owner' AND f.value = e.owner) ORDER BY f.person",
        dataset=dataset,
    )
    for row in people:
        tx.session.execute(
            "INSERT INTO catalog_notice (id, person, event, dataset, detail, time) "
            "VALUES (:id, :person, :event, :dataset, :detail, :now)",
            id=next_value(tx.session, "catalog.notice"),
            person=row["person"],
            event=type_,
            dataset=dataset,
            detail=encode({"event": event, **detail}).decode(),
            now=tx.now_text,
        )


def notices(session: Session, person: str, before: int, limit: int, unread: bool) -> list[Row]:
    """Somebody's notices, newest first."""
    only = "AND read_at IS NULL " if unread else ""
    return session.rows(
        "SELECT id, event, dataset, detail, time, read_at FROM catalog_notice WHERE person = :person AND id < :before "
        f"{only}ORDER BY id DESC LIMIT :limit",
        person=person,
        before=before,
        limit=limit,
    )


def mark_read(tx: Transaction, person: str, up_to: int) -> int:
    """Mark somebody's notices up to a number as read; returns how many were not."""
    return tx.session.execute(
        "UPDATE catalog_notice SET read_at = :now WHERE person = :person AND id <= :up_to AND read_at IS NULL",
        now=tx.now_text,
        person=person,
        up_to=up_to,
    )
