"""Columns of a file of devices: which field each header means, in Chinese or English, and what each cell says."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mumian.foundation.tables import contracts as fields
from mumian.foundation.tables.contracts import Typed, unsafe

ALIASES: dict[str, tuple[str, ...]] = {
    "code": ("code", "device code", "device id", "id", "设备编码", "设备编号", "设备代码", "编码", "编号", "资产编号", "设备id"),
    "kind": ("kind", "type", "device kind", "device type", "设备类型", "类型", "设备类别", "类别", "种类"),
    "name": ("name", "device name", "title", "设备名称", "名称", "设备名", "站点名称", "点位名称"),
    "model": ("model", "device model", "型号", "设备型号", "规格型号"),
    "maker": ("maker", "manufacturer", "vendor", "brand", "厂家", "生产厂家", "制造商", "厂商", "品牌", "设备厂商"),
    "serial": ("serial", "serial number", "sn", "序列号", "出厂编号"),
    "owner": (
        *(
            "owner",
            "owner organisation",
            "organisation",
            "department",
            "权属单位",
            "产权单位",
            "所属单位",
            "所属部门",
            "主管部门",
        ),
        *("建设单位", "责任单位", "权属部门", "单位"),
    ),
    "operator": ("operator", "maintainer", "运维单位", "维护单位", "管理单位", "运营单位", "养护单位"),
    "address": ("address", "location", "地址", "安装地址", "安装位置", "位置", "详细地址", "地点"),
    "grid": ("grid", "grid code", "网格", "网格编码", "所属网格", "网格编号"),
    "longitude": ("longitude", "lon", "lng", "long", "x", "经度", "东经"),
    "latitude": ("latitude", "lat", "y", "纬度", "北纬"),
    "state": ("state", "status", "状态", "设备状态", "使用状态", "生命周期状态"),
    "installed": ("installed", "installed on", "install date", "安装日期", "安装时间", "投用日期", "建成日期", "启用日期"),
    "maintained": ("maintained", "maintained on", "last maintenance", "维护日期", "最近维护日期", "检修日期", "最近维护时间"),
    "retired": ("retired", "retired on", "报废日期", "停用日期", "拆除日期", "退役日期"),
    "firmware": ("firmware", "firmware version", "固件", "固件版本", "软件版本"),
    "share": ("share", "share type", "共享类型", "共享属性"),
    "note": ("note", "notes", "remark", "remarks", "comment", "备注", "说明"),
}
STATES: dict[str, str] = {
    **dict.fromkeys(("planned", "plan", "规划", "规划中", "拟建", "计划", "待建"), "planned"),
    **dict.fromkeys(("installed", "已安装", "安装", "待投用", "已建成"), "installed"),
    **dict.fromkeys(
        ("in_service", "in service", "active", "在用", "使用中", "运行", "运行中", "正常", "投用", "在线"), "in_service"
    ),
    **dict.fromkeys(("maintenance", "维护", "维护中", "检修", "检修中", "维修", "维修中", "故障"), "maintenance"),
    **dict.fromkeys(("retired", "停用", "报废", "退役", "拆除", "已拆除", "已报废"), "retired"),
}
SHARES: dict[str, str] = {
    **dict.fromkeys(("open", "无条件共享", "公开", "开放", "unconditional"), "open"),
    **dict.fromkeys(("conditional", "有条件共享", "受限共享"), "conditional"),
    **dict.fromkeys(("none", "不予共享", "不共享", "not shared"), "none"),
}
_NUMBERS = ("longitude", "latitude")
_DAYS = ("installed", "maintained", "retired")
_BY_HEADER = {unicodedata.normalize("NFKC", alias): name for name, aliases in ALIASES.items() for alias in aliases}
Cells = Mapping[str, str]
Wrong = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True)
class Columns:
    """What the columns of a file mean: `fields` by place, `properties` by place, headers that mean nothing, and doubled ones."""

    headers: tuple[str, ...]
    fields: dict[int, str]
    properties: dict[int, str]
    ignored: tuple[str, ...]
    doubled: tuple[str, ...]

    def header(self, field: str) -> str:
        """What the file calls a field, or the field itself where it has none."""
        wanted = field.removeprefix("properties.")
        known = {**{v: k for k, v in self.properties.items()}, **{v: k for k, v in self.fields.items()}}
        return self.headers[known[wanted]] if wanted in known else field


def header(text: str) -> str:
    """A header as it is compared: without remarks in brackets, marks of what is required, and spaces around."""
    narrow = fields.plain(text.removeprefix("\ufeff"))
    bare = re.sub(r"[(\[【].*?[)\]】]", "", narrow).replace("*", "").replace("_", " ").strip(" :：'\"")
    return " ".join(bare.split())


def understood(headers: Sequence[str], properties: Mapping[str, Typed]) -> Columns:
    """What each column means; columns that name a property of some kind, by key or by title, are taken, too."""
    names = {header(key): key for key in properties}
    for key, spec in properties.items():
        names |= {header(title): key for title in (getattr(spec, "title", None) or {}).values()}
    found: dict[int, str] = {}
    extra: dict[int, str] = {}
    ignored, doubled = [], []
    for place, given in enumerate(headers):
        word = header(given)
        name = _BY_HEADER.get(word)
        if name is not None:
            if name in found.values():
                doubled.append(given)
            else:
                found[place] = name
        elif word in names and names[word] not in extra.values():
            extra[place] = names[word]
        elif word:
            ignored.append(given)
    return Columns(tuple(headers), found, extra, tuple(ignored), tuple(doubled))


def read(columns: Columns, cells: Sequence[str]) -> tuple[dict[str, Any], dict[str, str], list[Wrong]]:
    """The fields that a row gives (empty cells give none), the texts of its properties, and cells that mean nothing."""
    values: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for place, name in columns.fields.items():
        text = unsafe(cells[place].strip()) if place < len(cells) else ""
        if not text:
            continue
        value, fault = _value(name, text)
        if fault is None:
            values[name] = value
        else:
            wrong.append((name, *fault))
    texts = {name: unsafe(cells[place].strip()) for place, name in columns.properties.items() if place < len(cells)}
    return values, {name: text for name, text in texts.items() if text}, wrong


def _value(name: str, text: str) -> tuple[Any, tuple[str, dict[str, Any]] | None]:
    if name in _NUMBERS:
        number = fields.as_number(text.rstrip("°"))
        return number, None if number is not None else ("devices.import.number", {"given": text[:40]})
    if name in _DAYS:
        day = fields.as_day(text)
        return day, None if day is not None else ("devices.day", {"given": text[:40]})
    if name in ("state", "share"):
        words = STATES if name == "state" else SHARES
        word = words.get(fields.plain(text))
        expected = ", ".join(dict.fromkeys(words.values()))
        return word, None if word is not None else ("field.choice", {"expected": expected})
    return text, None
