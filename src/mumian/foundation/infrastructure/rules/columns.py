"""Columns of a file of facilities: which field each header means, in Chinese or English."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mumian.foundation.tables.contracts import plain

ALIASES: dict[str, tuple[str, ...]] = {
    "code": ("code", "facility code", "设施编码", "id", "编码", "编号", "设施编号", "站点编码", "基站编号", "杆号", "桩号"),
    "kind": ("kind", "type", "facility kind", "设施类型", "类型", "类别"),
    "name": ("name", "title", "facility name", "设施名称", "名称", "站点名称", "机房名称", "基站名称", "站名"),
    "owner": ("owner", "organisation", "department", "权属单位", "产权单位", "所属单位", "主管部门", "建设单位"),
    "operator": ("operator", "maintainer", "运营单位", "运营商", "运维单位", "维护单位"),
    "address": ("address", "location", "地址", "详细地址", "位置", "安装地址"),
    "longitude": ("longitude", "lon", "lng", "x", "经度", "东经"),
    "latitude": ("latitude", "lat", "y", "纬度", "北纬"),
    "state": ("state", "status", "状态", "建设状态", "使用状态"),
    "built": ("built", "in use since", "建成日期", "投用日期", "投产日期", "开通日期", "启用日期"),
    "devices": ("devices", "设备编码", "关联设备"),
    "ends": ("ends", "endpoints", "两端", "两端节点", "起止节点"),
    "plane": ("plane", "平面", "网络平面"),
    "note": ("note", "notes", "remark", "备注", "说明"),
}
_BY_HEADER = {plain(alias): name for name, aliases in ALIASES.items() for alias in aliases}


@dataclass(frozen=True)
class Columns:
    """What the columns of a file mean: a field or `properties.<key>` by place; headers that mean nothing; doubled ones."""

    headers: tuple[str, ...]
    places: dict[int, str]
    ignored: tuple[str, ...]
    doubled: tuple[str, ...]

    def header(self, field: str) -> str:
        """What the file calls a field, or the field itself where it has none."""
        return next((self.headers[place] for place, name in self.places.items() if name == field), field)


def bare(text: str) -> str:
    """A header as it is compared: without remarks in brackets, marks of what is required, and spaces around."""
    narrow = plain(text.removeprefix("\ufeff"))
    return " ".join(re.sub(r"[(\[【].*?[)\]】]", "", narrow).replace("*", "").replace("_", " ").strip(" :：'\"").split())


def named(header: str) -> str | None:
    """The field that a header means, or None."""
    return _BY_HEADER.get(bare(header))


def understood(headers: Sequence[str], properties: Mapping[str, Mapping[str, str]]) -> Columns:
    """What each column means; columns that name a property of some kind, by key or by title, are taken, too."""
    keys = {bare(key): f"properties.{key}" for key in properties}
    for key, titles in properties.items():
        keys |= {bare(title): f"properties.{key}" for title in titles.values()}
    places: dict[int, str] = {}
    ignored, doubled = [], []
    for place, header in enumerate(headers):
        word = bare(header)
        name = keys.get(word) or _BY_HEADER.get(word)
        if name is None:
            ignored += [header] if word else []
        elif name in places.values():
            doubled.append(header)
        else:
            places[place] = name
    return Columns(tuple(headers), places, tuple(ignored), tuple(doubled))
