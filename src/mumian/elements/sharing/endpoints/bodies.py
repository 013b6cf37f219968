"""What comes in and goes out over HTTP."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from mumian.elements.sharing.contracts import Application, Delivery, Demand, Grant, Item, Objection, Quota
from mumian.kernel.web.paging import MOST

Name = Annotated[str, Field(min_length=1, max_length=80)]
Reason = Annotated[str, Field(max_length=2000)]
CursorText = Annotated[str | None, Query(alias="cursor", max_length=600)]
Many = Annotated[int, Query(ge=1, le=MOST)]
Side = Literal["mine", "owner", "bureau", "all"]
Many_ = Annotated[int | None, Field(ge=0, lt=2**62)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ItemBody(_Body):
    """One dataset: the fields, why labelled ones are needed, and how they shall be shown."""

    dataset: Name
    fields: list[Name] = Field(default_factory=list, max_length=2000)
    reasons: dict[Name, Reason] = Field(default_factory=dict, max_length=2000)
    plain: list[Name] = Field(default_factory=list, max_length=2000)
    lookup: list[Name] = Field(default_factory=list, max_length=50)
    tokens: list[Name] = Field(default_factory=list, max_length=2000)
    rows: str | None = Field(None, max_length=2000)

    def item(self) -> Item:
        """As the contracts have it."""
        return msgspec.convert(self.model_dump(), Item)


class QuotaBody(_Body):
    """The most in a day and in a month; empty: no bound."""

    calls_day: Many_ = None
    rows_day: Many_ = None
    bytes_day: Many_ = None
    calls_month: Many_ = None
    rows_month: Many_ = None
    bytes_month: Many_ = None

    def quota(self) -> Quota:
        """As the contracts have it."""
        return Quota(**self.model_dump())


class DraftBody(_Body):
    """An application; without items it is for what is in the caller's cart."""

    items: list[ItemBody] = Field(default_factory=list, max_length=200)
    purpose: str = Field(max_length=80)
    use: str = Field(max_length=4000)
    basis: str = Field(max_length=2000)
    days: int = Field(ge=1, le=3650)
    way: Literal["query", "file", "push", "events"] = "query"
    frequency: str = Field("", max_length=200)
    quota: QuotaBody = QuotaBody()
    renews: str | None = Field(None, max_length=80)


class StepBody(_Body):
    """A step with an application: `seen` is the version that was looked at."""

    action: Literal["approve", "confirm", "refuse", "ask", "supply", "withdraw", "appeal", "overturn", "uphold"]
    seen: int = Field(ge=1, lt=2**62)
    reason: Reason = ""
    basis: Reason = ""
    items: list[ItemBody] | None = Field(None, max_length=200)
    quota: QuotaBody | None = None
    days: int | None = Field(None, ge=1, le=3650)


class GrantStepBody(_Body):
    """A step with a grant."""

    action: Literal["suspend", "resume", "revoke"]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class ApplicationView(BaseModel):
    """An application as it stands; `next` are the actions that are possible now, each with who may take it."""

    number: str
    batch: str
    version: int
    state: str
    stage: str
    applicant: str
    organisation: str | None
    owner: str
    bureau: str | None
    review: bool
    channel: str
    access: str
    items: list[ItemBody]
    purpose: str
    use: str
    basis: str
    days: int
    way: str
    frequency: str
    quota: QuotaBody
    renews: str | None
    applied_at: str
    due: str | None
    first_due: str | None
    missed: int
    final: bool
    decided_at: str | None
    decided_by: str | None
    reason: str
    refusal_basis: str
    answered_at: str | None
    grants: list[str]
    next: list[tuple[str, str]]


class GrantView(BaseModel):
    """A grant as it stands."""

    id: str
    version: int
    state: str
    application: str
    dataset: str
    owner: str
    holder: str
    channel: str
    item: ItemBody
    purpose: str
    way: str
    quota: QuotaBody
    valid_from: str
    until: str
    reason: str


class StepView(BaseModel):
    """One step of something's life."""

    version: int
    time: str
    actor: str
    action: str
    from_state: str
    to_state: str
    note: str


class ObjectionBody(_Body):
    """What is wrong: the row by its key, the fields, and what would be right."""

    dataset: Name
    grant: str | None = Field(None, max_length=80)
    key: dict[Name, Annotated[str, Field(max_length=500)]] = Field(default_factory=dict, max_length=20)
    fields: list[Name] = Field(default_factory=list, max_length=200)
    description: str = Field(min_length=1, max_length=4000)
    expected: str = Field("", max_length=4000)


class ObjectionStepBody(_Body):
    """A step with an objection: `seen` is the version that was looked at."""

    action: Literal["check", "extend", "correct", "reject", "withdraw"]
    seen: int = Field(ge=1, lt=2**62)
    answer: Annotated[str, Field(max_length=4000)] = ""


class ObjectionView(BaseModel):
    """An objection as it stands."""

    number: str
    version: int
    state: str
    dataset: str
    owner: str
    reporter: str
    organisation: str | None
    grant: str | None
    key: dict[str, str]
    fields: list[str]
    description: str
    expected: str
    filed_at: str
    due: str | None
    missed: int
    ticket: str | None
    answer: str
    closed_at: str | None


class DemandBody(_Body):
    """Data that are needed and not listed."""

    title: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1, max_length=4000)
    elements: list[Name] = Field(default_factory=list, max_length=200)
    purpose: str = Field(min_length=1, max_length=200)
    basis: str = Field(min_length=1, max_length=2000)


class DemandStepBody(_Body):
    """A step with a demand: assign needs `duty`, meet needs `dataset`, reject an `answer`."""

    action: Literal["assign", "meet", "reject", "withdraw"]
    seen: int = Field(ge=1, lt=2**62)
    duty: str | None = Field(None, max_length=80)
    dataset: str | None = Field(None, max_length=80)
    answer: Annotated[str, Field(max_length=4000)] = ""


class DemandView(BaseModel):
    """A demand as it stands."""

    number: str
    version: int
    state: str
    title: str
    description: str
    elements: list[str]
    purpose: str
    basis: str
    applicant: str
    organisation: str | None
    asked_at: str
    due: str | None
    missed: int
    duty: str | None
    provider: str | None
    dataset: str | None
    answer: str


class DeliveryView(BaseModel):
    """A delivery as it stands."""

    number: str
    version: int
    state: str
    grant: str
    dataset: str
    owner: str
    holder: str
    way: str
    address: str
    place: str
    made_by: str
    position: int
    trying: int
    load: int
    rows_sent: int
    attempts: int
    next_at: str | None
    error: str


def view(thing: Application | Grant | Objection | Demand | Delivery) -> dict[str, Any]:
    """A thing as plain values."""
    found: dict[str, Any] = msgspec.to_builtins(thing)
    return found
