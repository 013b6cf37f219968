"""Bodies of files: unpacked within a limit, decoded, and refused in plain words where they are not what they say."""

import zlib
from typing import Any

import msgspec

from mumian.foundation.buildings.errors import BadModel
from mumian.kernel.errors import Fault, TooLarge

_GZIP = b"\x1f\x8b"
_STEP = 1 << 20


def refused(reason: str) -> BadModel:
    """The error of a file that cannot be used, with the reason."""
    return BadModel(Fault("file", "buildings.unreadable", {"reason": reason}))


def unpacked(content: bytes, most: int) -> bytes:
    """The bytes themselves, or those of one gzip stream; raises TooLarge for more than `most`, BadModel for a damaged stream."""
    if not content:
        raise refused("it is empty")
    if not content.startswith(_GZIP):
        if len(content) > most:
            raise TooLarge(limit=f"{most} bytes")
        return content
    stream, made, rest = zlib.decompressobj(31), bytearray(), content
    try:
        while rest and not stream.eof:
            made += stream.decompress(rest, _STEP)
            rest = stream.unconsumed_tail
            if len(made) > most:
                raise TooLarge(limit=f"{most} bytes")
    except zlib.error as error:
        raise refused(f"its gzip stream is damaged ({error})") from error
    if not stream.eof:
        raise refused("its gzip stream ends too early")
    return bytes(made)


def decoded(content: bytes) -> Any:
    """JSON; raises BadModel with the place where it is broken."""
    try:
        return msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refused(f"it is no JSON: {error}") from error
    except RecursionError as error:
        raise refused("its JSON nests too deep") from error
