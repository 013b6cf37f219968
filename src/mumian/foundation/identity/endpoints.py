"""Endpoints of identity: sessions, passwords, tokens, people, organisations, roles and policies."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from mumian.foundation.identity import models, rules, store
from mumian.foundation.identity.api import Caller, Identity, Person, PersonDraft, PersonPatch, permit, require
from mumian.foundation.identity.errors import CrossSite
from mumian.foundation.identity.service.callers import COOKIE, origin_of
from mumian.kernel.errors import Fault, Invalid
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/identity", tags=["identity"])
_Tokens = Annotated[Caller, Depends(permit("self:tokens"))]
_ReadsPeople = Annotated[Caller, Depends(permit("person:read"))]
_ChangesPeople = Annotated[Caller, Depends(permit("person:write"))]
_Id = Annotated[str, Path(pattern="^[0-9A-Z]{26}$")]
_ONCE = {"Cache-Control": "no-store"}


@router.post("/sessions", status_code=201, dependencies=[Depends(permit("session:open"))])
async def sign_in(platform: PlatformDep, request: Request, response: Response, body: models.SignInBody) -> models.SessionOut:
    """Sign in: 201 and a session cookie; 401 when login and password do not fit, 429 after too many attempts."""
    if rules.foreign(origin_of(dict(request.scope["headers"]))):
        raise CrossSite(action="session:open")
    opened = await platform.get(Identity).sign_in.open(body.login, body.password)
    secure = platform.settings.secure_cookies or request.url.scheme == "https"
    response.set_cookie(COOKIE, opened.secret, expires=opened.expires, path="/", httponly=True, samesite="strict", secure=secure)
    response.headers.update(_ONCE)
    return models.SessionOut(person=models.who(opened.person), must_change_password=opened.person.must_change_password)


@router.get("/sessions/current")
async def current_session(caller: Annotated[Caller, Depends(permit("self:read"))], response: Response) -> models.SessionOut:
    """Who is signed in; 401 when nobody is."""
    response.headers.update(_ONCE)
    person = models.WhoOut(
        login=caller.login or "", title=caller.title, roles=list(caller.actor.roles), organisation=caller.organisation
    )
    return models.SessionOut(person=person, must_change_password=caller.must_change_password)


@router.delete("/sessions/current", status_code=204)
async def sign_out(platform: PlatformDep, caller: Annotated[Caller, Depends(permit("self:leave"))], response: Response) -> None:
    """Sign out: the session ends here and in the browser."""
    await platform.get(Identity).sign_in.close(caller)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.post("/password", status_code=204)
async def change_password(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("self:password"))],
    body: models.PasswordBody,
    response: Response,
) -> None:
    """Change the own password; all other sessions end."""
    await platform.get(Identity).sign_in.change_password(caller, body.current, body.new)
    response.headers.update(_ONCE)


@router.get("/tokens")
async def list_tokens(platform: PlatformDep, caller: _Tokens) -> Page[models.TokenOut]:
    """The own tokens, newest first, without their secrets."""
    tokens = await platform.records.read(lambda session: store.tokens(session, caller.person or ""))
    return Page(items=[models.token_out(token) for token in tokens])


@router.post("/tokens", status_code=201)
async def create_token(platform: PlatformDep, caller: _Tokens, body: models.TokenBody, response: Response) -> models.NewTokenOut:
    """A new token that may do what its owner may, within its scopes; its secret is shown this once."""
    accounts = platform.get(Identity).accounts
    token, secret = await accounts.create_token(caller.person or "", body.title, body.scopes, body.expires, caller.actor)
    response.headers.update(_ONCE)
    return models.NewTokenOut(**models.token_out(token).model_dump(), secret=secret)


@router.delete("/tokens/{token}", status_code=204)
async def revoke_token(platform: PlatformDep, caller: _Tokens, token: _Id) -> None:
    """Revoke a token at once."""
    await platform.get(Identity).accounts.revoke_token(caller, token)


@router.get("/people", response_model=Page[models.PersonOut])
async def list_people(
    platform: PlatformDep,
    _: _ReadsPeople,
    after: Annotated[str | None, Query(alias="cursor", max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Page[models.PersonOut]:
    """People by login."""
    keys = parse_cursor(after, str)
    if keys and not re.fullmatch(rules.LOGIN_PATTERN, keys[0]):
        raise Invalid.field("cursor", "field.cursor")
    people = await platform.records.read(lambda session: store.people(session, keys[0] if keys else "", limit + 1))
    page = people[:limit]
    return Page(items=[models.person_out(p) for p in page], next=cursor(page[-1].login) if len(people) > limit else None)


@router.post("/people", status_code=201)
async def create_person(
    platform: PlatformDep, caller: _ChangesPeople, body: models.PersonBody, response: Response
) -> models.NewPersonOut:
    """A new person with a one-time password, which is shown this once."""
    _may_grant(caller, body.organisation, body.roles)
    draft = PersonDraft(body.login, body.title.model_dump(), body.organisation, tuple(body.roles))
    person, password = await platform.get(Identity).accounts.create_person(draft, caller.actor)
    response.headers.update(_ONCE)
    return models.NewPersonOut(**models.person_out(person).model_dump(), password=password)


@router.patch("/people/{person}")
async def change_person(
    platform: PlatformDep, caller: _ChangesPeople, person: _Id, body: models.PersonPatchBody
) -> models.PersonOut:
    """Change a person's title, organisation or roles, or close or open the account again."""
    known = await _may_change(platform, caller, person)
    _may_grant(caller, body.organisation or known.organisation, body.roles or ())
    if person == caller.person and (body.disabled or body.roles is not None):
        raise Invalid(Fault("disabled" if body.disabled else "roles", "identity.own_account", {}))
    roles = None if body.roles is None else tuple(body.roles)
    patch = PersonPatch(None if body.title is None else body.title.model_dump(), body.organisation, roles, body.disabled)
    return models.person_out(await platform.get(Identity).accounts.change_person(person, patch, caller.actor))


@router.post("/people/{person}/password")
async def reset_password(platform: PlatformDep, caller: _ChangesPeople, person: _Id, response: Response) -> models.PasswordOut:
    """A new one-time password for a person, shown this once; all their sessions end."""
    await _may_change(platform, caller, person)
    response.headers.update(_ONCE)
    return models.PasswordOut(password=await platform.get(Identity).accounts.reset_password(person, caller.actor))


@router.get("/organisations")
async def list_organisations(
    platform: PlatformDep, _: Annotated[Caller, Depends(permit("organisation:read"))]
) -> Page[models.OrganisationOut]:
    """All organisations as declared."""
    declared = platform.declarations.all("Organisation")
    return Page(items=[models.OrganisationOut(name=d.name, title=d.title, **d.spec.model_dump()) for d in declared])


@router.get("/roles")
async def list_roles(platform: PlatformDep, _: Annotated[Caller, Depends(permit("role:read"))]) -> Page[models.RoleOut]:
    """All roles, built in and declared."""
    roles = platform.get(Identity).accounts.roles()
    return Page(items=[models.RoleOut(name=name, title=title) for name, title in sorted(roles.items())])


@router.get("/policies")
async def list_policies(platform: PlatformDep, _: Annotated[Caller, Depends(permit("policy:read"))]) -> Page[models.PolicyOut]:
    """All policies in force, built in, made from roles, and declared."""
    texts = platform.get(Identity).decisions.policy_texts()
    return Page(items=[models.PolicyOut(name=name, cedar=text) for name, text in sorted(texts.items())])


async def _may_change(platform: PlatformDep, caller: Caller, person: str) -> Person:
    """Only people of organisations in the caller's reach, and none who have a role that the caller has not."""
    known = (await platform.records.read(lambda session: store.account(session, person))).person
    _may_grant(caller, known.organisation, known.roles)
    return known


def _may_grant(caller: Caller, organisation: str | None, roles: Sequence[str]) -> None:
    """Nobody makes others more powerful than they are themselves; an administrator may grant every role."""
    require(caller, "person:write", organisation)
    if "administrator" in caller.actor.roles:
        return
    if organisation is None:
        raise Invalid(Fault("organisation", "field.missing", {}))
    faults = [Fault("roles", "identity.grant", {"role": role}) for role in rules.beyond(roles, caller.actor.roles)]
    if faults:
        raise Invalid(*faults)
