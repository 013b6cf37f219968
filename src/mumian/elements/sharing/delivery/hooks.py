"""Webhooks: rows as signed POST requests, as Standard Webhooks 1.0.0 describes them (HMAC-SHA-256 and Ed25519)."""

import base64
from collections.abc import Sequence
from hashlib import sha256
from hmac import digest
from typing import Any

import msgspec

from mumian.elements.sharing.contracts import Delivery, Proof
from mumian.elements.sharing.delivery.addresses import resolve
from mumian.elements.sharing.delivery.pages import Page
from mumian.foundation.cryptography.api import Cryptography

_encoder = msgspec.json.Encoder()


class Refused(Exception):
    """The receiver did not take what was sent; the text says why."""


def body(delivery: Delivery, page: Page, time: str) -> bytes:
    """What is sent: type, time, and rows with the fields that they have."""
    names = [column.name for column in page.columns[2:]]
    data = {
        "delivery": delivery.number,
        "grant": delivery.grant,
        "dataset": delivery.dataset,
        "first": page.rows[0][0],
        "last": page.last,
        "load": page.rows[-1][1],
        "columns": names,
        "rows": [row[2:] for row in page.rows],
    }
    return _encoder.encode({"type": "elements.sharing.rows", "timestamp": time, "data": data})


def secret(key: bytes) -> str:
    """A key as receivers are told it."""
    return "whsec_" + base64.b64encode(key).decode()


def headers(identifier: str, stamp: int, content: bytes, key: bytes, cryptography: Cryptography) -> dict[str, str]:
    """The headers of a message: its id, when it is sent (Unix seconds), and the signatures v1 (HMAC) and v1a (Ed25519)."""
    signed = f"{identifier}.{stamp}.".encode() + content
    first = base64.b64encode(digest(key, signed, "sha256")).decode()
    second = base64.b64encode(cryptography.suite("international").sign(signed)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(stamp),
        "webhook-signature": f"v1,{first} v1a,{second}",
    }


async def send(
    address: str, content: bytes, given: dict[str, str], proof: Proof | None, seconds: float, allowed: Sequence[str]
) -> None:
    """POST it; raises Refused unless the answer is 2xx."""
    import httpx

    url, host = await resolve(address, allowed)
    more: dict[str, Any] = {}
    if proof is not None:
        more = {"mumian-proof": base64.urlsafe_b64encode(_encoder.encode(proof.bundle())).decode()}
    name = host.rsplit(":", 1)[0].strip("[]")
    try:
        async with httpx.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False) as client:
            extensions = {"sni_hostname": name} if url.startswith("https") else {}
            answer = await client.post(url, content=content, headers={**given, **more, "host": host}, extensions=extensions)
    except httpx.HTTPError as error:
        raise Refused(f"{type(error).__name__}: {str(error)[:150]}") from error
    if not 200 <= answer.status_code < 300:
        raise Refused(f"HTTP {answer.status_code}")


def fingerprint(content: bytes) -> str:
    """SHA-256 in hexadecimal: the request digest of what is sent unasked."""
    return sha256(content).hexdigest()
