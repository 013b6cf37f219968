"""Endpoints of the ledger: the signed head, entries, proofs, consistency and the public keys."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from mumian.foundation.identity.api import Caller, permit
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.ledger.contracts import Head
from mumian.foundation.ledger.service.bundles import head_json
from mumian.kernel.web import Page, PlatformDep

router = APIRouter(prefix="/api/v1/foundation/ledger", tags=["ledger"])
_Verifies = Annotated[Caller, Depends(permit("ledger:verify"))]
_Reads = Annotated[Caller, Depends(permit("ledger:read"))]
_BIGGEST = 2**53


class SignatureOut(BaseModel):
    """A signature over a head, base64."""

    algorithm: str
    key_id: str
    value: str


class HeadOut(BaseModel):
    """A signed tree head; the signatures cover `mumian-ledger-head/1`, size, root and time, each on a line of its own."""

    size: int
    root: str
    time: str
    signatures: list[SignatureOut]


class EntryOut(BaseModel):
    """An entry; `leaf` is SHA-256(0x00 ‖ body), hexadecimal."""

    index: int
    time: str
    actor: str
    type: str
    subject: str
    body: str
    leaf: str


class ProofOut(BaseModel):
    """An inclusion proof (RFC 9162 §2.1.3): `path` leads from the leaf of entry `index` to the head's root."""

    index: int
    leaf: str
    path: list[str]
    head: HeadOut


class ConsistencyOut(BaseModel):
    """A consistency proof (RFC 9162 §2.1.4): the tree of `first` entries is the beginning of that of `second`."""

    first: int
    second: int
    first_root: str
    second_root: str
    path: list[str]


class KeyOut(BaseModel):
    """A public key."""

    algorithm: str
    key_id: str
    value: str
    pem: str


@router.get("/head")
async def get_head(platform: PlatformDep, _: _Verifies) -> HeadOut:
    """The last signed head."""
    return _head(await platform.get(Ledger).head())


@router.get("/keys")
async def list_keys(platform: PlatformDep, _: _Verifies) -> Page[KeyOut]:
    """The public keys that heads are signed with."""
    return Page(items=[KeyOut(**vars(key)) for key in platform.get(Ledger).public_keys()])


@router.get("/entries")
async def list_entries(
    platform: PlatformDep,
    _: _Reads,
    after: Annotated[int, Query(ge=-1, lt=_BIGGEST, description="Entries with a larger index.")] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    subject: Annotated[str | None, Query(max_length=500, pattern=r"^[^\x00]*$")] = None,
) -> Page[EntryOut]:
    """Entries by index; `next` is the `after` of the next page."""
    entries = await platform.get(Ledger).entries(after, limit, subject)
    items = [EntryOut(**vars(entry)) for entry in entries]
    return Page(items=items, next=str(items[-1].index) if len(items) == limit else None)


@router.get("/entries/{index}/proof")
async def get_proof(platform: PlatformDep, _: _Verifies, index: Annotated[int, Path(ge=0, lt=_BIGGEST)]) -> ProofOut:
    """That an entry is in the last signed head."""
    proof = await platform.get(Ledger).proof(index)
    return ProofOut(index=index, leaf=proof.entry.leaf, path=list(proof.path), head=_head(proof.head))


@router.get("/entries/{index}/bundle")
async def get_bundle(
    platform: PlatformDep,
    _: _Reads,
    index: Annotated[int, Path(ge=0, lt=_BIGGEST)],
    since: Annotated[int | None, Query(ge=0, lt=_BIGGEST)] = None,
) -> dict[str, Any]:
    """The evidence bundle of an entry, to be verified offline with tools/verify_ledger.py."""
    return await platform.get(Ledger).export(index, since)


@router.get("/consistency")
async def get_consistency(
    platform: PlatformDep,
    _: _Verifies,
    first: Annotated[int, Query(ge=1, lt=_BIGGEST)],
    second: Annotated[int | None, Query(ge=1, lt=_BIGGEST, description="Default: the size of the last head.")] = None,
) -> ConsistencyOut:
    """That an earlier tree is the beginning of a later one."""
    found = await platform.get(Ledger).consistency(first, second)
    return ConsistencyOut(**{**vars(found), "path": list(found.path)})


def _head(head: Head) -> HeadOut:
    return HeadOut(**head_json(head))
