"""Parsing by rules: divisions first, repeated divisions as noise, then the segments below them."""

import re
from collections.abc import Sequence

from mumian.foundation.addresses.contracts import Element, Place
from mumian.foundation.addresses.rules.divisions import Divisions
from mumian.foundation.addresses.rules.segments import segments

_COUNTRY = re.compile(r"中华人民共和国|中国")
_LEADING = re.compile(r"(?:[^一-龥A-Z\d]|[一-龥]{0,6}(?:地址|公司|总部|位于)[:：])+")
_UNKNOWN = re.compile(
    r"[一-龥]{2,3}?(?:市(?!场|政|府)|(?<!小|园|社|发|业|新|期|景|校|厂|库|地|住|院|片|港|税|东|西|南|北|[一二三四五六七八九])区|县(?!道))(?=[一-龥]{2})"
)
MOST_REPEATS = 3


def parse(divisions: Divisions, text: str, home: Sequence[str] = ()) -> tuple[list[Element], Place]:
    """The elements of a plain text and the place that its divisions name."""
    found: list[Element] = []
    at = _skip(divisions, text, found)
    elements, place, at = divisions.resolve(text, at, home)
    for _ in range(MOST_REPEATS if elements else 0):
        country = _COUNTRY.match(text, at)
        again, other, end = divisions.resolve(text, country.end() if country else at, _own(place) or home)
        if not again or not _repeats(again, elements):
            break
        if _own(place)[-1:] and _deepest(place).startswith(_deepest(other)):
            elements += [element._replace(kind="noise") for element in again]
        else:
            elements = [element._replace(kind="noise") for element in elements] + again
            place = other
        at = end
    found += elements
    unknown = _UNKNOWN.match(text, at) if not place.district and "district" not in {e.kind for e in elements} else None
    if unknown:
        kind = "city" if unknown[0].endswith("市") and not place.city else "district"
        found.append(Element(kind, unknown[0], at, unknown.end()))
        at = unknown.end()
    if not elements and not place.province:
        place = divisions.mentioned(text, at)
    return found + segments(text, at), place


def _skip(divisions: Divisions, text: str, found: list[Element]) -> int:
    """Past what stands before the address: labels, signs and the country; returns where it begins."""
    at = 0
    for kind, pattern in (("noise", _LEADING), ("country", _COUNTRY), ("noise", _LEADING)):
        match = pattern.match(text, at)
        if match is None or (match[0] == "中国" and not _begins(divisions, text, match.end())):
            continue
        found.append(Element(kind, match[0], at, match.end()))
        at = match.end()
    return at


def _begins(divisions: Divisions, text: str, at: int) -> bool:
    return not text[at : at + 1].isalpha() or next(iter(divisions.starting(text, at)), None) is not None


def _own(place: Place) -> list[str]:
    return [code for code in (place.street, place.district, place.city, place.province) if code]


def _deepest(place: Place) -> str:
    return (_own(place) or ["-"])[0]


def _repeats(again: list[Element], first: list[Element]) -> bool:
    """Whether divisions that follow begin anew, at a level that was there already."""
    if again[0].kind == "province":
        return len(again) > 1 or again[0].text == first[0].text
    return any(element.kind == again[0].kind and element.text[:2] == again[0].text[:2] for element in first)
