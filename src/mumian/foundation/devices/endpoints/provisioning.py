"""Endpoints of provisioning: enrolment secrets for devices, devices that enrol or prove their key, credentials taken back."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from mumian.foundation.devices.api import Devices
from mumian.foundation.devices.contracts import Device
from mumian.foundation.devices.endpoints.ledger import Code, Reads
from mumian.foundation.devices.endpoints.views import Body
from mumian.foundation.devices.models import CODE_PATTERN
from mumian.foundation.devices.service.credentials import Issued, statement
from mumian.foundation.identity.api import Caller, permit, require
from mumian.kernel.platform import Platform
from mumian.kernel.web import PlatformDep

router = APIRouter(prefix="/api/v1/foundation/devices", tags=["devices"])
Provisions = Annotated[Caller, Depends(permit("device:provision"))]
Secret = Annotated[str, Field(min_length=1, max_length=200)]
DeviceCode = Annotated[str, Field(pattern=CODE_PATTERN)]
_ENROLS = [Depends(permit("device:enrol"))]
_ONCE = {"Cache-Control": "no-store"}


class EnrolBody(Body):
    """A device's code and one-time secret, and its Ed25519 public key (32 bytes, Base64) if it has one."""

    code: DeviceCode
    secret: Secret
    public_key: str | None = Field(None, max_length=100)


class ChallengeBody(Body):
    """Who wants to prove that it has its key."""

    code: DeviceCode


class ProofBody(Body):
    """The signed challenge: an Ed25519 signature (Base64) over `mumian-device-token\\n<code>\\n<nonce>`."""

    code: DeviceCode
    nonce: Secret
    signature: Annotated[str, Field(max_length=200)]


class SecretOut(BaseModel):
    """A one-time enrolment secret, shown this once."""

    code: str
    secret: str
    expires: str


class ChallengeOut(BaseModel):
    """What is to be signed, and until when."""

    nonce: str
    statement: str
    expires: str


class TokenOut(BaseModel):
    """A device's token, shown this once, and the streams that it may write: key of the kind, name, id."""

    code: str
    token: str
    expires: str
    streams: list[dict[str, Any]]


class CredentialOut(BaseModel):
    """A credential of a device, without its secret."""

    id: str
    type: str
    public_key: str | None
    created: str
    expires: str | None
    revoked: str | None


@router.post("/enrolments", status_code=201, dependencies=_ENROLS)
async def enrol_device(platform: PlatformDep, body: EnrolBody, response: Response) -> TokenOut:
    """Enrol: a device turns its one-time secret into a token of its own. 401 when they do not fit."""
    device, issued = await platform.get(Devices).credentials.enrol(body.code, body.secret, body.public_key)
    return await token_out(platform, device, issued, response)


@router.post("/enrolments/challenges", status_code=201, dependencies=_ENROLS)
async def challenge_device(platform: PlatformDep, body: ChallengeBody, response: Response) -> ChallengeOut:
    """A text for a device to sign with its key, to get a token that lives some hours."""
    nonce, expires = platform.get(Devices).credentials.challenge(body.code)
    response.headers.update(_ONCE)
    return ChallengeOut(nonce=nonce, statement=statement(body.code, nonce).decode(), expires=expires)


@router.post("/enrolments/tokens", status_code=201, dependencies=_ENROLS)
async def prove_device(platform: PlatformDep, body: ProofBody, response: Response) -> TokenOut:
    """Turn a signed challenge into a token; each challenge serves once. 401 when it does not fit."""
    device, issued = await platform.get(Devices).credentials.prove(body.code, body.nonce, body.signature)
    return await token_out(platform, device, issued, response)


@router.post("/{code}/enrolment", status_code=201)
async def offer_enrolment(platform: PlatformDep, caller: Provisions, code: Code, response: Response) -> SecretOut:
    """A new one-time secret with which the device can enrol, shown this once; an earlier one is void."""
    await _owned(platform, caller, code)
    secret, expires = await platform.get(Devices).credentials.offer(code, caller.actor)
    response.headers.update(_ONCE)
    return SecretOut(code=code, secret=secret, expires=expires)


@router.get("/{code}/credentials")
async def list_credentials(platform: PlatformDep, caller: Provisions, code: Code) -> list[CredentialOut]:
    """The credentials of a device, the newest first, without their secrets."""
    await _owned(platform, caller, code)
    rows = await platform.records.read(lambda session: platform.get(Devices).credentials.listed(session, code))
    return [CredentialOut(**{name: row[name] for name in CredentialOut.model_fields}) for row in rows]


@router.delete("/{code}/credentials/{credential}", status_code=204)
async def revoke_credential(
    platform: PlatformDep, caller: Provisions, code: Code, credential: Annotated[str, Path(pattern="^[0-9A-Z]{26}$")]
) -> None:
    """Take a credential back at once."""
    await _owned(platform, caller, code)
    devices = platform.get(Devices)
    await devices.credentials.revoke(code, credential, caller.actor)
    await asyncio.to_thread(devices.guard.refresh)


@router.get("/{code}/streams")
async def list_device_streams(platform: PlatformDep, _: Reads, code: Code) -> list[dict[str, Any]]:
    """The streams of a device: key of its kind, name, id, observed property and unit."""
    device = await platform.records.read(lambda session: platform.get(Devices).find(session, code))
    return await asyncio.to_thread(_streams, platform, device)


async def token_out(platform: Platform, device: Device, issued: Issued, response: Response) -> TokenOut:
    """A new token, once the guard knows of it."""
    await asyncio.to_thread(platform.get(Devices).guard.refresh)
    streams = await asyncio.to_thread(_streams, platform, device)
    response.headers.update(_ONCE)
    return TokenOut(code=device.code, token=issued.secret, expires=issued.expires, streams=streams)


def _streams(platform: Platform, device: Device) -> list[dict[str, Any]]:
    known = platform.get(Devices).streams.named(device.streams.values())
    return [
        {"key": key, "name": name, "id": info.id, "observed_property": info.observed_property, "unit": info.unit}
        for key, name in device.streams.items()
        if (info := known.get(name)) is not None
    ]


async def _owned(platform: Platform, caller: Caller, code: str) -> Device:
    device = await platform.records.read(lambda session: platform.get(Devices).find(session, code))
    require(caller, "device:provision", device.owner)
    return device
