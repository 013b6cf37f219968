"""Endpoints of the ledger itself: list, look, enter, change, step by step through a device's life, and work done on it."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from mumian.foundation.devices import store
from mumian.foundation.devices.api import Devices
from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.endpoints import views
from mumian.foundation.devices.endpoints.views import DeviceOut, StepOut, WorkOut
from mumian.foundation.devices.models import DAY_PATTERN
from mumian.foundation.devices.rules.device import is_day
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import MOST, cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/devices", tags=["devices"])
Reads = Annotated[Caller, Depends(permit("device:read"))]
Writes = Annotated[Caller, Depends(permit("device:write"))]
Code = Annotated[str, Path(max_length=80)]
IfMatch = Annotated[str | None, Header(max_length=40)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=400)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Name = Annotated[str | None, Query(max_length=80)]


class Filters:
    """What a list of devices is narrowed to; `text` finds words in codes, names, models, makers, places and operators."""

    def __init__(
        self,
        platform: PlatformDep,
        kind: Name = None,
        category: Name = None,
        owner: Name = None,
        state: views.State | None = None,
        presence: Literal["online", "late", "offline", "unknown"] | None = None,
        district: Annotated[str | None, Query(max_length=12)] = None,
        grid: Name = None,
        due: Annotated[str | None, Query(pattern=DAY_PATTERN)] = None,
        text: Annotated[str | None, Query(max_length=200)] = None,
    ) -> None:
        if due is not None and not is_day(due):
            raise Invalid.field("due", "devices.day", given=due)
        self.chosen: dict[str, Any] = {"kind": kind, "owner": owner, "state": state, "presence": presence}
        self.chosen |= {"district": district, "grid": grid, "due": due, "text": text}
        if category is not None:
            kinds = platform.get(Devices).lives.kinds()
            self.chosen["kinds"] = [name for name, spec in kinds.items() if spec.category == category]


Narrowed = Annotated[Filters, Depends()]


@router.get("")
async def list_devices(
    platform: PlatformDep, caller: Reads, filters: Narrowed, after: Cursor = None, limit: Limit = 100
) -> Page[DeviceOut]:
    """Devices by code."""
    keys = parse_cursor(after, str)
    found = await platform.records.read(lambda s: store.page(s, filters.chosen, keys[0] if keys else "", limit + 1))
    devices = platform.get(Devices)
    items = [views.device_out(device, devices.seen(device.code), caller) for device, _ in found[:limit]]
    return Page(items=items, next=cursor(items[-1].code) if len(found) > limit else None)


@router.get("/statistics")
async def device_statistics(platform: PlatformDep, _: Reads) -> list[dict[str, Any]]:
    """How many devices there are of each kind, owner, state and presence."""
    rows = await platform.records.read(store.statistics)
    return [{**row, "presence": row["presence"] or "unknown"} for row in rows]


@router.get("/kinds")
async def list_kinds(platform: PlatformDep, _: Reads) -> list[dict[str, Any]]:
    """All kinds of device as declared."""
    declared = platform.declarations.all("DeviceKind")
    return [{"name": d.name, "title": d.title, **d.spec.model_dump(mode="json")} for d in declared]


@router.post("", status_code=201)
async def register_device(platform: PlatformDep, caller: Writes, body: views.DeviceBody, response: Response) -> DeviceOut:
    """Enter a device; one that is in service gets its thing and streams at once."""
    devices = platform.get(Devices)
    draft = await asyncio.to_thread(devices.lives.draft, {**body.given(), "state": body.state})
    require(caller, "device:write", draft.owner)
    device = await platform.records.write(lambda tx: devices.lives.register(tx, draft), caller.actor)
    response.headers["Location"] = f"{router.prefix}/{device.code}"
    return await shown(platform, caller, device, response)


@router.get("/{code}")
async def get_device(platform: PlatformDep, caller: Reads, code: Code, response: Response) -> DeviceOut:
    """One device; its version is the ETag."""
    devices = platform.get(Devices)
    device = await platform.records.read(lambda session: devices.find(session, code))
    response.headers["ETag"] = f'"{device.version}"'
    return views.device_out(device, devices.seen(code), caller)


@router.patch("/{code}")
async def change_device(
    platform: PlatformDep, caller: Writes, code: Code, body: views.DevicePatch, response: Response, if_match: IfMatch = None
) -> DeviceOut:
    """Change a device; `If-Match` holds the version that the caller saw. 412: somebody else was faster."""
    devices, expected, changes = platform.get(Devices), views.version(if_match), body.given()

    def work(tx: Transaction) -> Device:
        device = devices.find(tx.session, code)
        for owner in {device.owner, changes.get("owner", device.owner)}:
            require(caller, "device:write", owner)
        return devices.lives.change(tx, device, changes, expected)

    device = await platform.records.write(work, caller.actor)
    return await shown(platform, caller, device, response)


@router.post("/{code}/steps")
async def step_device(
    platform: PlatformDep, caller: Writes, code: Code, body: views.StepBody, response: Response, if_match: IfMatch = None
) -> DeviceOut:
    """Install, commission, suspend, resume or retire a device. 409: its state does not allow it."""
    devices, expected = platform.get(Devices), views.version(if_match)
    if body.day is not None and not is_day(body.day):
        raise Invalid.field("day", "devices.day", given=body.day)

    def work(tx: Transaction) -> Device:
        device = devices.find(tx.session, code)
        require(caller, "device:write", device.owner)
        return devices.lives.move(tx, device, body.step, body.day, body.note, expected)

    device = await platform.records.write(work, caller.actor)
    return await shown(platform, caller, device, response)


@router.get("/{code}/history")
async def device_history(platform: PlatformDep, _: Reads, code: Code, after: Cursor = None, limit: Limit = 100) -> Page[StepOut]:
    """All steps of a device, the newest first."""
    keys = parse_cursor(after, int)

    rows = await platform.records.read(lambda s: store.history(s, code, keys[0] if keys else None, limit + 1))
    if not rows and keys is None:
        await platform.records.read(lambda session: platform.get(Devices).find(session, code))
    page = rows[:limit]
    return Page(items=[StepOut(**row) for row in page], next=cursor(page[-1]["version"]) if len(rows) > limit else None)


@router.get("/{code}/work")
async def list_work(platform: PlatformDep, _: Reads, code: Code, after: Cursor = None, limit: Limit = 100) -> Page[WorkOut]:
    """Calibrations and maintenance of a device, the newest first."""
    keys = parse_cursor(after, str, str)
    before = (keys[0], keys[1]) if keys else None
    await platform.records.read(lambda session: platform.get(Devices).find(session, code))
    rows = await platform.records.read(lambda session: store.work(session, code, before, limit + 1))
    page = rows[:limit]
    following = cursor(page[-1]["day"], page[-1]["id"]) if len(rows) > limit else None
    return Page(items=[WorkOut(**row) for row in page], next=following)


@router.post("/{code}/work", status_code=201)
async def record_work(platform: PlatformDep, caller: Writes, code: Code, body: views.WorkBody) -> WorkOut:
    """Record a calibration or maintenance; a calibration sets the day by which the next one is due."""
    devices = platform.get(Devices)
    for name in ("day", "due"):
        if (given := getattr(body, name)) is not None and not is_day(given):
            raise Invalid.field(name, "devices.day", given=given)

    def work(tx: Transaction) -> dict[str, Any]:
        device = devices.find(tx.session, code)
        require(caller, "device:write", device.owner)
        return devices.lives.work(tx, device, body.model_dump())[1]

    return WorkOut(**await platform.records.write(work, caller.actor))


async def shown(platform: Platform, caller: Caller, device: Device, response: Response) -> DeviceOut:
    """A device that was changed, once sensing and the guard know of it."""
    devices = platform.get(Devices)
    await asyncio.to_thread(devices.settle_streams, device)
    response.headers["ETag"] = f'"{device.version}"'
    return views.device_out(device, devices.seen(device.code), caller)
