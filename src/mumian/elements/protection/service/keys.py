"""Keys of tokens: derived by name from one master key that is made at first use and never leaves the home."""

import os
from contextlib import suppress
from hashlib import sha256
from hmac import digest
from pathlib import Path

_BLOCK = 64
_BYTES = 32


class TokenKeys:
    """`key(name)` is the same for the same name in one city, and says nothing about any other key."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "protection-tokens.key"
        self._master: bytes | None = None

    def key(self, name: str) -> bytes:
        """The 32-byte key of that name."""
        return digest(self._secret(), b"mumian token key\x00" + name.encode(), "sha256")

    def padded(self, name: str) -> tuple[bytes, bytes]:
        """The inner and the outer key block of HMAC-SHA-256 (RFC 2104, section 2)."""
        key = self.key(name).ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in key), bytes(byte ^ 0x5C for byte in key)

    def token(self, name: str, value: str) -> str:
        """The token of a text under a key: HMAC-SHA-256 in hexadecimal, as the gate computes it in SQL."""
        return digest(self.key(name), value.encode(), "sha256").hex()

    def _secret(self) -> bytes:
        if self._master is None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._file.exists():
                self._make()
            self._master = self._file.read_bytes()
            if len(self._master) != _BYTES:
                raise ValueError(f"{self._file} is damaged; put back the copy of your backup")
        return self._master

    def _make(self) -> None:
        draft = self._file.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(os.urandom(_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(draft, self._file)
        draft.unlink(missing_ok=True)


def short(data: bytes) -> str:
    """The SHA-256 of some bytes in hexadecimal."""
    return sha256(data).hexdigest()
