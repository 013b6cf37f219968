"""Fields: what attributes of files say of height, storeys, use and year, in the words that sources use for them."""

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

import msgspec

from mumian.foundation.buildings.contracts import USES

HIGHEST, DEEPEST, MOST_STOREYS = 2_000.0, -500.0, 400
STOREY_METRES = 3.0
MOST_BYTES = 16_384
_YEAR = re.compile(r"(?<![0-9])(1[0-9]{3}|20[0-9]{2})(?![0-9])")
HEIGHTS = ("measuredHeight", "height", "building:height", "h_dak_max", "b3_h_dak_max", "建筑高度", "高度")
STOREYS = ("storeysAboveGround", "storeys", "floors", "levels", "building:levels", "b3_bouwlagen", "地上层数", "层数", "楼层数")
BELOW = ("storeysBelowGround", "building:levels:underground", "地下层数")
YEARS = ("yearOfConstruction", "year", "start_date", "oorspronkelijkbouwjaar", "建成年份", "建成年代", "竣工年份")
NAMES = ("name", "Name", "名称", "楼栋名称", "title")
USAGES = ("usage", "function", "use", "class", "building", "用途", "使用性质", "房屋用途")
_WORDS = {
    "residential": ("residential", "dwelling", "house", "apartments", "woonfunctie", "住宅", "居住", "公寓"),
    "office": ("office", "kantoorfunctie", "办公", "写字楼"),
    "commercial": ("commercial", "retail", "shop", "hotel", "winkelfunctie", "商业", "商铺", "酒店"),
    "industrial": ("industrial", "warehouse", "factory", "industriefunctie", "工业", "厂房", "仓储", "仓库"),
    "education": ("education", "school", "university", "kindergarten", "onderwijsfunctie", "教育", "学校", "幼儿园"),
    "health": ("health", "hospital", "clinic", "gezondheidszorgfunctie", "医疗", "医院", "卫生"),
    "government": ("government", "public", "civic", "行政", "政府", "机关"),
    "culture": ("culture", "museum", "religious", "church", "sport", "文化", "体育", "宗教"),
    "transport": ("transport", "station", "garage", "parking", "交通", "车站", "车库"),
    "utility": ("utility", "infrastructure", "市政", "公用设施"),
    "agriculture": ("agriculture", "farm", "barn", "农业"),
    "mixed": ("mixed", "综合", "商住"),
}


def use_of(given: Any) -> str:
    """One of `contracts.USES` for the word of a source; `other` for a word that none knows, empty for nothing."""
    text = str(given or "").strip().lower()
    if not text or text in ("yes", "unknown", "none", "null", "未知"):
        return ""
    if text in USES:
        return text
    return next((use for use, words in _WORDS.items() if any(word in text for word in words)), "other")


def number(given: Any) -> float | None:
    """A finite number, also where it is written as text; None otherwise."""
    if isinstance(given, bool) or given is None:
        return None
    try:
        value = float(given.strip().removesuffix("m").strip() if isinstance(given, str) else given)
    except (ValueError, TypeError, OverflowError):
        return None
    return value if isfinite(value) else None


def first(attributes: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of these attributes that is there and not empty."""
    return next((attributes[name] for name in names if attributes.get(name) not in (None, "")), None)


def height_of(attributes: Mapping[str, Any], names: Iterable[str] = HEIGHTS) -> float | None:
    """A height in metres above 0 and up to 2,000, or None."""
    found = number(first(attributes, names))
    return round(found, 3) if found is not None and 0 < found <= HIGHEST else None


def storeys_of(attributes: Mapping[str, Any], names: Iterable[str] = STOREYS) -> int | None:
    """A number of storeys from 0 to 400, or None."""
    found = number(first(attributes, names))
    return int(found) if found is not None and 0 <= found <= MOST_STOREYS else None


def year_of(attributes: Mapping[str, Any], names: Iterable[str] = YEARS) -> int | None:
    """A year from 1000 to 2099 out of a number or a date, or None."""
    found = _YEAR.search(str(first(attributes, names) or ""))
    return int(found[0]) if found else None


def title_of(attributes: Mapping[str, Any], names: Iterable[str] = NAMES) -> dict[str, str]:
    """The name as {zh, en}, the same in both where there is one; empty without one."""
    given = first(attributes, names)
    if isinstance(given, Mapping):
        zh, en = (str(given.get(language) or "").strip()[:200] for language in ("zh", "en"))
        return {"zh": zh or en, "en": en or zh} if zh or en else {}
    text = str(given or "").strip()[:200]
    return {"zh": text, "en": text} if text else {}


def kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are kept as they came: those of one value, until they fill 16 KiB."""
    made: dict[str, Any] = {}
    size = 0
    for name, value in attributes.items():
        if value in (None, "") or not isinstance(value, str | int | float | bool) or len(name) > 100:
            continue
        if isinstance(value, float) and not isfinite(value):
            continue
        if isinstance(value, int) and abs(value) >= 2**63:
            continue
        size += len(msgspec.json.encode({name: value}))
        if size > MOST_BYTES:
            break
        made[name] = value
    return made
