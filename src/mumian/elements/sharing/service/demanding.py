"""Demanding 需求清单: data that somebody needs and nobody lists, matched with what there is, or given to whose duty they are."""

from typing import Any

from msgspec.structs import replace

from mumian.elements.sharing.contracts import Demand
from mumian.elements.sharing.rules import cases, matching
from mumian.elements.sharing.service.keeping import DEMANDS
from mumian.elements.sharing.service.terms import Terms
from mumian.foundation.identity.api import Caller, require
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session, Transaction, next_value


class Demanding:
    """Works in the caller's transaction."""

    def __init__(self, platform: Platform, terms: Terms) -> None:
        self._platform = platform
        self._terms = terms

    def ask(self, tx: Transaction, caller: Caller, given: dict[str, Any]) -> Demand:
        """Ask for data that are not listed: `given` has title, description, elements, purpose, basis."""
        require(caller, "demand:make")
        for index, name in enumerate(given["elements"]):
            if self._declared("DataElement", name) is None:
                raise Invalid.field(f"elements[{index}]", "field.reference", kind="DataElement", name=name)
        demand = Demand(
            number=f"X{self._terms.today():%Y%m%d}{next_value(tx.session, 'sharing.demand'):06}",
            version=1,
            state="open",
            applicant=caller.person or caller.actor.id,
            organisation=caller.organisation,
            asked_at=tx.now_text,
            due=self._terms.due(self._terms.rule(None, None).days["demand_days"]),
            missed=0,
            **given,
        )
        return DEMANDS.begin(tx, demand, "ask")

    def step(self, tx: Transaction, caller: Caller, number: str, seen: int, action: str, given: dict[str, Any]) -> Demand:
        """Assign to a duty, meet by a dataset, reject with a reason, withdraw; raises Moved, NotPossible, Invalid, Forbidden."""
        demand = self.get(tx.session, number)
        possible = [each for each in cases.possible(cases.DEMAND, demand.state) if each != "miss"]
        if action not in possible:
            raise DEMANDS.refuse(demand, action, possible)
        if action == "withdraw":
            if demand.applicant != (caller.person or caller.actor.id):
                raise NotFound(kind="demand", name=number)
        elif not (demand.provider is not None and caller.allowed("demand:answer", demand.provider)) or action == "assign":
            require(caller, "demand:match")
        DEMANDS.seen(demand, seen)
        changed = getattr(self, f"_{action}")(demand, given)
        return DEMANDS.move(tx, demand, cases.demand_after(demand, action, changed), action, given.get("answer") or "")

    def get(self, session: Session, number: str) -> Demand:
        """A demand; the list is there for all who share. Raises NotFound."""
        return DEMANDS.get(session, number)

    def suggestions(self, demand: Demand) -> list[matching.Match]:
        """Duties whose data look like what is asked for, and datasets that hold the same data elements, best first."""
        duties = self._platform.declarations.all("DutyItem")
        offered = [
            matching.Candidate(
                "duty", d.name, d.spec.organisation, _words(d), frozenset(e for data in d.spec.data for e in data.elements)
            )
            for d in duties
        ]
        for d in self._platform.declarations.all("Dataset"):
            elements = frozenset(field.element for field in d.spec.fields if field.element is not None)
            offered.append(
                matching.Candidate("dataset", d.name, d.spec.owner, " ".join((*d.title.values(), *d.spec.keywords)), elements)
            )
        return matching.best(f"{demand.title} {demand.description}", frozenset(demand.elements), offered)

    def miss(self, tx: Transaction, demand: Demand) -> Demand:
        """Note that an answer is overdue, once."""
        return DEMANDS.move(tx, demand, replace(demand, version=demand.version + 1, missed=1), "miss")

    def _assign(self, demand: Demand, given: dict[str, Any]) -> dict[str, Any]:
        duty = self._declared("DutyItem", given.get("duty") or "")
        if duty is None:
            raise Invalid.field("duty", "field.reference", kind="DutyItem", name=given.get("duty") or "")
        provider = duty.spec.organisation
        days = self._terms.rule(None, provider).days["demand_days"]
        return {
            "duty": duty.name,
            "provider": provider,
            "due": self._terms.due(days),
            "missed": 0,
            "answer": given.get("answer") or "",
        }

    def _meet(self, demand: Demand, given: dict[str, Any]) -> dict[str, Any]:
        dataset = self._declared("Dataset", given.get("dataset") or "")
        if dataset is None:
            raise Invalid.field("dataset", "field.reference", kind="Dataset", name=given.get("dataset") or "")
        if demand.provider is not None and dataset.spec.owner != demand.provider:
            raise Invalid.field("dataset", "sharing.other_owner", name=dataset.name, owner=demand.provider)
        return {"dataset": dataset.name, "provider": dataset.spec.owner, "answer": given.get("answer") or ""}

    def _reject(self, demand: Demand, given: dict[str, Any]) -> dict[str, Any]:
        if not (given.get("answer") or "").strip():
            raise Invalid.field("answer", "field.missing")
        return {"answer": given["answer"]}

    def _withdraw(self, demand: Demand, given: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _declared(self, kind: str, name: str) -> Any:
        try:
            return self._platform.declarations.get(kind, name)
        except NotFound:
            return None


def _words(duty: Any) -> str:
    """What a duty says of itself and its data."""
    data = [text for each in duty.spec.data for text in (each.title.zh, each.title.en)]
    return " ".join((*duty.title.values(), duty.spec.duty.zh, duty.spec.duty.en, *data))
