"""History: who changed a declaration, when, and what is other than before."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mumian.kernel.unit_of_work import Session


@dataclass(frozen=True)
class Changed:
    """One version of a declaration; `changes` are lines `path: old → new`, as `mumian diff` shows them."""

    revision: int
    version: int
    time: str
    actor: str
    source: str
    deleted: bool
    changes: list[str]


def changes(session: Session, kind: str, name: str, before: int | None, limit: int) -> list[Changed]:
    """The newest versions of a declaration, older than revision `before`."""
    rows = session.rows(
        "SELECT revision, version, time, actor, source, old_document, new_document FROM declaration_change "
        "WHERE kind = :kind AND name = :name AND revision < :before ORDER BY revision DESC LIMIT :limit",
        kind=kind,
        name=name,
        before=1 << 62 if before is None else before,
        limit=limit,
    )
    return [
        Changed(
            revision=row["revision"],
            version=row["version"],
            time=row["time"],
            actor=row["actor"],
            source=row["source"],
            deleted=row["new_document"] is None,
            changes=list(_lines(row["old_document"], row["new_document"])),
        )
        for row in rows
    ]


def _lines(old: str | None, new: str | None) -> Iterator[str]:
    if old is not None and new is not None:
        yield from _differences(json.loads(old), json.loads(new), "")


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path}: {json.dumps(old, ensure_ascii=False)} → {json.dumps(new, ensure_ascii=False)}"
