"""Endpoints of commands: sent to a device, looked at, taken back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from mumian.foundation.devices.api import Devices
from mumian.foundation.devices.contracts import Command
from mumian.foundation.devices.endpoints.ledger import Code, Cursor, Limit, Reads
from mumian.foundation.devices.endpoints.views import CommandBody, CommandOut, command_out
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.unit_of_work import Transaction
from mumian.kernel.web import Page, PlatformDep
from mumian.kernel.web.paging import cursor, parse_cursor

router = APIRouter(prefix="/api/v1/foundation/devices", tags=["devices"])
Commands = Annotated[Caller, Depends(permit("device:command"))]
Id = Annotated[str, Path(pattern="^[0-9A-Z]{26}$")]


@router.get("/commands/{id}")
async def get_command(platform: PlatformDep, _: Reads, id: Id) -> CommandOut:  # noqa: A002
    """One command and how far it came."""
    return command_out(await platform.records.read(lambda session: platform.get(Devices).commands.find(session, id)))


@router.delete("/commands/{id}")
async def cancel_command(platform: PlatformDep, caller: Commands, id: Id) -> CommandOut:  # noqa: A002
    """Take a command back that the device has not acknowledged. 409: too late."""
    devices = platform.get(Devices)

    def work(tx: Transaction) -> Command:
        command = devices.commands.find(tx.session, id)
        require(caller, "device:command", devices.find(tx.session, command.device).owner)
        return devices.commands.cancel(tx, id)

    return command_out(await platform.records.write(work, caller.actor))


@router.get("/{code}/commands")
async def list_commands(
    platform: PlatformDep, _: Reads, code: Code, after: Cursor = None, limit: Limit = 100
) -> Page[CommandOut]:
    """The commands to a device, the newest first."""
    devices, keys = platform.get(Devices), parse_cursor(after, str)
    await platform.records.read(lambda session: devices.find(session, code))
    before = keys[0] if keys else None
    found = await platform.records.read(lambda session: devices.commands.page(session, code, before, limit + 1))
    items = [command_out(command) for command in found[:limit]]
    return Page(items=items, next=cursor(items[-1].id) if len(found) > limit else None)


@router.post("/{code}/commands", status_code=201)
async def send_command(platform: PlatformDep, caller: Commands, code: Code, body: CommandBody, response: Response) -> CommandOut:
    """Send a command; the device gets it over MQTT, or when it asks for its commands."""
    devices = platform.get(Devices)

    def work(tx: Transaction) -> Command:
        require(caller, "device:command", devices.find(tx.session, code).owner)
        return devices.commands.send(tx, code, body.command, body.parameters)

    command = await platform.records.write(work, caller.actor)
    response.headers["Location"] = f"{router.prefix}/commands/{command.id}"
    return command_out(command)
