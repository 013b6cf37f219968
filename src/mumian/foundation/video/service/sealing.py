"""Sealing: addresses with credentials, readable by this city's own process only (AES-256-GCM, bound to the camera's code)."""

import base64
import os
from contextlib import suppress
from pathlib import Path

_NONCE = 12


class Seal:
    """Seals and opens texts with a key that is made at first use, mode 0600, and leaves the home with nobody."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "video-addresses.key"
        self._key: bytes | None = None

    def close(self, text: str, code: str) -> str:
        """The sealed text, another one each time."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self._secret()).encrypt(nonce, text.encode(), code.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, code: str) -> str:
        """The text; raises ValueError where it was sealed for another camera, by another key, or was changed."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        raw = base64.b64decode(sealed)
        try:
            return AESGCM(self._secret()).decrypt(raw[:_NONCE], raw[_NONCE:], code.encode()).decode()
        except InvalidTag:
            raise ValueError("the sealed address does not fit the key or the camera") from None

    def _secret(self) -> bytes:
        if self._key is None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._file.with_suffix(f".{os.getpid()}")
            with suppress(FileExistsError):
                if not self._file.exists():
                    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                    with os.fdopen(descriptor, "wb") as stream:
                        stream.write(os.urandom(32))
                        stream.flush()
                        os.fsync(stream.fileno())
                    os.link(draft, self._file)
            draft.unlink(missing_ok=True)
            self._key = self._file.read_bytes()
        return self._key
