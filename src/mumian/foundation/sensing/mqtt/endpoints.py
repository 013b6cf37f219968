"""Endpoints of the MQTT face: where it is, and what was refused there."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.sensing.mqtt import store
from mumian.foundation.sensing.mqtt.endpoint import Mqtt
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter()


class MqttView(BaseModel):
    """Where clients connect; null while nobody can."""

    address: str | None


class RefusalView(BaseModel):
    """A publish that was refused: when, by whom, under which topic, the beginning of its payload, and why."""

    id: int
    time: str
    actor: str
    client: str
    topic: str
    payload: str
    reason: dict[str, str]


@router.get("/mqtt")
async def mqtt(platform: PlatformDep, _: Annotated[Caller, Depends(permit("stream:read"))]) -> MqttView:
    """Where the city speaks MQTT."""
    return MqttView(address=platform.get(Mqtt).address)


@router.get("/mqtt/refusals")
async def refusals(
    platform: PlatformDep,
    _: Annotated[Caller, Depends(permit("refusal:read"))],
    after: Annotated[str | None, Query(alias="cursor", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Page[RefusalView]:
    """Publishes that were refused, the newest first, each with the reason."""
    keys = parse_cursor(after, int)
    rows = await platform.records.read(lambda s: store.refusals(s, keys[0] if keys else None, limit + 1))
    items = [RefusalView(**row, reason={"zh": row["reason_zh"], "en": row["reason_en"]}) for row in rows[:limit]]
    return Page(items=items, next=cursor(items[-1].id) if len(rows) > limit else None)
