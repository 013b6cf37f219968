"""Events of protection."""

from dataclasses import dataclass
from typing import Any, ClassVar

from mumian.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class RowsRead(Event):
    """Somebody read labelled rows of the dataset `subject`: evidence 取证, not state.

    `fields` are all that the query touches, `labelled` those with a label and how each was shown (plain, a mask's method, token).
    `rows` is the number of rows in the answer (of all datasets together), None where SQL was handed out to be run. `query` is the
    SHA-256 of the SQL as it was asked, `values` a keyed digest of its parameters, which may be personal themselves.
    """

    type: ClassVar[str] = "elements.protection.read"
    organisation: str | None
    purpose: str
    grant: str | None
    fields: list[str]
    labelled: dict[str, str]
    rows: int | None
    query: str
    values: str | None


@dataclass(frozen=True, kw_only=True)
class LabelProposed(Event):
    """A label for the field `subject` (`dataset#field`) was proposed by a detector, or came along lineage."""

    type: ClassVar[str] = "elements.protection.proposed"
    origin: str
    grade: str
    personal: str
    category: str | None
    evidence: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class LabelDecided(Event):
    """A person confirmed or rejected what was proposed for `subject`, or gave it another label, with a reason."""

    type: ClassVar[str] = "elements.protection.decided"
    state: str
    grade: str
    personal: str
    category: str | None
    reason: str
