"""Verifies an evidence bundle of a Mumian ledger offline, with nothing but Python and the package `cryptography`.

python verify_ledger.py BUNDLE.json KEY.pem [KEY.pem …] checks the proofs of RFC 9162 and a signature by every key on every
head. The keys must reach you by another way than the bundle; compare the earlier root with one that you kept.
"""

import base64
import json
import sys
from collections.abc import Iterable, Iterator
from hashlib import new, sha256
from itertools import product
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

P, N = 2**256 - 2**224 - 2**96 + 2**64 - 1, 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A, B = P - 3, 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0


def climb(here: int, last: int, path: Iterable[bytes], start: bytes) -> tuple[bytes, bytes] | None:
    """The older and the newer root that a path leads to (RFC 9162 §2.1.3.2, §2.1.4.2)."""
    old = young = start
    for step in path:
        if last == 0:
            return None
        if here & 1 or here == last:
            old, young = (sha256(b"\x01" + step + right).digest() for right in (old, young))
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            young = sha256(b"\x01" + young + step).digest()
        here, last = here >> 1, last >> 1
    return (old, young) if last == 0 else None


def continues(first: dict[str, Any], second: dict[str, Any], path: list[str]) -> bool:
    here, last, hashes = first["size"] - 1, second["size"] - 1, [bytes.fromhex(step) for step in path]
    if not 0 <= here < last:
        return False
    hashes = [bytes.fromhex(first["root"]), *hashes] if here & (here + 1) == 0 else hashes
    while here & 1:
        here, last = here >> 1, last >> 1
    return climb(here, last, hashes[1:], hashes[0]) == (bytes.fromhex(first["root"]), bytes.fromhex(second["root"]))


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


def signed(head: dict[str, Any], key: bytes) -> bool:
    message = f"{head.get('tree', 'mumian-ledger-head/1')}\n{head['size']}\n{head['root']}\n{head['time']}\n".encode()
    given = {s["algorithm"]: base64.b64decode(s["value"]) for s in head["signatures"]}
    if len(key) != 44:
        return sm2(key[-65:], message, given["sm2-sm3"])
    Ed25519PublicKey.from_public_bytes(key[-32:]).verify(given["ed25519"], message)
    return True


def checks(bundle: dict[str, Any], keys: list[bytes]) -> Iterator[tuple[str, bool]]:
    head, earlier, entry = bundle["head"], bundle.get("earlier"), json.loads(body := bundle["entry"]["body"])
    roots = climb(entry["seq"], head["size"] - 1, map(bytes.fromhex, bundle["path"]), sha256(b"\x00" + body.encode()).digest())
    included = 0 <= entry["seq"] < head["size"] and roots is not None and roots[1].hex() == head["root"]
    yield f"entry {entry.get('number', entry['seq'])} is in the tree of {head['size']}, root {head['root']}", included
    yield "its payload is sound", "payload" not in bundle or sha256(bundle["payload"].encode()).hexdigest() == entry["payload"]
    if earlier:
        yield f"it continues tree {earlier['size']}, root {earlier['root']}", continues(earlier, head, bundle["earlier_path"])
    for one, key in product((head, earlier) if earlier else (head,), keys):
        yield f"the tree of {one['size']} is signed by {'ed25519' if len(key) == 44 else 'sm2-sm3'}", signed(one, key)


if __name__ == "__main__":
    bundle, *pems = [Path(name).read_text("utf-8") for name in sys.argv[1:]] or sys.exit(__doc__)
    keys = [base64.b64decode("".join(line for line in pem.splitlines() if "-" not in line)) for pem in pems]
    try:
        results = [*checks(json.loads(bundle), keys), ("there is a key to verify with", bool(keys))]
    except (InvalidSignature, ValueError, LookupError, TypeError) as error:
        sys.exit(f"FAILED: {error!r}")
    print("\n".join(f"{'ok' if true else 'FAILED'}: {what}" for what, true in results))
    sys.exit(not all(true for _, true in results))
