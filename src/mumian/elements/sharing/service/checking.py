"""Checking: whether an application says all that it must, and asks for what there is and may be asked for."""

import re
from collections.abc import Sequence

from mumian.elements.protection.api import condition_fields
from mumian.elements.sharing.contracts import Draft, Item
from mumian.elements.sharing.rules import asking
from mumian.elements.sharing.service.terms import Terms
from mumian.foundation.identity.api import Caller
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

_MOST = 200
_CONDITION = 2000


class Checking:
    """Raises Invalid with all faults at once, and NotFound for a dataset that nobody declared."""

    def __init__(self, platform: Platform, terms: Terms) -> None:
        self._platform = platform
        self._terms = terms

    def draft(self, session: Session, caller: Caller, draft: Draft) -> None:
        """A whole application."""
        faults = []
        if re.fullmatch(asking.PURPOSE, draft.purpose) is None:
            faults.append(Fault("purpose", "field.pattern", {"expected": asking.PURPOSE}))
        for name in ("use", "basis"):
            if not getattr(draft, name).strip():
                faults.append(Fault(name, "field.missing", {}))
        if draft.days < 1:
            faults.append(Fault("days", "field.range", {"expected": "1 – 3650"}))
        if not 1 <= len(draft.items) <= _MOST:
            faults.append(Fault("items", "field.length", {"expected": f"1 – {_MOST}"}))
        if draft.channel == "sharing" and caller.organisation is None:
            faults.append(Fault("", "sharing.no_organisation", {}))
        names = [item.dataset for item in draft.items]
        faults += [Fault("items", "sharing.given_twice", {}) for name in {*names} if names.count(name) > 1]
        if faults:
            raise Invalid(*faults)
        self.items(session, draft.items, draft.purpose, draft.channel)

    def items(self, session: Session, items: Sequence[Item], purpose: str, channel: str) -> None:
        """The datasets of an application."""
        faults: list[Fault] = []
        for index, item in enumerate(items):
            offered = self._terms.offered(session, item.dataset, channel)
            if not offered.fields:
                faults.append(Fault(f"items[{index}].dataset", "sharing.no_rows", {"dataset": item.dataset}))
                continue
            if offered.access != "none":
                faults += asking.faults(item, f"items[{index}]", offered, purpose)
            faults += self._rows(item, f"items[{index}]", offered.fields)
        if faults:
            raise Invalid(*faults)

    def given(self, session: Session, items: Sequence[Item], channel: str) -> None:
        """The datasets of a decision: conditions that a decider added fit the dataset, tokens are fields of it."""
        faults: list[Fault] = []
        for index, item in enumerate(items):
            offered = self._terms.offered(session, item.dataset, channel)
            faults += self._rows(item, f"items[{index}]", offered.fields)
            faults += [
                Fault(f"items[{index}].tokens", "sharing.no_such_field", {"name": name[:80], "dataset": item.dataset})
                for name in item.tokens
                if name not in (item.fields or offered.fields)
            ]
        if faults:
            raise Invalid(*faults)

    def _rows(self, item: Item, place: str, fields: Sequence[str]) -> list[Fault]:
        """A row condition is one expression over the dataset's fields, without subqueries or functions that reach elsewhere."""
        if item.rows is None:
            return []
        reason = _condition_fault(item.rows, fields)
        return [] if reason is None else [Fault(f"{place}.rows", "sharing.condition", {"reason": reason})]


def _condition_fault(text: str, fields: Sequence[str]) -> str | None:
    """What is wrong with a condition; None if nothing is."""
    if len(text) > _CONDITION:
        return f"> {_CONDITION}"
    try:
        unknown = condition_fields(text) - {name.casefold() for name in fields}
    except Invalid as error:
        return str(error.faults[0].values.get("reason", text[:80])) if error.faults else text[:80]
    return ", ".join(sorted(unknown)) or None
