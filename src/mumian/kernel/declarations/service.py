"""Declarations in force: planned, applied in one transaction, versioned, ledgered, and rolled back."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from threading import Lock
from typing import Any

from mumian.kernel.declarations import store
from mumian.kernel.declarations.documents import Document
from mumian.kernel.declarations.events import DeclarationsApplied
from mumian.kernel.declarations.kinds import Broken, Change, Declared, Key, Kind
from mumian.kernel.declarations.planning import Plan, parse, plan, replacing
from mumian.kernel.errors import Conflict, Fault, Invalid, NotFound
from mumian.kernel.i18n import place, text
from mumian.kernel.unit_of_work import SYSTEM, Actor, Records, Row, Session, Transaction, encode, next_value

_log = logging.getLogger("mumian.declarations")


class Declarations:
    """All declarations in force, held in memory and refreshed by every apply; `revision` grows with each.

    `broken` lists what is kept but does not fit its kind any more: it is out of force until it is applied anew, deleted
    or rolled back.
    """

    def __init__(self, records: Records, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.revision = 0
        self.broken: list[Broken] = []
        self._records = records
        self._current: dict[Key, Declared[Any]] = {}
        self._by_kind: dict[str, list[Declared[Any]]] = {}
        self._replacing = Lock()

    def load(self) -> None:
        """Read what is in force; called once after the migrations, and after each apply."""
        self._replace(*self._records.read_now(store.snapshot))

    async def refresh(self) -> bool:
        """Read what another process applied; True if there was anything new."""
        found = await self._records.read(lambda session: store.newer(session, self.revision))
        if found is not None:
            self._replace(*found)
        return found is not None

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
        return plan(self.kinds, self._current, documents, source, prune, self.broken)

    async def apply(self, documents: Sequence[Document], source: str, actor: Actor = SYSTEM, prune: bool = False) -> Plan:
        """Put `documents` into force: all or nothing. Raises Invalid."""
        made = await self._records.write(lambda tx: self._apply(tx, documents, source, prune), actor)
        self._replace(*await self._records.read(store.snapshot))
        return made

    def apply_now(
        self, documents: Sequence[Document], source: str, actor: Actor = SYSTEM, prune: bool = False, whole: bool = False
    ) -> Plan:
        """`apply` for synchronous callers; what a `whole` folder holds is remembered, see `is_applied_now`."""

        def work(tx: Transaction) -> Plan:
            if whole:
                store.keep_digest(tx.session, source, _digest(documents))
            return self._apply(tx, documents, source, prune)

        made = self._records.write_now(work, actor)
        self.load()
        return made

    def is_applied_now(self, documents: Sequence[Document], source: str) -> bool:
        """Whether the folder last applied as `source` held just these `documents`, whatever was changed since by other ways."""
        return self._records.read_now(lambda session: store.digest(session, source)) == _digest(documents)

    def rollback_now(self, to: int, actor: Actor = SYSTEM) -> Plan:
        """Bring back what was in force at revision `to`, with its labels, as a new revision; raises Conflict, Invalid."""
        made = self._records.write_now(lambda tx: self._rollback(tx, to), actor)
        self.load()
        return made

    def history(self, session: Session, limit: int = 100) -> list[Row]:
        """The newest changes: revision, kind, name, version, source, time, actor, and whether it deleted."""
        return store.history(session, limit)

    def _replace(self, rows: list[Row], revision: int) -> None:
        """Take over what was read, unless something newer was taken over meanwhile."""
        with self._replacing:
            if revision < self.revision:
                return
            current, broken = self._parsed(rows)
            by_kind: dict[str, list[Declared[Any]]] = {}
            for declared in current.values():
                by_kind.setdefault(declared.kind, []).append(declared)
            _report([found for found in broken if found not in self.broken])
            self._current, self._by_kind, self.broken, self.revision = current, by_kind, broken, revision

    def _parsed(self, rows: list[Row]) -> tuple[dict[Key, Declared[Any]], list[Broken]]:
        current: dict[Key, Declared[Any]] = {}
        broken: list[Broken] = []
        for row in rows:
            key = (row["kind"], row["name"])
            faults: list[Fault] = []
            declared = self._declared(row, faults)
            if declared is None:
                broken.append(Broken(*key, row["version"], row["source"], tuple(faults)))
            else:
                current[key] = declared
        return current, broken

    def _declared(self, row: Row, faults: list[Fault]) -> Declared[Any] | None:
        known = self._current.get((row["kind"], row["name"]))
        if known is not None and known.version == row["version"]:
            return known
        declared = parse(self.kinds, store.document(row["document"], row["source"]), row["source"], faults)
        return None if declared is None else replace(declared, version=row["version"])

    def _apply(self, tx: Transaction, documents: Sequence[Document], source: str, prune: bool) -> Plan:
        store.lock(tx.session)
        current, broken = self._parsed(store.in_force(tx.session))
        return self._carry_out(tx, plan(self.kinds, current, documents, source, prune, broken), source)

    def _rollback(self, tx: Transaction, to: int) -> Plan:
        store.lock(tx.session)
        newest = store.revision(tx.session)
        if not 0 <= to < newest:
            raise Conflict(reason=f"revision {to} is not before the newest, {newest}")
        rows = store.in_force(tx.session)
        kept = {(row["kind"], row["name"]): (row["document"], row["source"]) for row in rows}
        wanted: dict[Key, tuple[Document, Declared[Any]]] = {}
        gone: set[Key] = set()
        faults: list[Fault] = []
        for key, old in store.at(tx.session, to).items():
            if old is None:
                gone |= {key} & kept.keys()
            elif old != kept.get(key):
                document = store.document(old[0], f"{key[0]} {key[1]}")
                declared = parse(self.kinds, document, old[1], faults)
                if declared is not None:
                    wanted[key] = (document, declared)
        if faults:
            raise Invalid(*faults)
        current, _ = self._parsed(rows)
        return self._carry_out(tx, replacing(self.kinds, current, wanted, gone), f"rollback to {to}")

    def _carry_out(self, tx: Transaction, made: Plan, source: str) -> Plan:
        if not made.changes:
            return made
        revision = next_value(tx.session, "declarations")
        done = tuple(self._write(tx, change, revision, source) for change in made.changes)
        tx.emit(DeclarationsApplied(subject=source, revision=revision, changes=[_entry(change) for change in done]))
        return Plan(done)

    def _write(self, tx: Transaction, change: Change, revision: int, source: str) -> Change:
        change = store.write(tx, change, revision, source)
        kind = self.kinds.get(change.kind)
        if kind is not None and kind.on_apply is not None:
            kind.on_apply(tx, change)
        return change


def _report(broken: Sequence[Broken]) -> None:
    for found in broken:
        reasons = "; ".join(place(fault) + text(fault.key, "en", **fault.values) for fault in found.faults)
        _log.warning("%s %s is out of force, it does not fit its kind: %s", found.kind, found.name, reasons)


def _digest(documents: Sequence[Document]) -> str:
    bodies = sorted(encode(document.body) for document in documents)
    return sha256(b"\n".join(bodies)).hexdigest()


def _entry(change: Change) -> dict[str, str | int]:
    entry: dict[str, str | int] = {"action": change.action, "kind": change.kind, "name": change.name}
    if change.new is None:
        return {**entry, "version": 0, "digest": "", "source": ""}
    digest = sha256(encode(change.new.body)).hexdigest()
    return {**entry, "version": change.new.version, "digest": digest, "source": change.new.source}
