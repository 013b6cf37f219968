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


@dataclass(frozen=True, kw_only=True)
class LicenceIssued(Event):
    """The licence `subject` was issued, perhaps in the place of `previous`; `digest` is the SHA-256 of what it says."""

    type: ClassVar[str] = "elements.registers.licence_issued"
    licence_type: str
    digest: str
    previous: str | None


@dataclass(frozen=True, kw_only=True)
class LicenceChanged(Event):
    """The licence `subject` has another status: suspended, valid again, revoked or superseded."""

    type: ClassVar[str] = "elements.registers.licence_changed"
    status: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FactRecorded(Event):
    """A credit fact about a legal person (`legal_person`, its unified social credit code) was recorded; `subject` is its id.

    `digest` is the SHA-256 of what it says.
    """

    type: ClassVar[str] = "elements.registers.fact_recorded"
    kind: str
    legal_person: str
    organisation: str
    digest: str
    expires_on: str


@dataclass(frozen=True, kw_only=True)
class FactChanged(Event):
    """The credit fact `subject` was repaired or withdrawn, with the reason."""

    type: ClassVar[str] = "elements.registers.fact_changed"
    status: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RepairApplied(Event):
    """The repair `subject` of a credit fact was applied for 信用修复申请."""

    type: ClassVar[str] = "elements.registers.repair_applied"
    fact: str
    grounds: str


@dataclass(frozen=True, kw_only=True)
class RepairDecided(Event):
    """The repair `subject` was granted or refused, with the reason."""

    type: ClassVar[str] = "elements.registers.repair_decided"
    state: str
    reason: str
