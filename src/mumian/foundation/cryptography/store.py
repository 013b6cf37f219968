"""Private keys on disk: made once, readable by the city's own user only, never logged."""

import base64
import binascii
import os
from collections.abc import Callable
from pathlib import Path

from mumian.foundation.cryptography.errors import BadKey
from mumian.foundation.cryptography.service import pem

_LABEL = "PRIVATE KEY"


def load_or_create(
    file: Path, generate: Callable[[], bytes], to_der: Callable[[bytes], bytes], from_der: Callable[[bytes], bytes | None]
) -> bytes:
    """The secret in `file`, made with mode 0600 when there is none; of two that start at once, the first one makes it."""
    if not file.exists():
        _create(file, pem(_LABEL, to_der(generate())).encode())
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
    try:
        lines = file.read_text("ascii").split("\n")
        der = base64.b64decode("".join(lines[1:-2]), validate=True)
    except (UnicodeDecodeError, binascii.Error):
        raise BadKey(file=str(file)) from None
    secret = from_der(der)
    if secret is None or pem(_LABEL, to_der(secret)) != "\n".join(lines):
        raise BadKey(file=str(file))
    return secret


def _create(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink()
