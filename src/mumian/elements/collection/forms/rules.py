"""Rules of forms: whether a value may stand in a field.

Check digits: GB 11643-1999 (citizen identification number, ISO 7064 MOD 11-2) and GB 32100-2015 (unified social credit code,
MOD 31-3).
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from mumian.elements.catalog.kinds import CodeListSpec, ElementSpec, FieldSpec

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PHONE = re.compile(r"(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]?[2-8]\d{6,7}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,63}")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Z][A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
)
_LONGEST = 20_000
_NAMES = {
    "id-card": "GB 11643",
    "credit-code": "GB 32100",
    "phone": "13800000000",
    "email": "name@example.org",
    "plate": "粤A12345",
}
Wrong = tuple[str, dict[str, Any]]


def id_card(text: str) -> bool:
    """Whether a text is a citizen identification number: 18 characters, a day that was, and the right check character."""
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", text):
        return False
    try:
        datetime.strptime(text[6:14], "%Y%m%d")  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False
    return "10X98765432"[sum(w * int(c) for w, c in zip(_WEIGHTS, text, strict=False)) % 11] == text[17]


def credit_code(text: str) -> bool:
    """Whether a text is a unified social credit code: 18 characters of its alphabet with the right check character."""
    if not re.fullmatch(rf"[159AEYNX][{_CREDIT}]\d{{6}}[{_CREDIT}]{{10}}", text):
        return False
    total = sum(pow(3, i, 31) * _CREDIT.index(c) for i, c in enumerate(text[:17]))
    return _CREDIT[(31 - total % 31) % 31] == text[17]


def fits(check: str, text: str) -> bool:
    """Whether a text has the form of that name; a form that is not known here is no hindrance."""
    match check:
        case "id-card":
            return id_card(text)
        case "credit-code":
            return credit_code(text)
        case "phone":
            return _PHONE.fullmatch(text) is not None
        case "email":
            return _EMAIL.fullmatch(text) is not None
        case "plate":
            return _PLATE.fullmatch(text) is not None
    return True


def wrong(
    field: FieldSpec, value: Any, element: ElementSpec | None, codes: CodeListSpec | None, check: str | None, today: date
) -> Wrong | None:
    """What is wrong with a value that is there: the translation key with its values; None when all is well.

    `check` and the element's format name a checked form; the element's pattern is looked at by who has an engine for it.
    """
    typed = _type_fault(field.type, value)
    if typed is not None:
        return "field.type", {"expected": typed}
    for name in (check, element.format if element is not None else None):
        if name is not None and not fits(name, str(value)):
            return "collection.form.check", {"expected": _NAMES.get(name, name)}
    if codes is not None:
        known = {each.code: each for each in codes.codes}
        code = known.get(str(value))
        if code is None:
            return "field.choice", {"expected": ", ".join(list(known)[:20]) + ("…" if len(known) > 20 else "")}
        if (code.since and today < code.since) or (code.until and today > code.until):
            return "collection.form.code", {"code": code.code}
    return None


def _type_fault(kind: str, value: Any) -> str | None:
    match kind:
        case "integer":
            good = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
            return None if good else "a whole number"
        case "number":
            good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            return None if good else "a number"
        case "boolean":
            return None if isinstance(value, bool) else "true / false"
        case "date":
            return None if _parsed(value, date) else "2024-01-02"
        case "time":
            return None if _parsed(value, datetime) else "2024-01-02T03:04:05Z"
        case "json":
            return None if len(json.dumps(value)) <= _LONGEST else f"≤ {_LONGEST}"
    good = isinstance(value, str) and "\0" not in value and len(value) <= _LONGEST
    return None if good else f"text, ≤ {_LONGEST}"


def _parsed(value: Any, kind: type[date]) -> bool:
    if not isinstance(value, str) or len(value) > 40:
        return False
    try:
        found = kind.fromisoformat(value)
    except ValueError:
        return False
    return not isinstance(found, datetime) or found.tzinfo is not None


def same(given: Any, known: Any, kind: str) -> bool:
    """Whether a value that was sent is the one that is known."""
    if kind == "time" and isinstance(given, str) and isinstance(known, str):
        try:
            return datetime.fromisoformat(given) == datetime.fromisoformat(known)
        except (ValueError, TypeError):
            return given == known
    return bool(given == known)


def preferred(known: Mapping[str, Any], order: list[str]) -> str | None:
    """Of the datasets that know a value the first in order."""
    return next((name for name in order if name in known and known[name] is not None), None)
