"""Kinds: what may be declared; each component owns its kinds and says how they are checked and put into effect."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from mumian.kernel.declarations.documents import Document
from mumian.kernel.discovery import components
from mumian.kernel.errors import Fault
from mumian.kernel.unit_of_work import Transaction

S = TypeVar("S", bound=BaseModel)
Key = tuple[str, str]  # kind and name


class Spec(BaseModel):
    """The base of every kind's spec: unknown fields are refused, numbers are finite, instances do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Declared(Generic[S]):
    """A declaration in force: its parsed `spec`, its `version` (1, 2, …) and the folder or file it came from."""

    kind: str
    name: str
    title: dict[str, str]
    spec: S
    version: int
    source: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """A declaration that is kept but out of force, because it does not fit its kind any more: `faults` say why."""

    kind: str
    name: str
    version: int
    source: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Change:
    """One declaration created, updated or deleted; `old` and `new` as in force before and after, `folder` of the new file.

    An update may change nothing but the label it came from. Where a broken declaration is mended or deleted, `old` is None.
    """

    kind: str
    name: str
    action: str
    old: Declared[Any] | None
    new: Declared[Any] | None
    folder: Path | None = None


class Catalogue:
    """The declarations as they would stand after a change: what a check may look at."""

    def __init__(self, declared: Mapping[Key, Declared[Any]]) -> None:
        self._declared = declared
        self._names: dict[str, list[str]] = {}
        for kind, name in declared:
            self._names.setdefault(kind, []).append(name)

    def has(self, kind: str, name: str) -> bool:
        """Whether a declaration of that kind and name is in force."""
        return (kind, name) in self._declared

    def get(self, kind: str, name: str) -> Declared[Any] | None:
        """That declaration, or None."""
        return self._declared.get((kind, name))

    def all(self, kind: str) -> list[Declared[Any]]:
        """All declarations of a kind, by name."""
        return [self._declared[kind, name] for name in sorted(self._names.get(kind, []))]


Check = Callable[[Document, Any, Catalogue], Iterable[Fault]]
Hook = Callable[[Transaction, Change], None]


@dataclass(frozen=True)
class Kind:
    """A kind of declaration.

    `spec` is its pydantic model; `describe` one sentence; `check(document, spec, catalogue)` yields faults that need a look
    at other declarations; `on_apply(transaction, change)` puts a change into effect in the same commit.
    """

    name: str
    spec: type[BaseModel]
    describe: str
    check: Check | None = None
    on_apply: Hook | None = None


def discover() -> dict[str, Kind]:
    """All kinds of all components, in layer order."""
    kinds: dict[str, Kind] = {}
    for component in components():
        module = component.module("kinds")
        for kind in getattr(module, "KINDS", ()):
            if kind.name in kinds:
                raise RuntimeError(f"two components declare the kind {kind.name}")
            kinds[kind.name] = kind
    return kinds


def json_schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a whole document of `kind`."""
    spec = kind.spec.model_json_schema()
    definitions = spec.pop("$defs", {})
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name,
        "description": kind.describe,
        "type": "object",
        "additionalProperties": False,
        "required": ["kind", "name", "title", "spec"],
        "properties": {
            "kind": {"const": kind.name},
            "name": {"type": "string", "pattern": NAME_PATTERN, "description": "Unique among declarations of this kind."},
            "title": {
                "type": "object",
                "additionalProperties": False,
                "required": ["zh", "en"],
                "properties": {"zh": {"type": "string", "minLength": 1}, "en": {"type": "string", "minLength": 1}},
            },
            "spec": spec,
        },
    }
    if definitions:
        schema["$defs"] = definitions
    return schema


NAME_PATTERN = r"^[a-z0-9][a-z0-9.-]{0,79}$"
