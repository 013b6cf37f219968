"""Standard forms of whole columns: each different value is worked out once."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mumian.elements.registers.models import AttributeSpec
from mumian.elements.registers.rules import preparing
from mumian.elements.registers.rules.comparing import columns_of
from mumian.foundation.addresses.api import ParsedAddress
from mumian.kernel.errors import Invalid, Unavailable

Parse = Callable[[str], ParsedAddress]
Values = Sequence[str | None]
_FIRST, _LAST = 0x3400, 0x9FFF


class Standard:
    """Works out the columns in which records are compared; `parse` takes Chinese addresses apart."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse

    def columns(self, attribute: AttributeSpec, values: Values) -> dict[str, NDArray[Any]]:
        """The columns of an attribute's standard form for all values."""
        make = self._maker(attribute)
        width = len(columns_of(attribute.name, attribute.kind))
        nothing = (None,) * width
        known = {value: make(value) or nothing for value in set(values) if value is not None}
        rows = [nothing if value is None else known[value] for value in values]
        found = {}
        for index, (name, type_) in enumerate(columns_of(attribute.name, attribute.kind)):
            column = [row[index] for row in rows]
            if type_ == "DOUBLE":
                found[name] = np.array([np.nan if x is None else x for x in column], dtype=np.float64)
            else:
                found[name] = np.array([*column, None], dtype=object)[:-1]
        return found

    def _maker(self, attribute: AttributeSpec) -> Callable[[str], tuple[Any, ...] | None]:
        one: dict[str, Callable[[str], Any]] = {
            "text": preparing.text,
            "date": preparing.day,
            "phone": preparing.phone,
            "number": preparing.number,
            "identifier": lambda value: preparing.identifier(value, attribute.scheme),
        }
        if attribute.kind in one:
            single = one[attribute.kind]
            return lambda value: _only(single(value))
        if attribute.kind == "location":
            return preparing.location
        return self._address if attribute.kind == "address" else _named(attribute.kind)

    def _address(self, value: str) -> tuple[str | None, ...] | None:
        """The standard form with its district, its road and its door: road and number, and what is below them."""
        text = preparing.half_width(value).strip()[: preparing.MOST]
        if preparing.text(text) is None:
            return None
        try:
            parsed = self._parse(text)
        except Invalid:
            return None
        district = parsed.place.district or parsed.first("district") or None
        road = parsed.first("road") or parsed.first("community") or parsed.first("poi")
        number = parsed.first("number") or (parsed.first("poi") if parsed.first("road") else "")
        within = "".join(parsed.first(kind) for kind in ("building", "unit", "room"))
        place = f"{district or ''} {road}" if road else None
        return (parsed.standard or text, district, place, f"{place} {number} {within}" if place and (number or within) else None)


def _only(value: Any) -> tuple[Any, ...] | None:
    return None if value is None else (value,)


def _named(kind: str) -> Callable[[str], tuple[str, ...] | None]:
    usual, readings = characters(), pinyin()
    standard = preparing.name if kind == "name" else preparing.organisation

    def make(value: str) -> tuple[str, ...] | None:
        found = standard(value, usual)
        if found is None:
            return None
        sounds = preparing.sound(found, readings)
        return found, sounds, preparing.folded(found, sounds)

    return make


@cache
def characters() -> Mapping[int, str]:
    """Traditional and variant characters with the usual ones (OpenCC's table)."""
    try:
        import opencc
    except ImportError as error:
        raise Unavailable(reason="registers need OpenCC; install it with: pip install 'mumian[registers]'") from error
    all_ = [chr(code) for code in range(_FIRST, _LAST + 1)]
    converted = opencc.OpenCC("t2s").convert("\n".join(all_)).split("\n")
    return {ord(a): b for a, b in zip(all_, converted, strict=True) if a != b}


@cache
def pinyin() -> Mapping[int, str]:
    """The usual reading of each character, without its tone and with a space behind."""
    try:
        from pypinyin.pinyin_dict import pinyin_dict
    except ImportError as error:
        raise Unavailable(reason="registers need pypinyin; install it with: pip install 'mumian[registers]'") from error
    import unicodedata

    found = {}
    for code, readings in pinyin_dict.items():
        if _FIRST <= code <= _LAST:
            first = unicodedata.normalize("NFD", readings.split(",")[0])
            found[code] = " " + "".join(c for c in first if c.isascii() or c == "\u0308").replace("u\u0308", "v") + " "
    return found
