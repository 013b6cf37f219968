"""Endpoints of context: the NGSI-LD face, and lists for the screens of the platform."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.types import ASGIApp

from mumian.foundation.context.api import Context
from mumian.foundation.context.ngsild.app import NgsiLd
from mumian.foundation.context.ngsild.request import PREFIX
from mumian.foundation.context.rules import subscription as rules
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.platform import Platform
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/context", tags=["context"])
MOUNTS: list[tuple[str, Callable[[Platform], ASGIApp]]] = [(PREFIX, NgsiLd)]


class TypeView(BaseModel):
    """A type of entities: its address, its short name, and how many there are, of the platform's own and sensed ones."""

    address: str
    name: str
    own: int
    sensed: int


class SubscriptionView(BaseModel):
    """A subscription and how its notifications fare."""

    id: str
    title: str | None
    status: str
    receiver: str
    sent: int
    failed: int
    last_success: str | None
    last_failure: str | None


@router.get("/types")
async def types(platform: PlatformDep, caller: Annotated[Caller, Depends(permit("entity:read"))]) -> Page[TypeView]:
    """All types of entities with their numbers, by address."""
    context = platform.get(Context)
    context.things.refresh()
    names = await context.contexts.names(None)
    own, sensed = context.memory.by_type, context.things.types()
    items = [
        TypeView(address=type_, name=names.compact(type_), own=len(own.get(type_, ())), sensed=len(sensed.get(type_, ())))
        for type_ in sorted({*own, *sensed})
    ]
    return Page(items=items, next=None)


@router.get("/subscriptions")
async def subscriptions(
    platform: PlatformDep,
    caller: Annotated[Caller, Depends(permit("subscription:read"))],
    after: Annotated[str | None, Query(alias="cursor", max_length=4000)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
) -> Page[SubscriptionView]:
    """Subscriptions by id."""
    held = platform.get(Context).subscriptions
    keys = parse_cursor(after, str)
    known = sorted(id_ for id_ in held.all if keys is None or id_ > keys[0])
    items = []
    for id_ in known[:limit]:
        item = held.all[id_]
        items.append(
            SubscriptionView(
                id=id_,
                title=item.body.get("subscriptionName"),
                status=rules.status(item.body, held.now()),
                receiver=item.endpoint.uri,
                sent=item.state.get("timesSent", 0),
                failed=item.state.get("timesFailed", 0),
                last_success=item.state.get("lastSuccess"),
                last_failure=item.state.get("lastFailure"),
            )
        )
    return Page(items=items, next=cursor(items[-1].id) if len(known) > limit else None)
