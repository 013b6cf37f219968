"""Planning: which declarations a set of documents would create, update or delete, and what is wrong with them."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mumian.kernel.declarations.documents import Document, duplicates
from mumian.kernel.declarations.kinds import NAME_PATTERN, Broken, Catalogue, Change, Declared, Key, Kind
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.unit_of_work import encode
from mumian.kernel.validation import faults_from

Wanted = Mapping[Key, tuple[Document, Declared[Any]]]


@dataclass(frozen=True)
class Plan:
    """The changes that would be made, in the order in which they would be made."""

    changes: tuple[Change, ...]

    def lines(self) -> list[str]:
        """The plan for a person: one line a change, each differing field below its update."""
        out = []
        for change in self.changes:
            sign = {"create": "+", "update": "~", "delete": "-"}[change.action]
            out.append(f"{sign} {change.kind} {change.name}")
            if change.action == "update" and change.old and change.new:
                out += [f"    {line}" for line in _differences(change.old.body, change.new.body)]
                out += [f"    {line}" for line in _differences(change.old.source, change.new.source, "source")]
        return out


def plan(
    kinds: Mapping[str, Kind],
    current: Mapping[Key, Declared[Any]],
    documents: Sequence[Document],
    source: str,
    prune: bool,
    broken: Collection[Broken] = (),
) -> Plan:
    """Compare `documents` with what is in force; raises Invalid with every fault, each with file and line.

    `source` becomes the label of all that is written, also of what another label had: who applied last owns it.
    With `prune`, all else that has this label is deleted.
    """
    faults = duplicates(documents)
    wanted: dict[Key, tuple[Document, Declared[Any]]] = {}
    for document in documents:
        declared = parse(kinds, document, source, faults)
        if declared is not None:
            wanted[document.kind, document.name] = (document, declared)
    if faults:
        raise Invalid(*faults)
    kept: list[Declared[Any] | Broken] = [*current.values(), *broken] if prune else []
    gone = {(d.kind, d.name) for d in kept if d.source == source} - wanted.keys()
    return replacing(kinds, current, wanted, gone)


def replacing(kinds: Mapping[str, Kind], current: Mapping[Key, Declared[Any]], wanted: Wanted, gone: set[Key]) -> Plan:
    """The plan that puts `wanted` into force and takes `gone` out of it; raises Invalid if something then does not fit."""
    after = {key: d for key, d in current.items() if key not in gone}
    after |= {key: declared for key, (_, declared) in wanted.items()}
    faults = tuple(_check(kinds, current, after, {key: document for key, (document, _) in wanted.items()}))
    if faults:
        raise Invalid(*faults)
    return Plan(tuple(_changes(kinds, current, wanted, gone)))


def parse(kinds: Mapping[str, Kind], document: Document, source: str, faults: list[Fault]) -> Declared[Any] | None:
    """One document as a declaration of version 0; what is wrong with it is added to `faults`."""
    kind = kinds.get(document.kind)
    if kind is None:
        faults.append(document.fault("kind", "field.choice", expected=", ".join(kinds)))
        return None
    before = len(faults)
    if not re.fullmatch(NAME_PATTERN, document.name):
        faults.append(document.fault("name", "field.pattern", expected=NAME_PATTERN))
    for language in ("zh", "en"):
        if not isinstance(document.title.get(language), str) or not document.title[language].strip():
            faults.append(document.fault(f"title.{language}", "field.missing"))
    for language in document.title.keys() - {"zh", "en"}:
        faults.append(document.fault(f"title.{language}", "field.unknown", expected="zh, en"))
    try:
        spec = kind.spec.model_validate(document.spec)
    except ValidationError as error:
        errors = [{**e, "loc": ("spec", *e["loc"])} for e in error.errors(include_url=False)]
        faults += faults_from(errors, lambda p, k, v: document.fault(p, k, **v), lambda p: _known(kind, p))
        return None
    if len(faults) > before:
        return None
    return Declared(document.kind, document.name, document.title, spec, 0, source, document.body)


def _known(kind: Kind, path: str) -> str:
    fields: Any = kind.spec.model_fields if path.count(".") == 1 else {}
    return ", ".join(fields) or f"see: mumian explain {kind.name}"


def _check(
    kinds: Mapping[str, Kind],
    current: Mapping[Key, Declared[Any]],
    after: Mapping[Key, Declared[Any]],
    written: Mapping[Key, Document],
) -> Iterable[Fault]:
    """What does not fit together any more; faults that stood before, in what is not written now, hinder nobody."""
    catalogue, before = Catalogue(after), Catalogue(current)
    for key, declared in after.items():
        kind = kinds.get(declared.kind)
        if kind is None or kind.check is None:
            continue
        document = written.get(key)
        if document is not None:
            yield from kind.check(document, declared.spec, catalogue)
            continue
        document = Document(declared.kind, declared.name, declared.title, declared.body["spec"], declared.source)
        found = list(kind.check(document, declared.spec, catalogue))
        known = list(kind.check(document, declared.spec, before)) if found else []
        yield from (fault for fault in found if fault not in known)


def _changes(
    kinds: Mapping[str, Kind],
    current: Mapping[Key, Declared[Any]],
    wanted: Wanted,
    gone: set[Key],
) -> Iterable[Change]:
    order = {name: i for i, name in enumerate(kinds)}
    for key in sorted(gone, key=lambda k: (-order.get(k[0], 0), k[1])):
        yield Change(*key, "delete", current.get(key), None)
    for key in sorted(wanted, key=lambda k: order.get(k[0], 0)):
        document, declared = wanted[key]
        old = current.get(key)
        if old is None:
            yield Change(*key, "create", None, declared, document.folder)
        elif old.source != declared.source or encode(old.body) != encode(declared.body):
            yield Change(*key, "update", old, declared, document.folder)


def _differences(old: Any, new: Any, path: str = "") -> Iterable[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path}: {old!r} → {new!r}"
