"""Preparing: the standard forms in which values are compared; missing, placeholder and impossible values become None.

ID cards after GB 11643-1999 (15 digits are lengthened as it says), credit codes after GB 32100-2015. The table of characters
(traditional and variant to usual) and that of readings come from whoever calls: they are large, and not of our making.
"""

import re
from collections.abc import Mapping
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PLACEHOLDER = re.compile(
    r"(.)\1*|(12345678|87654321)\d*|无|暂无|不详|未知|不明|无名氏?|null|none|unknown|n/?a|test|测试", re.IGNORECASE
)
_NOT_WORD = re.compile(r"[^\w]+|_+")
_SPACE = re.compile(r"\s+")
_DAY = re.compile(r"(\d{4})\D{0,2}?(\d{1,2})\D?(\d{1,2})日?(?:[T ].*)?")
_PLAIN_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_LEGAL_FORM = re.compile(
    r"(股份有限公司|有限责任公司|有限公司|集团公司|分公司|子公司|公司|\(普通合伙\)|\(有限合伙\)|合伙企业|个体工商户|集团|"
    r"\b(co|company|ltd|limited|inc|corp|corporation|llc|plc|pty)\b\.?)",
    re.IGNORECASE,
)
_REGION = re.compile(r"^(中国|[一-龥]{2,8}?(省|自治区|市|区|县))+(?=[一-龥]{2})")
_FOLDS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))
# What surnames are read like, where it is not the usual reading of the character.
_SURNAMES = {
    "曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "区": "ou", "查": "zha", "任": "ren", "盖": "ge", "朴": "piao",
    "翟": "zhai", "尉": "wei", "覃": "qin", "乐": "yue", "华": "hua", "缪": "miao", "宁": "ning", "燕": "yan", "折": "she",
    "员": "yun", "长": "zhang", "种": "chong", "冼": "xian", "葛": "ge", "纪": "ji", "那": "na", "过": "guo", "祭": "zhai",
}  # fmt: skip
MOST = 400
Characters = Mapping[int, str]


def text(value: str) -> str | None:
    """Half-width, lower case, without signs and doubled spaces."""
    found = _SPACE.sub(" ", _NOT_WORD.sub(" ", half_width(value).casefold())).strip()[:MOST]
    return None if not found or (len(found) > 1 and _PLACEHOLDER.fullmatch(found)) else found


def name(value: str, usual: Characters) -> str | None:
    """A person's name: usual characters; no spaces between Chinese ones; one middle dot in names of several parts."""
    found = half_width(value).translate(usual).casefold()
    found = re.sub(r"[·•‧・.．]", "·", found)
    found = re.sub(r"[^\w·'-]+", " ", found).strip(" ·")
    if re.search(r"[一-龥]", found):
        found = found.replace(" ", "")
    return None if not found or (_PLACEHOLDER.fullmatch(found) and len(found) > 1 and not _doubled(found)) else found[:MOST]


def _doubled(found: str) -> bool:
    """Two equal characters may be a name (丽丽, 盼盼 as it is called at home); three are none."""
    return len(found) == 2 and found[0] == found[1] and "一" <= found[0] <= "龥"


def sound(value: str, readings: Characters) -> str:
    """Hanyu Pinyin without tones, a space between syllables; Latin letters stay."""
    if value.isascii():
        return value
    first = _SURNAMES.get(value[0])
    rest = value[1:].translate(readings) if first else value.translate(readings)
    return _SPACE.sub(" ", f"{first or ''} {rest}").strip()


def folded(value: str, sounds: str) -> str:
    """Sounds that many speakers do not tell apart made one: zh/z, ch/c, sh/s, -ng/-n, n/l at the beginning; Latin by Soundex."""
    if value.isascii():
        return " ".join(soundex(word) for word in sounds.split(" "))
    for first, second in _FOLDS:
        sounds = sounds.replace(first, second)
    return " ".join("l" + s[1:] if s.startswith("n") and len(s) > 1 else s for s in sounds.split(" "))


def soundex(word: str) -> str:
    """American Soundex (as of the National Archives) of a word; signs and digits are left out."""
    letters = [c for c in word.casefold() if "a" <= c <= "z"]
    if not letters:
        return word
    codes = {**dict.fromkeys("bfpv", "1"), **dict.fromkeys("cgjkqsxz", "2"), "d": "3", "t": "3", "l": "4", "m": "5", "n": "5"}
    codes["r"] = "6"
    found, last = letters[0], codes.get(letters[0], "")
    for letter in letters[1:]:
        code = codes.get(letter, "")
        if code and code != last:
            found += code
        if letter not in "hw":
            last = code
    return (found + "000")[:4]


def organisation(value: str, usual: Characters) -> str | None:
    """The name of an organisation without its region in front and its legal form; the whole name where nothing else is left."""
    whole = half_width(value).translate(usual).casefold()
    whole = re.sub(r"[^\w()]+", " ", whole).strip()
    whole = re.sub(r"(?<=[一-龥)]) | (?=[一-龥(])", "", whole)
    core = _LEGAL_FORM.sub("", whole)
    core = re.sub(r"\(.*?\)", lambda found: found[0][1:-1], core)
    core = _SPACE.sub(" ", re.sub(r"[()]", "", _REGION.sub("", core))).strip()
    found = core if len(core) > 1 else re.sub(r"[()]", "", whole)
    return None if not found or _PLACEHOLDER.fullmatch(found) else found[:MOST]


def identifier(value: str, scheme: str) -> str | None:
    """An identifier in standard form; one that its check character proves wrong stays, since it may be one slip away."""
    found = re.sub(r"[\s\-–—./]", "", half_width(value)).upper()[:MOST]
    if not found or _PLACEHOLDER.fullmatch(found):
        return None
    if scheme == "id_card" and len(found) == 15 and found.isdigit():
        longer = f"{found[:6]}19{found[6:]}"
        return longer + id_card_check(longer)
    if scheme == "credit_code" and len(found) == 18:
        return found.replace("O", "0").replace("I", "1")
    return found


def valid(value: str, scheme: str) -> bool:
    """Whether an identifier in standard form proves itself by its check character; without a scheme it always does."""
    if scheme == "id_card":
        shape = re.fullmatch(r"[1-9]\d{5}(18|19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dX]", value)
        return shape is not None and id_card_check(value[:17]) == value[17]
    if scheme == "credit_code":
        return len(value) == 18 and all(c in _CREDIT for c in value) and credit_code_check(value[:17]) == value[17]
    return True


def id_card_check(digits: str) -> str:
    """The check character of the first 17 digits of an ID card (GB 11643-1999, ISO 7064 MOD 11-2)."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11]


def credit_code_check(code: str) -> str:
    """The check character of the first 17 characters of a unified social credit code (GB 32100-2015)."""
    total = sum(pow(3, i, 31) * _CREDIT.index(character) for i, character in enumerate(code))
    return _CREDIT[(31 - total % 31) % 31]


def phone(value: str) -> str | None:
    """The digits of a phone number, without the country's 86 and without the 0 before an area code."""
    found = re.sub(r"\D", "", half_width(value))
    found = re.sub(r"^(00)?86(?=1\d{10}$|0?\d{9,11}$)", "", found).lstrip("0")[:20]
    return None if len(found) < 5 or _PLACEHOLDER.fullmatch(found) else found


def day(value: str) -> str | None:
    """A date as `2014-01-02`; None where there is no such day, or it is a placeholder (1900-01-01, 9999-12-31)."""
    clear = half_width(value).strip()
    found = _PLAIN_DAY.fullmatch(clear) or _DAY.fullmatch(clear)
    if found is None:
        return None
    try:
        there = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return None if there in (date(1900, 1, 1), date(9999, 12, 31), date(1970, 1, 1)) else there.isoformat()


def number(value: str) -> float | None:
    """A finite number."""
    try:
        found = float(half_width(value))
    except ValueError:
        return None
    return found if abs(found) < float("inf") else None


def location(value: str) -> tuple[float, float] | None:
    """Longitude and latitude in degrees, from two numbers with a space or comma between."""
    parts = re.split(r"[,，\s]+", value.strip())
    lon, lat = (number(part) for part in parts) if len(parts) == 2 else (None, None)
    if lon is None or lat is None:
        return None
    return (lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 and (lon, lat) != (0, 0) else None


def half_width(value: str) -> str:
    """Full-width signs, letters and digits as half-width ones."""
    return value.translate(_HALF)


_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x00A0: 0x20, 0: None}
