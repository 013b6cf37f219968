"""What cryptography hands out: signatures, public keys, and the provider port behind which a certified card may stand."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Signature:
    """A signature: `value` is base64 of 64 raw bytes for `ed25519` (RFC 8032), of a DER sequence (r, s) for `sm2-sm3`."""

    algorithm: str
    key_id: str
    value: str


@dataclass(frozen=True)
class PublicKey:
    """A public key to give away: `value` is hexadecimal (32 bytes for Ed25519; 04‖x‖y for SM2), `pem` the usual file form.

    `key_id` is the first 16 hexadecimal digits of the SHA-256 of the key's bytes.
    """

    algorithm: str
    key_id: str
    value: str
    pem: str


class Provider(Protocol):
    """One suite with its own key: `international` (SHA-256, Ed25519) or `national` (SM3, SM2)."""

    suite: str
    algorithm: str
    public_key: bytes

    def public_pem(self) -> str:
        """The public key as a PEM file."""
        ...

    def digest(self, data: bytes) -> bytes:
        """The suite's 32-byte digest of `data`."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign `message` with the provider's private key, which never leaves it."""
        ...

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` over `message` is by `public_key`; false, never an error, for malformed input."""
        ...
