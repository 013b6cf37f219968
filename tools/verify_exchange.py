"""Verifies a delivery of an exchange job offline, with nothing but Python and the package `cryptography`.

python verify_exchange.py FOLDER KEY.pem [KEY.pem …] checks every file of the folder against its manifest, the manifest's sums,
and a signature by every key. The keys must reach you by another way than the delivery.
"""

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from hashlib import new
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

P, N = 2**256 - 2**224 - 2**96 + 2**64 - 1, 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A, B = P - 3, 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0


def add(p: tuple[int, int] | None, q: tuple[int, int] | None) -> tuple[int, int] | None:
    if p is None or q is None or (p[0] == q[0] and (p[1] + q[1]) % P == 0):
        return None if p and q else p or q
    slope = (3 * p[0] ** 2 + A) * pow(2 * p[1], -1, P) if p == q else (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    return (x := (slope * slope - p[0] - q[0]) % P), (slope * (p[0] - x) - p[1]) % P


def sm2(key: bytes, message: bytes, signature: bytes) -> bool:
    """GB/T 32918.2-2016 §7.1 with the user id 1234567812345678."""
    (r, s), x, y = decode_dss_signature(signature), int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    identity = b"\x00\x801234567812345678" + b"".join(v.to_bytes(32, "big") for v in (A, B, GX, GY, x, y))
    digest, total = new("sm3", new("sm3", identity).digest() + message).digest(), None
    for bit in reversed(range(256)):
        total = add(add(total, total), (GX, GY) if s >> bit & 1 else None)
        total = add(total, (x, y) if (r + s) % N >> bit & 1 else None)
    sound = 0 < r < N and 0 < s < N and (r + s) % N and (y * y - x**3 - A * x - B) % P == 0
    return bool(sound and total and (int.from_bytes(digest, "big") + total[0]) % N == r)


def signed(message: bytes, signatures: list[dict[str, Any]], key: bytes) -> bool:
    given = {one["algorithm"]: base64.b64decode(one["value"]) for one in signatures}
    if len(key) != 44:
        return sm2(key[-65:], message, given["sm2-sm3"])
    Ed25519PublicKey.from_public_bytes(key[-32:]).verify(given["ed25519"], message)
    return True


def digest_of(file: Path, algorithm: str) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def checks(folder: Path, keys: list[bytes]) -> Iterator[tuple[str, bool]]:
    content = (folder / "manifest.json").read_bytes()
    signatures = json.loads((folder / "signatures.json").read_bytes())
    manifest = json.loads(content)
    yield "the format is mumian-exchange/1", manifest["format"] == "mumian-exchange/1"
    files = [*manifest["parts"], *manifest["faults"]]
    for one in files:
        file = folder / one["name"]
        plain = file.name == one["name"] and file.is_file() and not file.is_symlink()
        sound = plain and file.stat().st_size == one["bytes"] and digest_of(file, manifest["algorithm"]) == one["digest"]
        yield f"{one['name']}: {one['bytes']:,} bytes, {one['rows']:,} rows", sound
    known = {"manifest.json", "signatures.json", *(one["name"] for one in files)}
    yield "nothing else is there", {file.name for file in folder.iterdir()} == known
    lines = "".join(f"{part['digest']}  {part['name']}\n" for part in manifest["parts"])
    yield (
        f"the digest of all parts is {manifest['digest']}",
        new(manifest["algorithm"], lines.encode()).hexdigest() == manifest["digest"],
    )
    written = sum(part["rows"] for part in manifest["parts"])
    yield (
        f"{manifest['read']:,} read = {written:,} written + {manifest['rejected']:,} rejected",
        (written == manifest["written"] and manifest["read"] == written + manifest["rejected"]),
    )
    for key in keys:
        yield f"signed by {'ed25519' if len(key) == 44 else 'sm2-sm3'}", signed(content, signatures, key)


if __name__ == "__main__":
    name, *pems = sys.argv[1:] or sys.exit(__doc__)
    keys = [base64.b64decode("".join(ln for ln in Path(pem).read_text().splitlines() if "-" not in ln)) for pem in pems]
    try:
        results = [*checks(Path(name), keys), ("there is a key to verify with", bool(keys))]
    except (InvalidSignature, ValueError, LookupError, TypeError, OSError) as error:
        sys.exit(f"FAILED: {error!r}")
    print(*(f"{'ok' if sound else 'FAILED':6} {what}" for what, sound in results), sep="\n")
    sys.exit(0 if all(sound for _, sound in results) else 1)
