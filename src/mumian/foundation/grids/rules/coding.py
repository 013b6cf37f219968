"""Codes: grids by nested prefixes, buildings and components by grid, class and serial.

Grid codes are 15 digits: 6 of the county-level division (GB/T 2260), 3 of the street or town and 3 of the community (the
statistical codes of divisions), 3 of the grid itself: the structure of GB/T 30428.1 (Digitized supervision and management of
cities, part 1: basic management grid). Component codes are 16 digits after GB/T 30428.2: division, class (2 + 2), serial.
"""

import re

from mumian.foundation.grids.contracts import LEVEL_OF_LENGTH

_DIGITS = re.compile(r"[0-9]+")
LENGTHS = tuple(LEVEL_OF_LENGTH)
SERIALS = {"building": 4, "component": 6}


def level_of(code: str) -> str | None:
    """The level of a grid code by its length; None where it is no grid code."""
    return LEVEL_OF_LENGTH.get(len(code)) if _DIGITS.fullmatch(code) else None


def parent_of(code: str) -> str:
    """The code of the grid above; empty above a city."""
    above = [length for length in LENGTHS if length < len(code)]
    return code[: above[-1]] if above else ""


def ancestors(code: str) -> list[str]:
    """The codes from the city down to this one."""
    return [code[:length] for length in LENGTHS if length <= len(code)]


def building_code(grid: str, serial: int) -> str:
    """The code of a building: the grid's, filled with zeros to fifteen digits, and a serial of four."""
    return f"{grid.ljust(15, '0')}{serial:04d}"


def component_code(district: str, category: str, serial: int) -> str:
    """The code of a component: division, class and a serial of six digits."""
    return f"{district}{category}{serial:06d}"


def is_component_code(code: str) -> bool:
    """Whether a text has the form of a component's code."""
    return len(code) == 16 and bool(_DIGITS.fullmatch(code))
