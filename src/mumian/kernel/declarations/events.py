"""Events of the declarations."""

from dataclasses import dataclass
from typing import ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class DeclarationsApplied(Event):
    """A revision came into force; `changes` lists {action, kind, name, version, digest, source}.

    `digest` is the SHA-256 of the canonical document and `source` the label it is kept under from now on; both are empty for
    what was deleted. `subject` is the label of the apply, or says to which revision it returned.
    """

    type: ClassVar[str] = "declarations.applied"
    revision: int
    changes: list[dict[str, str | int]]
