"""Events of registers."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class RegisterLearned(Event):
    """The register `subject` learned how records of one entity agree: the whole model, so that scores can be checked."""

    type: ClassVar[str] = "elements.registers.learned"
    model: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RegisterMatched(Event):
    """A run brought the register `subject` up to date.

    `records` is how many records are in it, `entities` how many golden records; the others count what this run did.
    """

    type: ClassVar[str] = "elements.registers.matched"
    run: int
    records: int
    entities: int
    taken: int
    created: int
    changed: int
    merged: int
    split: int
    ended: int


@dataclass(frozen=True, kw_only=True)
class EntityChanged(Event):
    """The golden record `subject` (`register/entity`) came about, changed, or went on in its successors.

    Told one by one for at most a thousand entities of a run; `elements.registers.matched` counts them all.
    """

    type: ClassVar[str] = "elements.registers.entity_changed"
    run: int
    state: str
    version: int
    successors: list[int]
    origins: list[int]


@dataclass(frozen=True, kw_only=True)
class PairDecided(Event):
    """A person said that records `a` and `b` of the register `subject` are one entity, or are not, or took it back."""

    type: ClassVar[str] = "elements.registers.decided"
    a: int
    b: int
    verdict: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class EntityRead(Event):
    """Somebody looked at `what` of the register `subject`, for a purpose: evidence 取证, not state."""

    type: ClassVar[str] = "elements.registers.read"
    organisation: str | None
    purpose: str
    what: str
