"""Private keys on disk: made once, readable by the city's own user only, never logged, never replaced once they have signed."""

import base64
import binascii
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from mumian.foundation.cryptography.errors import BadKey, LostKey
from mumian.foundation.cryptography.service import pem

_LABEL = "PRIVATE KEY"


class KeyFolder:
    """A folder of key files, and beside it the file `….signed`, which names the keys that have signed something.

    The names lie outside of the folder so that a folder that is lost as a whole is noticed, too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marker = folder.with_name(f"{folder.name}.signed")
        self._signed = self._read_marker()

    def load_or_create(
        self,
        name: str,
        generate: Callable[[], bytes],
        to_der: Callable[[bytes], bytes],
        from_der: Callable[[bytes], bytes | None],
    ) -> bytes:
        """The secret of the key `name`, made with mode 0600 when there is none; of two that start at once, the first makes it.

        Raises LostKey when there is none although it has signed, BadKey when the file is damaged.
        """
        file = self._folder / f"{name}.pem"
        if not file.exists():
            if name in self._signed:
                raise self._lost(name)
            _create(file, pem(_LABEL, to_der(generate())).encode())
        if file.stat().st_mode & 0o077:
            file.chmod(0o600)
        try:
            lines = file.read_text("ascii").split("\n")
            der = base64.b64decode("".join(lines[1:-2]), validate=True)
        except (UnicodeDecodeError, binascii.Error):
            raise BadKey(file=str(file), marker=str(self._marker)) from None
        secret = from_der(der)
        if secret is None or pem(_LABEL, to_der(secret)) != "\n".join(lines):
            raise BadKey(file=str(file), marker=str(self._marker))
        return secret

    def check(self, keys: Mapping[str, str]) -> None:
        """Raise LostKey unless the keys that have signed are the present ones, given as key ids by name."""
        for name, key_id in keys.items():
            if self._signed.get(name, key_id) != key_id:
                raise self._lost(name)

    def mark(self, keys: Mapping[str, str]) -> None:
        """Note, durably, that these keys sign from now on."""
        if self._signed != keys:
            content = "".join(f"{name} {key_id}\n" for name, key_id in sorted(keys.items()))
            _place(self._marker, content.encode(), Path.replace)
            self._signed = dict(keys)

    def _lost(self, name: str) -> LostKey:
        return LostKey(file=str(self._folder / f"{name}.pem"), key_id=self._signed[name], marker=str(self._marker))

    def _read_marker(self) -> dict[str, str]:
        if not self._marker.exists():
            return {}
        lines = [line.split() for line in self._marker.read_text("utf-8", "replace").splitlines()]
        return {line[0]: line[1] for line in lines if len(line) == 2}


def _create(file: Path, content: bytes) -> None:
    if not file.parent.is_dir():
        file.parent.mkdir(parents=True)
        _sync(file.parent.parent)
    file.parent.chmod(0o700)
    with suppress(FileExistsError):
        _place(file, content, os.link)


def _place(file: Path, content: bytes, into: Callable[[Path, Path], object]) -> None:
    """Write a file as a whole and durably, readable by its owner only; a draft that a crash left behind is in nobody's way."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        into(draft, file)
        _sync(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
