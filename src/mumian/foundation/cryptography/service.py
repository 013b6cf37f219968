"""The two suites in software: SHA-256 with Ed25519, and SM3 with SM2 (`cryptography` knows SM3 but not SM2)."""

import base64
import secrets
from hashlib import sha256

from mumian.foundation.cryptography import rules

_SM2_PRIVATE = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_SM2_PRIVATE_TAIL = bytes.fromhex("a144034200")
_SM2_PUBLIC = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_ED25519_PRIVATE = bytes.fromhex("302e020100300506032b657004220420")
_ED25519_PUBLIC = bytes.fromhex("302a300506032b6570032100")


class International:
    """SHA-256 and Ed25519 (RFC 8032)."""

    suite = "international"
    algorithm = "ed25519"

    def __init__(self, secret: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self.public_key = self._private.public_key().public_bytes_raw()

    @staticmethod
    def generate() -> bytes:
        """Draw a new private key."""
        return secrets.token_bytes(32)

    @staticmethod
    def private_der(secret: bytes) -> bytes:
        """The PKCS #8 form of a private key (RFC 8410)."""
        return _ED25519_PRIVATE + secret

    @staticmethod
    def private_from_der(der: bytes) -> bytes | None:
        """Read the PKCS #8 form; None when it is not one."""
        prefix = len(_ED25519_PRIVATE)
        return der[prefix:] if der[:prefix] == _ED25519_PRIVATE and len(der) == prefix + 32 else None

    def public_pem(self) -> str:
        """The public key as a PEM file."""
        return pem("PUBLIC KEY", _ED25519_PUBLIC + self.public_key)

    def digest(self, data: bytes) -> bytes:
        """SHA-256."""
        return sha256(data).digest()

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message."""
        return self._private.sign(message)

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the signature is by that key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class National:
    """SM3 (GB/T 32905) and SM2 (GB/T 32918.2) with the usual user id 1234567812345678 (GM/T 0009)."""

    suite = "national"
    algorithm = "sm2-sm3"

    def __init__(self, secret: bytes) -> None:
        self._private = int.from_bytes(secret, "big")
        self._public = rules.public_point(self._private)
        self.public_key = _uncompressed(self._public)

    @staticmethod
    def generate() -> bytes:
        """Draw a new private key in [1, n-2]."""
        return (secrets.randbelow(rules.N - 2) + 1).to_bytes(32, "big")

    @staticmethod
    def private_der(secret: bytes) -> bytes:
        """The PKCS #8 form of a private key, as OpenSSL writes it."""
        public = rules.public_point(int.from_bytes(secret, "big"))
        return _SM2_PRIVATE + secret + _SM2_PRIVATE_TAIL + _uncompressed(public)

    @staticmethod
    def private_from_der(der: bytes) -> bytes | None:
        """Read the PKCS #8 form; None when it is not one or the number is out of range."""
        secret = der[len(_SM2_PRIVATE) : len(_SM2_PRIVATE) + 32]
        number = int.from_bytes(secret, "big")
        valid = der[: len(_SM2_PRIVATE)] == _SM2_PRIVATE and len(secret) == 32 and 0 < number < rules.N - 1
        return secret if valid else None

    def public_pem(self) -> str:
        """The public key as a PEM file."""
        return pem("PUBLIC KEY", _SM2_PUBLIC + self.public_key)

    def digest(self, data: bytes) -> bytes:
        """SM3."""
        return _sm3(data)

    def sign(self, message: bytes) -> bytes:
        """A DER sequence (r, s), another one each time."""
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        number = rules.message_digest(_sm3, self._public, message)
        signature = None
        while signature is None:
            signature = rules.sign(self._private, number, secrets.randbelow(rules.N - 1) + 1)
        return encode_dss_signature(*signature)

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the signature is by that key."""
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

        if len(public_key) != 65 or public_key[0] != 4:
            return False
        point = (int.from_bytes(public_key[1:33], "big"), int.from_bytes(public_key[33:], "big"))
        try:
            pair = decode_dss_signature(signature)
        except ValueError:
            return False
        if encode_dss_signature(*pair) != signature or not rules.on_curve(point):
            return False
        return rules.verify(point, rules.message_digest(_sm3, point, message), pair)


def key_id(public_key: bytes) -> str:
    """The short name of a public key: 16 hexadecimal digits of its SHA-256."""
    return sha256(public_key).hexdigest()[:16]


def pem(label: str, der: bytes) -> str:
    """Wrap DER as PEM (RFC 7468)."""
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def _uncompressed(point: rules.Point) -> bytes:
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _sm3(data: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    digest = Hash(SM3())
    digest.update(data)
    return digest.finalize()
