"""Rules of licences: identifiers, digests, states, and what is shown of a holder.

Identifiers are formed after GB/T 36904-2018: root, type, issuer, serial number, version and a check character by ISO/IEC 7064
MOD 37,36 (GB/T 17710), with dots between.
"""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any, Literal

from mumian.kernel.unit_of_work import encode

State = Literal["valid", "suspended", "revoked", "superseded", "expired", "not_yet"]
Step = Literal["suspend", "restore", "revoke"]
ROOT = "1.2.156.3005.2"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "suspend": (("valid",), "suspended"),
    "restore": (("suspended",), "valid"),
    "revoke": (("valid", "suspended"), "revoked"),
    "renew": (("valid",), "superseded"),
}


def identifier(type_code: str, issuer_code: str, serial: int, version: int) -> str:
    """The identifier of a licence; the check character is over all characters of its parts but the root."""
    parts = [type_code, issuer_code, f"{serial:08d}", f"{version:03d}"]
    return ".".join([ROOT, *parts, check_character("".join(parts))])


def check_character(text: str) -> str:
    """The check character by ISO/IEC 7064 MOD 37,36 of letters and digits."""
    product = 36
    for character in text:
        total = (product + _DIGITS.index(character)) % 36 or 36
        product = total * 2 % 37
    return _DIGITS[(37 - product) % 36]


def proves_itself(found: str) -> bool:
    """Whether an identifier has the right form and check character."""
    parts = found.removeprefix(f"{ROOT}.").split(".")
    known = found.startswith(f"{ROOT}.") and len(parts) == 5
    return known and all(c in _DIGITS for c in "".join(parts)) and check_character("".join(parts[:4])) == parts[4]


def code_of(random: bytes) -> str:
    """A verification code of 20 characters (100 bits) out of 20 random bytes, without letters that look like digits."""
    return "".join(_CODE[byte & 31] for byte in random)


def digest(content: Mapping[str, Any]) -> str:
    """The SHA-256, in hexadecimal, of what a licence says as canonical JSON: keys sorted, no spaces, UTF-8."""
    return sha256(encode(dict(content))).hexdigest()


def state_on(status: str, valid_from: str, valid_to: str | None, day: str) -> str:
    """The state of a licence on a day (ISO): what was decided of it, and else whether the day is within its time."""
    if status != "valid":
        return status
    if day < valid_from:
        return "not_yet"
    return "expired" if valid_to is not None and day > valid_to else "valid"


def until(valid_from: date, months: int | None) -> date | None:
    """The last day of a licence that is valid for so many months: the day before the same day of that month."""
    if months is None:
        return None
    year, month = divmod(valid_from.month - 1 + months, 12)
    first = date(valid_from.year + year, month + 1, 1)
    following = date(first.year + month // 11, (month + 1) % 12 + 1, 1)
    last = (following - first).days
    return date.fromordinal(first.toordinal() + min(valid_from.day, last) - 1 - 1)


def masked(value: str, first: int = 1, last: int = 0) -> str:
    """A value with stars in place of all but its beginning and end; nothing else of a short one."""
    if len(value) <= first + last:
        return "****"
    return f"{value[:first]}****{value[len(value) - last :] if last else ''}"
