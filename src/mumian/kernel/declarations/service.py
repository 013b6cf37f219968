"""Declarations in force: planned, applied in one transaction, versioned, ledgered, and rolled back."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.events import DeclarationsApplied
from mumian.kernel.declarations.kinds import Change, Declared, Kind
from mumian.kernel.declarations.planning import Plan, parse, plan
from mumian.kernel.errors import Conflict, Fault, NotFound
from mumian.kernel.unit_of_work import SYSTEM, Actor, Records, Row, Session, Transaction, encode, next_value

Key = tuple[str, str]


class Declarations:
    """All declarations in force, held in memory and refreshed by every apply; `revision` grows with each."""

    def __init__(self, records: Records, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.revision = 0
        self._records = records
        self._current: dict[Key, Declared[Any]] = {}
        self._by_kind: dict[str, list[Declared[Any]]] = {}

    def load(self) -> None:
        """Read what is in force; called once after the migrations, and after each apply."""
        rows, revision = self._records.read_now(_read)
        self._replace(rows, revision)

    def all(self, kind: str) -> list[Declared[Any]]:
        """All declarations of a kind, by name."""
        return self._by_kind.get(kind, [])

    def get(self, kind: str, name: str) -> Declared[Any]:
        """One declaration; raises NotFound."""
        found = self._current.get((kind, name))
        if found is None:
            raise NotFound(kind=kind, name=name)
        return found

    def kind(self, name: str) -> Kind:
        """A kind by name; raises NotFound."""
        if name not in self.kinds:
            raise NotFound(kind="kind", name=name)
        return self.kinds[name]

    def plan(self, documents: Sequence[Document], source: str, prune: bool = False) -> Plan:
        """What applying `documents` would change; raises Invalid."""
        return plan(self.kinds, self._current, documents, source, prune)

    async def apply(self, documents: Sequence[Document], source: str, actor: Actor = SYSTEM, prune: bool = False) -> Plan:
        """Put `documents` into force: all or nothing. Raises Invalid."""
        made = await self._records.write(lambda tx: self._apply(tx, documents, source, prune), actor)
        self._replace(*await self._records.read(_read))
        return made

    def apply_now(self, documents: Sequence[Document], source: str, actor: Actor = SYSTEM, prune: bool = False) -> Plan:
        """`apply` for synchronous callers."""
        made = self._records.write_now(lambda tx: self._apply(tx, documents, source, prune), actor)
        self.load()
        return made

    def rollback_now(self, to: int, actor: Actor = SYSTEM) -> Plan:
        """Bring back what was in force at revision `to`, as a new revision; raises NotFound, Invalid."""
        made = self._records.write_now(lambda tx: self._rollback(tx, to), actor)
        self.load()
        return made

    def history(self, session: Session, limit: int = 100) -> list[Row]:
        """The newest changes: revision, kind, name, version, source, time, actor, and whether it deleted."""
        return session.rows(
            "SELECT revision, kind, name, version, source, time, actor, new_document IS NULL AS deleted "
            "FROM declaration_change ORDER BY revision DESC, kind, name LIMIT :limit",
            limit=limit,
        )

    def _replace(self, rows: list[Row], revision: int) -> None:
        current: dict[Key, Declared[Any]] = {}
        by_kind: dict[str, list[Declared[Any]]] = {}
        for row in rows:
            declared = self._declared(row)
            if declared is not None:
                current[declared.kind, declared.name] = declared
                by_kind.setdefault(declared.kind, []).append(declared)
        self._current, self._by_kind, self.revision = current, by_kind, revision

    def _declared(self, row: Row) -> Declared[Any] | None:
        if row["kind"] not in self.kinds:
            return None
        known = self._current.get((row["kind"], row["name"]))
        if known is not None and known.version == row["version"]:
            return known
        body = json.loads(row["document"])
        document = Document(body["kind"], body["name"], body["title"], body["spec"], row["source"])
        faults: list[Fault] = []
        declared = parse(self.kinds, document, row["source"], faults)
        if declared is None:
            raise RuntimeError(f"{row['kind']} {row['name']} in the records no longer fits its kind: {faults}")
        return _versioned(declared, row["version"])

    def _apply(self, tx: Transaction, documents: Sequence[Document], source: str, prune: bool) -> Plan:
        stored = {(r["kind"], r["name"]): d for r in _read(tx.session)[0] if (d := self._declared(r)) is not None}
        made = plan(self.kinds, stored, documents, source, prune)
        return self._carry_out(tx, made, source)

    def _carry_out(self, tx: Transaction, made: Plan, source: str) -> Plan:
        if not made.changes:
            return made
        revision = next_value(tx.session, "declarations")
        done = [self._write(tx, change, revision, source) for change in made.changes]
        tx.emit(
            DeclarationsApplied(
                subject=source,
                revision=revision,
                changes=[_entry(change) for change in done],
            )
        )
        return Plan(tuple(done))

    def _write(self, tx: Transaction, change: Change, revision: int, source: str) -> Change:
        last = tx.session.value(
            "SELECT MAX(version) FROM declaration_change WHERE kind = :kind AND name = :name", kind=change.kind, name=change.name
        )
        version = int(last or 0) + 1
        new = None if change.new is None else _versioned(change.new, version)
        change = Change(change.kind, change.name, change.action, change.old, new, change.folder)
        where = {"kind": change.kind, "name": change.name}
        tx.session.execute("DELETE FROM declaration_current WHERE kind = :kind AND name = :name", **where)
        after = None if new is None else encode(new.body).decode()
        if after is not None:
            tx.session.execute(
                "INSERT INTO declaration_current (kind, name, version, document, source) "
                "VALUES (:kind, :name, :version, :document, :source)",
                **where,
                version=version,
                document=after,
                source=source if new is None else new.source,
            )
        tx.session.execute(
            "INSERT INTO declaration_change (revision, kind, name, version, old_document, new_document, source, time, actor) "
            "VALUES (:revision, :kind, :name, :version, :old, :new, :source, :time, :actor)",
            **where,
            revision=revision,
            version=version,
            old=None if change.old is None else encode(change.old.body).decode(),
            new=after,
            source=source,
            time=tx.now_text,
            actor=tx.actor.id,
        )
        hook = self.kinds[change.kind].on_apply
        if hook is not None:
            hook(tx, change)
        return change

    def _rollback(self, tx: Transaction, to: int) -> Plan:
        newest = int(tx.session.value("SELECT MAX(revision) FROM declaration_change") or 0)
        if not 0 <= to < newest:
            raise Conflict(reason=f"revision {to} is not before the newest, {newest}")
        rows, _ = _read(tx.session)
        current = {(r["kind"], r["name"]): d for r in rows if (d := self._declared(r)) is not None}
        undone = tx.session.rows(
            "SELECT kind, name, old_document, source FROM declaration_change WHERE revision > :to ORDER BY revision DESC", to=to
        )
        target = dict(current)
        for row in undone:
            key = (row["kind"], row["name"])
            target.pop(key, None)
            if row["old_document"] is not None:
                body = json.loads(row["old_document"])
                old = parse(self.kinds, Document(body["kind"], body["name"], body["title"], body["spec"]), row["source"], [])
                if old is not None:
                    target[key] = old
        documents = [Document(d.kind, d.name, d.title, d.body["spec"], d.source) for d in target.values()]
        made = plan(self.kinds, current, documents, f"rollback to {to}", prune=False)
        deleted = tuple(Change(*key, "delete", current[key], None) for key in reversed(current) if key not in target)
        return self._carry_out(tx, Plan((*deleted, *made.changes)), f"rollback to {to}")


def _read(session: Session) -> tuple[list[Row], int]:
    rows = session.rows("SELECT kind, name, version, document, source FROM declaration_current ORDER BY kind, name")
    return rows, int(session.value("SELECT value FROM kernel_sequence WHERE name = 'declarations'") or 0)


def _versioned(declared: Declared[Any], version: int) -> Declared[Any]:
    return Declared(declared.kind, declared.name, declared.title, declared.spec, version, declared.source, declared.body)


def _entry(change: Change) -> dict[str, str | int]:
    version, digest = (0, "") if change.new is None else (change.new.version, sha256(encode(change.new.body)).hexdigest())
    return {"action": change.action, "kind": change.kind, "name": change.name, "version": version, "digest": digest}
