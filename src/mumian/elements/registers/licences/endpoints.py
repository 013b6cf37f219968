"""Licences over HTTP: issue, renew, suspend, restore, revoke, look, and verify by code."""

import json
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from mumian.elements.registers.events import EntityRead
from mumian.elements.registers.licences import rules, store
from mumian.elements.registers.licences.issuing import Draft, Licences, content_of
from mumian.foundation.identity.api import Caller, permit, require
from mumian.foundation.ledger.api import Ledger
from mumian.kernel.errors import NotFound
from mumian.kernel.unit_of_work import Row
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/elements/registers/licences", tags=["licences"])
Identifier = Annotated[str, Path(max_length=120)]
Issuer = Annotated[Caller, Depends(permit("licence:issue"))]
Reader = Annotated[Caller, Depends(permit("licence:read"))]
Purpose = Annotated[str, Query(min_length=1, max_length=200, description="What for: it goes into the ledger.")]


class LicenceBody(BaseModel):
    """What a licence is to say."""

    holder_code: str = Field(min_length=1, max_length=40)
    holder_name: str = Field(min_length=1, max_length=200)
    fields: dict[str, Annotated[str, Field(max_length=2000)]] = Field(default_factory=dict, max_length=60)
    valid_from: date | None = Field(None, ge=date(1900, 1, 1), le=date(2200, 1, 1))
    valid_to: date | None = Field(None, ge=date(1900, 1, 1), le=date(2400, 1, 1))


class IssueBody(LicenceBody):
    """A new licence of a type."""

    type: str = Field(max_length=80)


class StepBody(BaseModel):
    """What is done to a licence, and why."""

    step: Literal["suspend", "restore", "revoke"]
    reason: str = Field(min_length=1, max_length=1000)


class LicenceView(BaseModel):
    """A licence as the caller may see it; `state` is that of today."""

    identifier: str
    type: str
    version: int
    holder_code: str
    holder_name: str
    issuer: str
    fields: dict[str, str | None]
    valid_from: str
    valid_to: str | None
    status: str
    state: str
    digest: str
    issued_at: str
    changed_at: str
    reason: str | None
    previous: str | None


class IssuedView(LicenceView):
    """A licence that was just issued, with the verification code for its holder."""

    code: str


class VerifyBody(BaseModel):
    """A code, and if there is one the content that somebody presents."""

    code: str = Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{20}$")
    content: dict[str, str | int | None] | None = Field(None, max_length=20)


class VerifiedView(BaseModel):
    """What whoever holds the code may know; `genuine` says whether the presented content is that which was issued.

    `entries` are the numbers of the ledger's entries about it; their proofs are had from the ledger.
    """

    identifier: str
    type: str
    title: dict[str, str]
    issuer: str
    holder_name: str
    valid_from: str
    valid_to: str | None
    state: str
    fields: dict[str, str | None]
    digest: str
    genuine: bool | None
    entries: list[int]


@router.post("", status_code=201)
async def issue(platform: PlatformDep, caller: Issuer, body: IssueBody) -> IssuedView:
    """Issue a licence."""
    licences = platform.get(Licences)
    require(caller, "licence:issue", licences.type_of(body.type).spec.issuer)
    row = await platform.records.write(lambda tx: licences.issue(tx, body.type, _draft(body)), caller.actor)
    return IssuedView(**_shown(licences, row, True), code=row["code"])


@router.get("")
async def licences(
    platform: PlatformDep,
    caller: Reader,
    purpose: Purpose,
    type_: Annotated[str | None, Query(alias="type", max_length=80)] = None,
    status: Annotated[str | None, Query(max_length=20)] = None,
    holder: Annotated[str | None, Query(max_length=40)] = None,
    after: Annotated[str | None, Query(alias="cursor", max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Page[LicenceView]:
    """Licences by identifier, of a type or a holder; those of issuers that the caller may not read are left out."""
    keys = parse_cursor(after, str)
    wanted = {name: value for name, value in (("type", type_), ("status", status), ("holder_code", holder)) if value}
    rows = await platform.records.read(lambda s: store.page(s, wanted, keys[0] if keys else "", limit + 1))
    mine = [row for row in rows[:limit] if caller.allowed("licence:read", row["issuer"])]
    what = f"licences {','.join(sorted(wanted))}: {len(mine)}"
    event = EntityRead(subject="licences", organisation=caller.organisation, purpose=purpose, what=what)
    await platform.records.write(lambda tx: tx.emit(event), caller.actor)
    found = [LicenceView(**_shown(platform.get(Licences), row, _clear(caller, purpose, row))) for row in mine]
    return Page(items=found, next=cursor(rows[limit - 1]["identifier"]) if len(rows) > limit else None)


@router.post("/verify")
async def verify(
    platform: PlatformDep, caller: Annotated[Caller, Depends(permit("licence:verify"))], body: VerifyBody
) -> VerifiedView:
    """What a code stands for; with content, whether it is genuine."""
    row = await platform.records.read(lambda session: store.by_code(session, body.code))
    if row is None:
        raise NotFound(kind="licence", name=body.code)
    licences, ledger = platform.get(Licences), platform.get(Ledger)
    declared = licences.type_of(row["type"])
    entries = await platform.records.read(lambda session: ledger.indices(session, row["identifier"]))
    fields: dict[str, Any] = json.loads(row["fields"])
    return VerifiedView(
        **{name: row[name] for name in ("identifier", "type", "issuer", "valid_from", "valid_to", "digest")},
        title=declared.title,
        holder_name=rules.masked(row["holder_name"]) if declared.spec.holder == "person" else row["holder_name"],
        state=licences.state(row),
        fields={name: fields.get(name) for name in declared.spec.shown},
        genuine=None if body.content is None else rules.digest(body.content) == row["digest"],
        entries=entries,
    )


@router.get("/{identifier}")
async def licence(platform: PlatformDep, caller: Reader, identifier: Identifier, purpose: Purpose) -> LicenceView:
    """One licence."""
    row = await platform.records.read(lambda session: Licences.get(session, identifier))
    require(caller, "licence:read", row["issuer"])
    event = EntityRead(subject=identifier, organisation=caller.organisation, purpose=purpose, what="licence")
    await platform.records.write(lambda tx: tx.emit(event), caller.actor)
    return LicenceView(**_shown(platform.get(Licences), row, _clear(caller, purpose, row)))


@router.get("/{identifier}/content")
async def content(platform: PlatformDep, caller: Issuer, identifier: Identifier) -> dict[str, Any]:
    """What the digest is made of, for the issuer to hand to the holder."""
    row = await platform.records.read(lambda session: Licences.get(session, identifier))
    require(caller, "licence:issue", row["issuer"])
    event = EntityRead(subject=identifier, organisation=caller.organisation, purpose="hand out", what="licence content")
    await platform.records.write(lambda tx: tx.emit(event), caller.actor)
    return content_of(row)


@router.post("/{identifier}/renewal", status_code=201)
async def renew(platform: PlatformDep, caller: Issuer, identifier: Identifier, body: LicenceBody) -> IssuedView:
    """Put a new version in the place of a licence."""
    await _may_issue(platform, caller, identifier)
    licences = platform.get(Licences)
    row = await platform.records.write(lambda tx: licences.renew(tx, identifier, _draft(body)), caller.actor)
    return IssuedView(**_shown(licences, row, True), code=row["code"])


@router.post("/{identifier}/steps")
async def step(platform: PlatformDep, caller: Issuer, identifier: Identifier, body: StepBody) -> LicenceView:
    """Suspend, restore or revoke a licence."""
    await _may_issue(platform, caller, identifier)
    licences = platform.get(Licences)
    row = await platform.records.write(lambda tx: licences.change(tx, identifier, body.step, body.reason), caller.actor)
    return LicenceView(**_shown(licences, row, False))


async def _may_issue(platform: PlatformDep, caller: Caller, identifier: str) -> None:
    row = await platform.records.read(lambda session: Licences.get(session, identifier))
    require(caller, "licence:issue", row["issuer"])


def _draft(body: LicenceBody) -> Draft:
    return Draft(body.holder_code, body.holder_name, body.fields, body.valid_from, body.valid_to)


def _clear(caller: Caller, purpose: str, row: Row) -> bool:
    """Whether personal fields may be seen: as at the gate, a policy must allow it for the purpose."""
    named = purpose.isascii() and purpose.replace("-", "").isalpha() and purpose.islower()
    return named and caller.allowed(f"unmask:{purpose}", row["issuer"])


def _shown(licences: Licences, row: Row, clear: bool) -> dict[str, Any]:
    spec = licences.type_of(row["type"]).spec
    fields = json.loads(row["fields"])
    names = ("identifier", "type", "version", "issuer", "valid_from", "valid_to", "status", "digest", "issued_at", "changed_at")
    found = {name: row[name] for name in (*names, "reason", "previous")} | {"state": licences.state(row)}
    hidden = spec.holder == "person" and not clear
    found["holder_code"] = rules.masked(row["holder_code"], 3, 2) if hidden else row["holder_code"]
    found["holder_name"] = rules.masked(row["holder_name"]) if hidden else row["holder_name"]
    personal = {field.name for field in spec.fields if field.personal}
    found["fields"] = {name: None if name in personal and not clear else value for name, value in fields.items()}
    return found
