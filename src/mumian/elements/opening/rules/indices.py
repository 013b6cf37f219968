"""Indices: indicators of open data that can be counted from the catalogue, each with its formula and the index it follows.

Followed in what they ask, not in their weights: China Open Data Forest 开放数林 (readiness, platform, data, use), Open Data
Inventory ODIN (openness: machine readable, non-proprietary, bulk and API, metadata, licence), Open Data Barometer (ten
questions to a dataset: exists, online, machine readable, bulk, free, licence, up to date, kept, easy to find, linked).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MACHINE = {
    "CSV",
    "JSON",
    "JSONL",
    "XML",
    "GEOJSON",
    "PARQUET",
    "TURTLE",
    "N-TRIPLES",
    "RDF",
    "SENSORTHINGS",
    "XLSX",
    "XLS",
    "KML",
}
FREE = {"CSV", "JSON", "JSONL", "XML", "GEOJSON", "PARQUET", "TURTLE", "N-TRIPLES", "RDF", "SENSORTHINGS"}
LINKED = {"TURTLE", "N-TRIPLES", "RDF", "JSON-LD"}
_SPATIAL = {"GEOJSON", "KML", "SHP"}
OPEN_LICENCES = ("cc by", "cc-by", "cc0", "odbl", "odc-", "ogl", "public domain", "mulan", "木兰", "pddl")
LEFT_OUT = (
    {"index": "开放数林", "what": "laws and plans, teams, training, contests, quality of use cases by judges"},
    {"index": "ODIN", "what": "coverage by 22 statistical categories: it needs their list mapped to this city's datasets"},
    {"index": "Open Data Barometer", "what": "impact: it is asked of experts"},
)


@dataclass(frozen=True)
class Seen:
    """An opened dataset as the indices look at it."""

    opened: str | None
    formats: frozenset[str]
    licence: str | None
    described: bool
    fields_described: bool
    contact: bool
    fresh: str
    rows: int
    withheld: bool
    theme: str | None
    owner: str | None


@dataclass(frozen=True)
class Use:
    """What the public did: requests answered in time, answered at all, filed; ratings and their sum; use cases; uses."""

    in_time: int
    answered: int
    filed: int
    ratings: int
    stars: int
    cases: int
    used: int


def indicators(seen: Iterable[Seen], declared: int, owners: int, use: Use) -> list[dict[str, Any]]:
    """All indicators; `declared` datasets there are in all, `owners` organisations with datasets."""
    all_ = [one for one in seen if not one.withheld]
    free = [one for one in all_ if one.opened == "unconditional"]
    count = len(all_)

    def share(name: str, part: float, whole: float = count) -> dict[str, Any]:
        title, dimension, formula, after = TEXTS[name]
        value = None if not whole else round(part / whole, 4)
        told = {"name": name, "title": title, "dimension": dimension, "formula": formula, "after": after}
        return {**told, "value": value, "part": part, "whole": whole}

    known = [one for one in all_ if one.fresh != "unknown"]
    return [
        share("opened", count, declared),
        share("owners", len({one.owner for one in all_} - {None}), owners),
        share("unconditional", len(free)),
        share("machine-readable", sum(bool(one.formats & MACHINE) for one in all_)),
        share("non-proprietary", sum(bool(one.formats & FREE) for one in all_)),
        share("api", sum(bool(one.formats & {"API", "SENSORTHINGS"}) or one.rows > 0 for one in all_)),
        share("linked", sum(bool(one.formats & LINKED) for one in all_)),
        share("spatial", sum(bool(one.formats & _SPATIAL) for one in all_)),
        share("open-licence", sum(is_open(one.licence) for one in all_)),
        share("described", sum(one.described for one in all_)),
        share("fields-described", sum(one.fields_described for one in all_)),
        share("contact", sum(one.contact for one in all_)),
        share("fresh", sum(one.fresh == "fresh" for one in known), len(known)),
        share("not-empty", sum(one.rows > 0 for one in all_)),
        share("used", use.used),
        share("answered-in-time", use.in_time, use.answered),
        share("answered", use.answered, use.filed),
        share("rating", use.stars - use.ratings, 4 * use.ratings),
        share("use-cases", min(use.cases, count)),
    ]


def dimensions(found: Iterable[dict[str, Any]]) -> dict[str, float | None]:
    """The mean of each dimension's indicators that have a value."""
    values: dict[str, list[float]] = {}
    for one in found:
        values.setdefault(one["dimension"], [])
        if one["value"] is not None:
            values[one["dimension"]].append(one["value"])
    return {name: round(sum(each) / len(each), 4) if each else None for name, each in values.items()}


def is_open(licence: str | None) -> bool:
    """Whether a licence is one of those that the Open Definition names."""
    text = (licence or "").casefold()
    closed = any(word in text for word in ("-nc", " nc", "-nd", " nd"))
    return not closed and any(name in text for name in OPEN_LICENCES)


def _t(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


TEXTS: dict[str, tuple[dict[str, str], str, dict[str, str], str]] = {
    "opened": (_t("开放率", "Datasets opened"), "data", _t("已开放 ÷ 目录内全部", "opened ÷ all in the catalogue"), "开放数林"),
    "owners": (
        _t("部门覆盖率", "Organisations that open"),
        "data",
        _t("有开放数据的部门 ÷ 有数据集的部门", "owners with opened ÷ owners with any"),
        "开放数林",
    ),
    "unconditional": (
        _t("无条件开放比例", "Opened without conditions"),
        "data",
        _t("无条件开放 ÷ 已开放", "unconditional ÷ opened"),
        "Open Data Barometer",
    ),
    "machine-readable": (
        _t("机器可读", "Machine readable"),
        "openness",
        _t("有机器可读格式 ÷ 已开放", "in a machine-readable format ÷ opened"),
        "ODIN",
    ),
    "non-proprietary": (
        _t("非专有格式", "Non-proprietary"),
        "openness",
        _t("有非专有格式 ÷ 已开放", "in a non-proprietary format ÷ opened"),
        "ODIN",
    ),
    "api": (_t("接口可用", "By API"), "openness", _t("可由接口获取 ÷ 已开放", "had by an API ÷ opened"), "ODIN"),
    "linked": (_t("关联数据", "Linked data"), "openness", _t("有 RDF 格式 ÷ 已开放", "in RDF ÷ opened"), "Open Data Barometer"),
    "spatial": (
        _t("空间格式", "Spatial formats"),
        "openness",
        _t("有空间格式 ÷ 已开放", "in a spatial format ÷ opened"),
        "开放数林",
    ),
    "open-licence": (
        _t("开放许可", "Open licence"),
        "openness",
        _t("许可符合开放定义 ÷ 已开放", "licence after the Open Definition ÷ opened"),
        "ODIN",
    ),
    "described": (_t("有说明", "Described"), "metadata", _t("有说明 ÷ 已开放", "with a description ÷ opened"), "ODIN"),
    "fields-described": (
        _t("数据项有名称", "Fields explained"),
        "metadata",
        _t("数据项全部有名称或说明 ÷ 已开放", "all fields with title or description ÷ opened"),
        "开放数林",
    ),
    "contact": (_t("有联系方式", "Contact given"), "metadata", _t("有联系方式 ÷ 已开放", "with a contact ÷ opened"), "ODIN"),
    "fresh": (
        _t("按时更新", "Up to date"),
        "timeliness",
        _t("按时更新 ÷ 已声明更新频率", "fresh ÷ with a declared frequency"),
        "Open Data Barometer",
    ),
    "not-empty": (
        _t("有数据", "Has rows"),
        "timeliness",
        _t("有数据行或观测 ÷ 已开放", "with rows or observations ÷ opened"),
        "开放数林",
    ),
    "used": (
        _t("被使用", "Used"),
        "use",
        _t("30 天内被下载或调用 ÷ 已开放", "downloaded or called within 30 days ÷ opened"),
        "开放数林",
    ),
    "answered-in-time": (
        _t("按期答复", "Answered in time"),
        "use",
        _t("按期答复 ÷ 已答复", "answered in time ÷ answered"),
        "开放数林",
    ),
    "answered": (
        _t("答复率", "Answered"),
        "use",
        _t("已答复 ÷ 收到的需求与纠错", "answered ÷ requests and corrections"),
        "开放数林",
    ),
    "rating": (_t("评分", "Rating"), "use", _t("（平均星级 − 1）÷ 4", "(mean stars − 1) ÷ 4"), "开放数林"),
    "use-cases": (
        _t("应用成果", "Use cases"),
        "use",
        _t("应用成果数（至多与数据集数相同）÷ 已开放", "use cases (at most one a dataset) ÷ opened"),
        "开放数林",
    ),
}
