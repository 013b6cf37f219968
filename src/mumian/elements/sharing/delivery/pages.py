"""Pages: the next rows of a dataset for a delivery, read through the gate under its grant."""

from dataclasses import dataclass
from typing import Any

from mumian.elements.protection.api import Answer, AnswerColumn
from mumian.elements.sharing.contracts import Delivery, Grant
from mumian.elements.sharing.rules.questions import granted, quoted
from mumian.foundation.identity.api import Caller, Identity
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Actor


@dataclass(frozen=True)
class Page:
    """Some rows: each begins with `_id` and `_load`."""

    columns: tuple[AnswerColumn, ...]
    rows: list[tuple[Any, ...]]

    @classmethod
    def of(cls, answer: Answer) -> "Page":
        """The page that an answer is."""
        return cls(answer.columns, answer.rows)

    @property
    def last(self) -> int:
        """The `_id` of the last row; 0 if there is none."""
        return int(self.rows[-1][0]) if self.rows else 0


def sql(grant: Grant, declared: list[str], limit: int, until: int) -> str:
    """SQL of a page after the row `$after`; `until`, if not 0, is its last row."""
    names = ", ".join(quoted(name) for name in granted(grant.item, declared))
    bound = f" AND _id <= {until}" if until else ""
    return f"SELECT _id, _load, {names} FROM {quoted(grant.dataset)} WHERE _id > $after{bound} ORDER BY _id LIMIT {limit}"


def carrier(platform: Platform, delivery: Delivery) -> Caller:
    """Who reads for a delivery: it acts for the holder of the grant."""
    actor = Actor(f"delivery:{delivery.number}", "system", (), None if delivery.holder.startswith("person:") else delivery.holder)
    person = delivery.holder.removeprefix("person:") if delivery.holder.startswith("person:") else None
    return Caller(actor, person=person, decide=platform.get(Identity).decisions.allowed)
