"""Endpoints for devices themselves: who am I, I am here, what shall I do, this is done, a new token please."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from mumian.foundation.devices.api import Devices
from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.endpoints.provisioning import TokenOut, token_out
from mumian.foundation.devices.endpoints.views import Body, CommandOut, command_out
from mumian.foundation.devices.rules.device import LENGTHS
from mumian.foundation.identity.api import Caller, permit
from mumian.kernel.clock import iso
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep

router = APIRouter(prefix="/api/v1/foundation/devices/self", tags=["devices"])
Reports = Annotated[Caller, Depends(permit("device:report"))]


class HeartbeatBody(Body):
    """What a device may tell with a heartbeat: the firmware that it runs."""

    firmware: str | None = Field(None, max_length=LENGTHS["firmware"])


class HeartbeatOut(BaseModel):
    """The platform's time, and how many commands wait."""

    time: str
    commands: int


class ReportBody(Body):
    """How far a command is, and what came of it."""

    state: Literal["acknowledged", "done", "failed"]
    result: dict[str, Any] | None = None


class OwnOut(BaseModel):
    """A device as it sees itself."""

    code: str
    kind: str
    state: str
    firmware: str
    streams: dict[str, str]


@router.get("")
async def get_self(platform: PlatformDep, caller: Reports) -> OwnOut:
    """The device that calls."""
    device = await _own(platform, caller)
    return OwnOut(**{name: getattr(device, name) for name in OwnOut.model_fields})


@router.post("/heartbeat")
async def beat(platform: PlatformDep, caller: Reports, body: HeartbeatBody | None = None) -> HeartbeatOut:
    """Say that the device is there. Nothing is written, unless its firmware changed."""
    devices = platform.get(Devices)
    device = await _own(platform, caller)
    await devices.reporting.beat(device.code, body.firmware if body is not None else None, caller.actor)
    waiting = await platform.records.read(lambda session: devices.commands.waiting(session, device.code))
    return HeartbeatOut(time=iso(platform.clock.now()), commands=waiting)


@router.post("/commands")
async def fetch_commands(platform: PlatformDep, caller: Reports) -> list[CommandOut]:
    """The commands that wait, oldest first; with this they are delivered, and come again when not acknowledged in time."""
    devices = platform.get(Devices)
    device = await _own(platform, caller)
    devices.presence.heartbeat(device.code)
    if not await platform.records.read(lambda session: devices.commands.waiting(session, device.code)):
        return []
    fetched = await platform.records.write(lambda tx: devices.commands.fetch(tx, device.code), caller.actor)
    return [command_out(command) for command in fetched]


@router.post("/commands/{id}")
async def report_command(
    platform: PlatformDep,
    caller: Reports,
    id: Annotated[str, Path(pattern="^[0-9A-Z]{26}$")],  # noqa: A002
    body: ReportBody,
) -> CommandOut:
    """Tell how far a command is: acknowledged, done or failed; telling twice does no harm."""
    devices = platform.get(Devices)
    device = await _own(platform, caller)
    return command_out(await devices.reporting.report(device.code, id, body.state, body.result, caller.actor))


@router.post("/tokens", status_code=201)
async def rotate_token(platform: PlatformDep, caller: Reports, response: Response) -> TokenOut:
    """Another token; the present one stays in force until the new one is confirmed."""
    device = await _own(platform, caller)
    issued = await platform.get(Devices).credentials.rotate(device.code, caller.actor)
    return await token_out(platform, device, issued, response)


@router.post("/tokens/confirmation")
async def confirm_token(platform: PlatformDep, caller: Reports) -> dict[str, int]:
    """The token that this comes with is the one from now on: all others of the device are revoked."""
    devices = platform.get(Devices)
    device = await _own(platform, caller)
    revoked = await devices.credentials.confirm(device.code, caller.actor)
    await asyncio.to_thread(devices.guard.refresh)
    return {"revoked": revoked}


async def _own(platform: Platform, caller: Caller) -> Device:
    devices = platform.get(Devices)
    return await platform.records.read(lambda s: devices.find(s, devices.credentials.device_of(s, caller)))
