"""Events of the declarations."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class DeclarationsApplied(Event):
    """A revision came into force; `changes` lists {action, kind, name, version, digest} (SHA-256 of the canonical document)."""

    type: ClassVar[str] = "declarations.applied"
    revision: int
    changes: list[dict[str, str | int]]
