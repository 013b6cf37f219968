"""Standard form of an address: one text for one place, the fields behind it, and the keys that find it."""

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from mumian.foundation.addresses.contracts import Element, Place
from mumian.foundation.addresses.rules.text import number, numbers

FIELDS = (
    "street", "community", "road", "number", "subroad", "subnumber", "poi", "subpoi", "building", "unit", "floor", "room",
)  # fmt: skip
TAIL = ("building", "unit", "floor", "room")
_COUNTED = {"number": "号", "subnumber": "号", "building": "栋", "unit": "单元", "floor": "层", "room": "室"}
_BARE = re.compile(r"[A-Z0-9]+")
_PLAIN_NUMBER = re.compile(r"[A-Z]?\d+[A-Z]?(?:-\d+)*|[A-Z]+\d*")
_COUNTS = re.compile(r"[零〇一二三四五六七八九十百两]+(?=[号栋幢座单层楼室房户之组])|^[零〇一二三四五六七八九十百两]+$")
_WORDS = {"building": ("号楼", "幢"), "floor": ("楼",), "room": ("号房", "房", "号室")}


def fields(elements: Iterable[Element]) -> dict[str, str]:
    """The first element of each kind that a standard address has, its numbers in digits and with their counting word."""
    found: dict[str, str] = {}
    for element in elements:
        if element.kind in FIELDS and element.kind not in found:
            found[element.kind] = tidy(element.kind, element.text)
        elif element.kind == "number" and "subnumber" not in found and "subroad" in found:
            found["subnumber"] = tidy("subnumber", element.text)
    return found


def tidy(kind: str, text: str) -> str:
    """A value in the one way in which the library writes it: 六号楼 → 6栋, 二单元 → 2单元, 3 (a building) → 3栋."""
    word = _COUNTED.get(kind)
    if word is None:
        return text.strip()
    value = _COUNTS.sub(lambda found: number(found[0]), text.strip().lstrip("第")).replace("之", "-")
    for other in _WORDS.get(kind, ()):
        if value.endswith(other) and _PLAIN_NUMBER.fullmatch(value[: -len(other)]):
            return value[: -len(other)] + word
    return value + word if _PLAIN_NUMBER.fullmatch(value) else value


def standard(place: Place, found: Mapping[str, str]) -> str:
    """The standard form: names in force from the province down, then the fields in their order."""
    province, city, district, street = place.names
    head = [province, city if city != province else "", district if district != city else "", street or found.get("street", "")]
    return "".join(head) + "".join(found.get(kind, "") for kind in FIELDS[1:])


def bare(text: str) -> str:
    """What distinguishes a number: its digits and letters alone, 六号楼 and 6栋 both 6."""
    return "-".join(_BARE.findall(numbers(text)))


def tail(found: Mapping[str, str]) -> str:
    """Building, unit, floor and room as one key; empty when the address has none."""
    key = "|".join(bare(found.get(kind, "")) for kind in TAIL)
    return key if key.strip("|") else ""


def number_value(text: str) -> int:
    """The house number as an integer; -1 where there is none."""
    digits = re.search(r"\d+", numbers(text))
    return min(int(digits[0]), 10**9) if digits else -1


def digest_of(text: str) -> int:
    """A 63-bit digest of a text, to find equal ones by."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def stem(term: str) -> str:
    """A name without its most general ending: 体育西路 → 体育西, 新城花园 → 新城."""
    cut = re.sub(r"(?:大道|大街|马路|公路|胡同|街道|社区|小区|花园|大厦|广场|路|街|道|巷|弄|村|苑)$", "", term)
    return cut if len(cut) > 1 else term


def variants(term: str, most: int = 12) -> list[str]:
    """The stem of a name and every form with one character left out: two names one slip apart share one of these."""
    base = stem(term)[:most]
    if len(base) < 2:
        return [base]
    return sorted({base, *(base[:i] + base[i + 1 :] for i in range(len(base)))})


def cell_of(longitude: float, latitude: float, dx: int = 0, dy: int = 0) -> int:
    """The cell of 0.002° (about 200 m) that a point lies in, moved by whole cells."""
    return (int((latitude + 90) * 500) + dy) * 1_000_000 + int((longitude + 180) * 500) + dx
