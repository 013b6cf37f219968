"""Formats: how values are written, as vectorised SQL; checksums are computed on halves of a number, not digit by digit.

GB 11643-1999 (identity number, ISO 7064 MOD 11-2), GB 32100-2015 (unified social credit code, MOD 31), ISO/IEC 7812-1 Annex B
(bank card, Luhn), GA 36-2018 (plates), the ministry's numbering plan (phones), ISO 8601 (dates and times).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOBILE = r"1[3-9]\d{9}"
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PROVINCES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
_PATTERNS = {
    "phone": r"(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|(\(0\d{2,3}\)|0\d{2,3}[- ]?)[2-8]\d{6,7}([- ]\d{1,6})?",
    "mobile": MOBILE,
    "email": r"[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+",
    "plate": r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z]"
    r"([A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳]|[DFABCEGHJK][A-HJ-NP-Z0-9]\d{4}|\d{5}[DFABCEGHJK])",
    "postcode": r"[0-8]\d{5}",
    "url": r"https?://[^\s/?#]+([/?#]\S*)?",
}


@dataclass(frozen=True)
class Written:
    """How a format is tested: `parts` are columns to be computed first (name and SQL), `ok` is true for what is well written.

    `ok` is never NULL for a text that is there.
    """

    parts: tuple[tuple[str, str], ...]
    ok: str


def literal(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def written(format_: str, v: str, prefix: str) -> Written:
    """The test of a named format on the text expression `v`; names of parts begin with `prefix`."""
    special = _SPECIAL.get(format_)
    return special(v, prefix) if special is not None else matching(_PATTERNS[format_], v)


def matching(pattern: str, v: str) -> Written:
    """The test that whole values match a regular expression (RE2)."""
    return Written((), f"regexp_full_match({v}, {literal(pattern)})")


def _digit_sum(name: str, weights: Sequence[int], modulus: int) -> str:
    """The weighted sum of the digits of the whole number `name` (of as many digits as weights), up to a multiple of `modulus`.

    A digit is the difference of two quotients, d_i = q_i − 10 q_{i−1}, so that one division for each digit is enough.
    """
    terms, count = [], len(weights)
    for i, weight in enumerate(weights):
        factor = (weight - 10 * weights[i + 1] if i + 1 < count else weight) % modulus
        divisor = 10 ** (count - 1 - i)
        terms.append(f"{factor} * ({name} // {divisor})::BIGINT" if divisor > 1 else f"{factor} * {name}::BIGINT")
    return " + ".join(terms)


def _id_card(v: str, prefix: str) -> Written:
    """18 characters, a province, a day of the calendar of 1800 to 2099, and the check character; `x` counts as `X`."""
    a, b = f"{prefix}a", f"{prefix}b"
    year = f"({a} % 1000 * 10 + ({b} // 10000000) % 10)"
    month, day = f"(({b} // 100000) % 100)", f"(({b} // 1000) % 100)"
    leap = f"({year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0))"
    last = f"CASE WHEN {month} = 2 THEN CASE WHEN {leap} THEN 29 ELSE 28 END WHEN {month} IN (4, 6, 9, 11) THEN 30 ELSE 31 END"
    check = f"CASE WHEN substr({v}, 18, 1) IN ('X', 'x') THEN 10 ELSE TRY_CAST(substr({v}, 18, 1) AS INTEGER) END"
    digits = _digit_sum(a, _ID_WEIGHTS[:9], 11) + " + " + _digit_sum(f"({b} - 100000000)", _ID_WEIGHTS[9:], 11)
    provinces = ", ".join(_PROVINCES.split())
    ok = (
        f"length({v}) = 18 AND {a} BETWEEN 100000000 AND 999999999 AND {b} BETWEEN 100000000 AND 199999999 "
        f"AND {a} // 10000000 IN ({provinces}) AND NOT contains({v}, 'e') AND NOT contains({v}, 'E') "
        f"AND {year} BETWEEN 1800 AND 2099 AND {month} BETWEEN 1 AND 12 AND {day} BETWEEN 1 AND {last} "
        f"AND ({digits} + {check}) % 11 = 1"
    )
    # The casts read exponents and hexadecimals, too: the bounds and the leading 1 leave none of them.
    first = f"TRY_CAST(CASE WHEN substr({v}, 2, 1) BETWEEN '0' AND '9' THEN substr({v}, 1, 9) END AS INTEGER)"
    return Written(((a, first), (b, f"TRY_CAST('1' || substr({v}, 10, 8) AS INTEGER)")), f"coalesce({ok}, false)")


def _credit_code(v: str, prefix: str) -> Written:
    """A registering authority, a category, six digits of a region, nine characters of the organisation, the check character."""
    head, tail = f"{prefix}h", f"{prefix}t"
    places = [(f"substr({head}, {i}, 1)", pow(3, i - 1, 31)) for i in (1, 2)]
    places += [(f"substr({tail}, {i - 8}, 1)", pow(3, i - 1, 31)) for i in range(9, 18)]
    letters = " + ".join(f"{weight} * (strpos('{_CREDIT}', {at}) - 1)" for at, weight in places)
    region = f"{prefix}r"
    digits = _digit_sum(f"({region} - 1000000)", [pow(3, i - 1, 31) for i in range(3, 9)], 31)
    check = f"(strpos('{_CREDIT}', substr({tail}, 10, 1)) - 1)"
    shape = r"[159AEYNX][0-9A-HJ-NP-RTUWXY]\d{6}[0-9A-HJ-NP-RTUWXY]{10}"
    ok = f"regexp_full_match({v}, '{shape}') AND ({letters} + {digits} + {check}) % 31 = 0"
    parts = (
        (head, f"substr({v}, 1, 2)"),
        (tail, f"substr({v}, 9, 10)"),
        (region, f"TRY_CAST('1' || substr({v}, 3, 6) AS INTEGER)"),
    )
    return Written(parts, f"coalesce({ok}, false)")


def _bank_card(v: str, prefix: str) -> Written:
    """16 to 19 digits that pass Luhn's test, looked up two digits at a time."""
    high, low = f"{prefix}h", f"{prefix}l"
    pairs = ", ".join(str(first * 2 - (9 if first > 4 else 0) + second) for first in range(10) for second in range(10))
    terms = [
        f"list_extract([{pairs}], ({half} // {100**i}) % 100 + 1)"
        for half in (f"({high} - 10000000000)", f"({low} - 10000000000)")
        for i in range(5)
    ]
    ok = f"regexp_full_match({v}, '[1-9]\\d{{15,18}}') AND ({' + '.join(terms)}) % 10 = 0"
    padded = f"lpad({v}, 20, '0')"
    parts = (
        (high, f"TRY_CAST('1' || substr({padded}, 1, 10) AS BIGINT)"),
        (low, f"TRY_CAST('1' || substr({padded}, 11, 10) AS BIGINT)"),
    )
    return Written(parts, f"coalesce({ok}, false)")


def _mobile(v: str, _: str) -> Written:
    return Written((), _quick_mobile(v))


def _phone(v: str, _: str) -> Written:
    """Most phones are plain mobile numbers: only the others are matched against the pattern."""
    return Written((), f"CASE WHEN {_quick_mobile(v)} THEN true ELSE regexp_full_match({v}, {literal(_PATTERNS['phone'])}) END")


def _quick_mobile(v: str) -> str:
    number = f"TRY_CAST(CASE WHEN length({v}) = 11 THEN {v} END AS BIGINT)"
    return f"coalesce({number} BETWEEN 13000000000 AND 19999999999 AND NOT contains({v}, 'e') AND NOT contains({v}, 'E'), false)"


def _date(v: str, _: str) -> Written:
    day = f"regexp_full_match({v}, '\\d{{4}}-\\d{{2}}-\\d{{2}}') AND TRY_CAST({v} AS DATE) IS NOT NULL"
    basic = f"regexp_full_match({v}, '\\d{{8}}') AND try_strptime({v}, '%Y%m%d') IS NOT NULL"
    return Written((), f"({day} OR {basic})")


def _time(v: str, _: str) -> Written:
    shape = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?"
    return Written((), f"(regexp_full_match({v}, '{shape}') AND TRY_CAST({v} AS TIMESTAMPTZ) IS NOT NULL)")


_SPECIAL: dict[str, Callable[[str, str], Written]] = {
    "id_card": _id_card,
    "credit_code": _credit_code,
    "bank_card": _bank_card,
    "mobile": _mobile,
    "phone": _phone,
    "date": _date,
    "time": _time,
}
