"""Keys of objects: which are allowed, on every engine alike."""

import re

from mumian.kernel.errors import Invalid

_PART = re.compile(r"[\w.()+=@,-][\w .()+=@,-]{0,199}", re.UNICODE)
_LONGEST = 800


def check_key(key: str) -> str:
    """The key itself if it is safe on every engine; raises Invalid for anything that could leave the store or confuse it.

    A key is made of parts joined by `/`; a part has letters, digits, spaces and `. _ - ( ) + = @ ,`, is not `.` or `..`,
    does not end in a space, and has at most 200 characters. A whole key has at most 800 bytes in UTF-8.
    """
    parts = key.split("/")
    sound = all(_PART.fullmatch(part) and part not in (".", "..") and not part.endswith(" ") for part in parts)
    if not sound or len(key.encode("utf-8", "replace")) > _LONGEST or any(len(part.encode()) > 240 for part in parts):
        raise Invalid.field("key", "storage.key", given=ascii(key)[:100])
    return key


def check_prefix(prefix: str) -> str:
    """The prefix itself if some key could begin with it; raises Invalid."""
    if prefix:
        check_key(prefix.removesuffix("/") or "/")
    return prefix
