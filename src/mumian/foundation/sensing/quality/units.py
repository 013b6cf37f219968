"""Units: how a result in one unit becomes a result in another, by pint; symbols as UCUM and devices write them."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from math import isfinite
from typing import Any

import numpy as np

from mumian.foundation.sensing.contracts import Float64
from mumian.kernel.errors import Invalid

_MOST = 60
_MUCH = 1e6
# Neither operators nor long powers: pint would work them out, however long that takes.
_FACTOR = re.compile(r"([A-Za-z_%°℃℉'\[\]{}]+)(-?[1-9])?")
_PLAIN = {
    "Cel": "degC", "°C": "degC", "℃": "degC", "C": "degC", "K": "kelvin",
    "[degF]": "degF", "°F": "degF", "℉": "degF", "F": "degF",
    "%": "percent", "1": "dimensionless", "": "dimensionless", "{count}": "dimensionless",
    "[ppm]": "ppm", "[ppb]": "ppb", "dB": "decibel", "[mi_i]": "mile", "[ft_i]": "foot", "[in_i]": "inch",
    "m[Hg]": "m_Hg", "mm[Hg]": "mmHg", "bar": "bar", "hPa": "hectopascal", "deg": "degree", "'": "arcminute",
}  # fmt: skip


@dataclass(frozen=True)
class Conversion:
    """`result * scale + offset` is the result in the other unit."""

    scale: float
    offset: float

    def apply(self, results: Float64) -> Float64:
        """All results in the other unit."""
        return results if self.scale == 1.0 and self.offset == 0.0 else results * self.scale + self.offset


def conversion(given: str, wanted: str, field: str = "unit") -> Conversion:
    """How to come from one unit to another; raises Invalid for a unit that is not known or of another dimension."""
    if given == wanted:
        return Conversion(1.0, 0.0)
    found = _conversion(given[: _MOST + 1], wanted[: _MOST + 1])
    if found is None:
        raise Invalid.field(field, "sensing.unit", given=given[:_MOST], wanted=wanted[:_MOST])
    return found


@lru_cache(maxsize=2000)
def _conversion(given: str, wanted: str) -> Conversion | None:
    try:
        quantity = _registry().Quantity
        source, target = _unit(given), _unit(wanted)
        with np.errstate(all="ignore"):
            zero, one, much = (float(quantity(value, source).to(target).magnitude) for value in (0.0, 1.0, _MUCH))
        if not isfinite(much):
            return None
    except Exception:  # pint raises errors of many families for what it does not understand
        return None
    scale = (much - zero) / _MUCH
    # Logarithmic units are not converted by a straight line.
    straight = abs(one - zero - scale) <= 1e-9 * max(abs(one), abs(zero), abs(scale))
    return Conversion(_neat(scale), _neat(zero)) if straight else None


def _neat(number: float) -> float:
    """The simple fraction next to a number, where that is all the difference: pint goes by way of kelvin."""
    near = float(Fraction(number).limit_denominator(100_000))
    return near if near and abs(near - number) <= 1e-12 * max(1.0, abs(number)) and abs(number) > 1e-3 else number


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=False, cache_folder=None)
    for line in ("ppb = 1e-9", "micron_ = micrometer"):
        registry.define(line)
    return registry


@lru_cache(maxsize=2000)
def _unit(symbol: str) -> Any:
    if len(symbol) > _MOST:
        raise ValueError(symbol)
    return _registry().Unit(_PLAIN.get(symbol) or _spelled(symbol))


def _spelled(symbol: str) -> str:
    """A symbol as pint reads it: `ug/m3`, `m3/h`, `m.s-1` and `μg/m³` become products of powers."""
    text = symbol.replace("³", "3").replace("²", "2").replace("·", ".").replace("μ", "u").replace("µ", "u")
    parts = []
    for place, quotient in enumerate(text.split("/")):
        for factor in quotient.split("."):
            matched = _FACTOR.fullmatch(factor)
            if matched is None:
                raise ValueError(symbol)
            name, power = matched.group(1), int(matched.group(2) or 1)
            parts.append(f"({_PLAIN.get(name, name)})**{-power if place else power}")
    return " * ".join(parts)
