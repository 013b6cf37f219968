"""Policies: what a caller sees of each field of a dataset, decided from labels, grant, rights and purpose."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mumian.elements.protection.contracts import DatasetGrant, Label, Mask
from mumian.elements.protection.rules import masking

T = TypeVar("T")
MaskFor = Callable[[str, Label], Mask]
GRADES = ("general", "important", "core")
PERSONAL = ("none", "personal", "sensitive")
UNLABELLED = Label()


@dataclass(frozen=True)
class FieldFacts:
    """A field as the gate knows it: name, declared type, and its label in force."""

    name: str
    type: str
    label: Label = UNLABELLED

    @property
    def labelled(self) -> bool:
        """Whether reading it must be proven."""
        return self.label.personal != "none" or self.label.grade != "general"


@dataclass(frozen=True)
class Rights:
    """What a caller may do with a dataset: as a reader of the owning organisation, as anybody, or by a grant.

    `own`: may read the owner's rows. `free`: the dataset is shared or opened unconditionally, and the caller is meant.
    `personal` and `sensitive`: may see such fields as they are, for the purpose named.
    """

    own: bool = False
    free: bool = False
    terms: DatasetGrant | None = None
    personal: bool = False
    sensitive: bool = False

    @property
    def any(self) -> bool:
        """Whether the dataset may be read at all."""
        return self.own or self.free or self.terms is not None


@dataclass(frozen=True)
class Shown:
    """How a field is shown: `how` is plain, token, or the method of `mask`; `key` names the key of a token."""

    field: FieldFacts
    how: str
    mask: Mask | None = None
    key: str | None = None

    @property
    def type(self) -> str:
        """The type of what comes out."""
        if self.key is not None:
            return "text"
        return self.field.type if self.mask is None else masking.type_after(self.mask, self.field.type)


def stricter(first: Label, second: Label) -> Label:
    """Of two labels the stricter in grade and in person; the category of the second where it has one."""
    grade = max(first.grade, second.grade, key=GRADES.index)
    personal = max(first.personal, second.personal, key=PERSONAL.index)
    return Label(grade, personal, second.category or first.category)


def shown(fields: Iterable[FieldFacts], rights: Rights, mask_for: MaskFor) -> list[Shown]:
    """The fields that a caller gets to see, and how; those left out do not exist for the caller."""
    found = [_shown(field, rights, mask_for) for field in fields]
    return [one for one in found if one is not None]


def _shown(field: FieldFacts, rights: Rights, mask_for: MaskFor) -> Shown | None:
    terms = rights.terms
    if terms is not None and terms.fields is not None and not _has(terms.fields, field.name):
        return None
    if terms is not None:
        key = _of(terms.tokens, field.name)
        if key is not None:
            return Shown(field, "token", key=key)
        mask = _of(terms.masks, field.name)
        if mask is not None:
            return Shown(field, mask.method, mask)
    if not _graded(field.label.grade, rights):
        return None
    if terms is not None and _has(terms.plain, field.name):
        return Shown(field, "plain")
    return _personal(field, rights, mask_for)


def _graded(grade: str, rights: Rights) -> bool:
    """Core data stay with their owner; important data leave only by a grant."""
    if grade == "core":
        return rights.own
    return grade == "general" or rights.own or rights.terms is not None


def _personal(field: FieldFacts, rights: Rights, mask_for: MaskFor) -> Shown:
    personal = field.label.personal
    clear = personal == "none" or (rights.personal if personal == "personal" else rights.sensitive)
    if clear:
        return Shown(field, "plain")
    mask = mask_for(field.type, field.label)
    return Shown(field, mask.method, mask)


def findable(fields: Sequence[Shown], rights: Rights, key: Sequence[str]) -> set[str]:
    """The fields (in lower case) whose exact value a caller may ask for: plain ones, those of the grant, and keys of the own."""
    plain = {one.field.name.casefold() for one in fields if one.how == "plain"}
    granted = {name.casefold() for name in (rights.terms.lookup if rights.terms is not None else ())}
    return plain | granted | ({name.casefold() for name in key} if rights.own else set())


def _has(names: Iterable[str], name: str) -> bool:
    return name.casefold() in {other.casefold() for other in names}


def _of(pairs: Iterable[tuple[str, T]], name: str) -> T | None:
    return next((value for other, value in pairs if other.casefold() == name.casefold()), None)
