"""How declarations are kept: what is in force, every change with what it replaced, and which folders were applied."""

import json
from dataclasses import replace

from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.kinds import Change, Key
from mumian.kernel.unit_of_work import Row, Session, Transaction, encode

Snapshot = tuple[list[Row], int]


def snapshot(session: Session) -> Snapshot:
    """Every declaration in force (kind, name, version, document, source), and the revision."""
    return in_force(session), revision(session)


def newer(session: Session, known: int) -> Snapshot | None:
    """The snapshot, if there is a revision after `known`."""
    return snapshot(session) if revision(session) > known else None


def in_force(session: Session) -> list[Row]:
    """Every declaration in force, by kind and name."""
    return session.rows("SELECT kind, name, version, document, source FROM declaration_current ORDER BY kind, name")


def revision(session: Session) -> int:
    """The newest revision; 0 before the first."""
    return int(session.value("SELECT value FROM kernel_sequence WHERE name = 'declarations'") or 0)


def lock(session: Session) -> None:
    """Let no other process apply anything before this commit ends."""
    session.execute("UPDATE kernel_sequence SET value = value WHERE name = 'declarations'")


def document(text: str, file: str) -> Document:
    """A kept document, read back; `file` says where its faults are."""
    body = json.loads(text)
    return Document(body["kind"], body["name"], body["title"], body["spec"], file)


def write(tx: Transaction, change: Change, revision: int, source: str) -> Change:
    """Keep one change and what it replaced, under the label `source`; returns it with its new version."""
    where = {"kind": change.kind, "name": change.name}
    last = tx.session.value("SELECT MAX(version) FROM declaration_change WHERE kind = :kind AND name = :name", **where)
    version = int(last or 0) + 1
    new = None if change.new is None else replace(change.new, version=version)
    replaced = "DELETE FROM declaration_current WHERE kind = :kind AND name = :name RETURNING document, source"
    old = tx.session.row(replaced, **where)
    after = None if new is None else encode(new.body).decode()
    if new is not None:
        tx.session.execute(
            "INSERT INTO declaration_current (kind, name, version, document, source) "
            "VALUES (:kind, :name, :version, :document, :source)",
            **where,
            version=version,
            document=after,
            source=new.source,
        )
    tx.session.execute(
        "INSERT INTO declaration_change "
        "(revision, kind, name, version, old_document, old_source, new_document, source, time, actor) "
        "VALUES (:revision, :kind, :name, :version, :old_document, :old_source, :new, :source, :time, :actor)",
        **where,
        revision=revision,
        version=version,
        old_document=old and old["document"],
        old_source=old and old["source"],
        new=after,
        source=source,
        time=tx.now_text,
        actor=tx.actor.id,
    )
    return replace(change, new=new)


def at(session: Session, to: int) -> dict[Key, tuple[str, str] | None]:
    """The document and the label at revision `to` of all that changed since; None for what was not there."""
    rows = session.rows(
        "SELECT kind, name, old_document, old_source FROM declaration_change WHERE revision > :to ORDER BY revision DESC", to=to
    )
    return {
        (row["kind"], row["name"]): None if row["old_document"] is None else (row["old_document"], row["old_source"])
        for row in rows
    }


def history(session: Session, limit: int) -> list[Row]:
    """The newest changes."""
    return session.rows(
        "SELECT revision, kind, name, version, source, time, actor, new_document IS NULL AS deleted "
        "FROM declaration_change ORDER BY revision DESC, kind, name LIMIT :limit",
        limit=limit,
    )


def digest(session: Session, source: str) -> str | None:
    """The digest of the folder that was last applied under the label `source`."""
    found = session.value("SELECT digest FROM declaration_folder WHERE source = :source", source=source)
    return None if found is None else str(found)


def keep_digest(session: Session, source: str, digest: str) -> None:
    """Remember what a folder held when it was applied."""
    session.execute(
        "INSERT INTO declaration_folder (source, digest) VALUES (:source, :digest) "
        "ON CONFLICT (source) DO UPDATE SET digest = :digest",
        source=source,
        digest=digest,
    )
