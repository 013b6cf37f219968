"""Addresses: where a camera's pictures come from, and what of it may be shown."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_SCHEMES = ("rtsp", "rtsps")
_MOST = 1000


@dataclass(frozen=True)
class Address:
    """`source` is rtsp or file; `shown` has neither credentials nor query; `whole` is to be sealed."""

    source: str
    shown: str
    whole: str


def parse(text: str) -> Address:
    """Read an address, `rtsp://…` or `file:name`; raises ValueError with the translation key of what is wrong."""
    if len(text) > _MOST or any(ord(c) < 33 or ord(c) == 127 for c in text):
        raise ValueError("video.address.characters")
    if text.startswith("file:"):
        name = text.removeprefix("file:")
        parts = name.split("/")
        if not name or name.startswith("/") or "\\" in name or any(part in ("", ".", "..") for part in parts):
            raise ValueError("video.address.file")
        return Address("file", text, text)
    try:
        split = urlsplit(text)
        host, port = split.hostname, split.port
    except ValueError:
        raise ValueError("video.address.scheme") from None
    if split.scheme not in _SCHEMES or not host:
        raise ValueError("video.address.scheme")
    return Address("rtsp", _shown(split, host, port), text)


def _shown(split: SplitResult, host: str, port: int | None) -> str:
    where = f"[{host}]" if ":" in host else host
    return f"{split.scheme}://{where}{f':{port}' if port else ''}{split.path}"
