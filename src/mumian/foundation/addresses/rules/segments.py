"""Segments of an address below its divisions: roads, numbers, compounds, buildings, units, floors, rooms and relations."""

import re
from collections.abc import Callable

from mumian.foundation.addresses.contracts import Element

_N = r"(?:\d+|[零〇一二三四五六七八九十百两]+)"
_L = r"[A-Z甲乙丙丁]"
_NUMERIC: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("number", rf"{_N}组\d+号?(?:附\d+号?)?|{_N}[组队](?!团|合|长)"),
        ("building", rf"(?:第?{_N}|{_L}+\d*|[东南西北中]\d*)(?:-\d+)?(?:号(?:楼|院|栋|幢|厂房|车间|厅|馆)|幢|栋|座(?!桥))"),
        ("unit", rf"(?:{_N}|{_L})(?:号)?(?:单元|梯(?!田)|号门)"),
        ("floor", rf"(?:负|B|地下|-)?(?:{_N}(?:-\d+)?)(?:楼|层)(?:半|半层)?|底[层楼]|顶[层楼]|(?:负|B)\d+(?!\d)F?|\d{{1,2}}F"),
        ("room", rf"[A-Z]?{_N}[A-Z]?(?:-\d+)?(?:号?房|室|号室|户(?!外))"),
        ("zone", rf"{_N}号(?:路|街|桥|线|大街|大道|支路|公路|码头|地块|仓库?|门岗|门|基地)"),
        ("number", rf"(?:附|副|甲|乙|丙)?{_N}[A-Z]?(?:[-之]\d+)*号?(?:院|弄|里弄)(?![一-龥]{{0,3}}(?:路|街))"),
        ("number", rf"(?:附|副|甲|乙)?{_N}[A-Z]?(?:[-、/之]\d+)*号(?:之[一二三四五六七八九十\d]+|附{_N}号?|-\d+)?"),
        ("subpoi", rf"{_N}[期区](?![一-龥]*(?:路|街))|[A-Z]\d*[区馆]"),
        ("digits", r"[A-Z]?\d+(?:[A-Z](?![座栋幢区馆]))?(?:[-/#]\d*[A-Z]?\d*)*#?|[A-Z]+\d+"),
    )
)  # fmt: skip
_NUMERIC_START = re.compile(r"[\dA-Z甲乙丙丁零〇一二三四五六七八九十百两第附副负底顶B东南西北中\-]|地下")
_RELATION = re.compile(
    r"(?:与|和|、|/|至|到)(?=[一-龥\d]{1,8}(?:路|街|道|巷))|交叉路?口|交[汇界]处|交汇口|相交处|十字路口|(?:丁字)?路口|(?:大?门|村|桥)口|"
    r"(?:[往向]?[东南西北]{1,2}[面侧边角]?(?:约)?\d+米(?:处|左右)?)|(?:约)?\d+米(?:处|左右)?|[东南西北]{1,2}[面侧边角]|"
    r"附近|对面|旁边|旁|隔壁|斜对面|后面|前面|楼下|楼上|里面|边上|[以]?[东南西北]$|内$|口$|处$|左侧|右侧|中间|之间|与"
)
_SEPARATOR = re.compile(r"[\s,，、;；。.:：_\-/|()\[\]【】<>《》\"'#*+&·]+|电联|NULL")
_ROAD = re.compile(
    r"[一-龥A-Z\d]{1,9}?(?:大道|马路|公路|胡同|支路|环路|辅路|大街|高速|国道|省道|县道|里弄|堤(?=\d)|(?:路|街|巷|弄|道)(?!道|坊|区|边|口村))"
    r"(?:[东南西北中]|[东南西北中]?[一二三四五六七八九十]|\d{1,2})?(?:路|街|巷|弄|段|支路)?(?=$|[^一-龥]|[一-龥])"
)
_NEXT_ROAD = re.compile(r"^(?:[东南西北中][一二三四五六七八九十]?段|[一二三四五六七八九十\d]+[段巷])")
_COMMUNITY = re.compile(r"[一-龥\d]{1,7}?(?:居民委员会|居委会|村委会|社区|自然村|(?<!新)村(?!镇|口|委))")
_ZONE = re.compile(
    r"[一-龥A-Z\d]{0,9}?(?:经济技术开发区|高新技术产业开发区|高新技术开发区|经济开发区|旅游度假区|开发区|高新区|保税区|新区|工业功能区|管理区|示范区|产业集聚区)"
)
_STREET = re.compile(
    r"[一-龥]{1,6}?(?:街道(?:办事处)?|办事处|[^一二三四五六七八九十]镇(?!政府|中心|北|南|东|西)|乡(?!村|政府|下))"
)
_POI_END = re.compile(
    r"小区|新村|花园|花苑|家园|公寓|大厦|广场|大楼|中心|市场|商城|工业园区?|产业园|科技园|园区|工业区|商务楼|写字楼|酒店|宾馆|饭店|医院|学校|大学|学院|中学|小学|"
    r"幼儿园|公园|车站|火车站|机场|码头|银行|超市|商场|公司|工厂|集团|新城|名苑|名城|佳苑|雅苑|嘉苑|山庄|别墅|宿舍|华庭|豪庭|国际城|城市花园|轻纺城|贸城|苑|庭|厦|坊|里"
)
_SUBPOI = re.compile(
    r"(?:[一-龥A-Z]{2,}(?:公司|厂|酒店|宾馆|饭店|超市)|[东南西北中]{1,2}[区苑园门院]|[一二三四五六七八九十\d]{1,3}[期区]|[A-Z]\d?[区座馆]|[一-龥A-Z]{1,6}(?:苑|园|区|校区|院区|门|厅|馆|店|部|科|室))$"
)
_ENDINGS = {"路": "road", "街": "road", "线": "road", "道": "road", "门": "subpoi"}
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("street", _STREET),
    ("zone", _ZONE),
    ("community", _COMMUNITY),
    ("road", _ROAD),
)
_RANK = {
    "street": 1,
    "zone": 1,
    "community": 2,
    "road": 3,
    "number": 4,
    "poi": 5,
    "subpoi": 6,
    "building": 7,
    "unit": 8,
    "floor": 9,
    "room": 10,
}


def segments(text: str, start: int) -> list[Element]:
    """The elements of `text` from `start` on, from left to right, without the separators between them."""
    found: list[Element] = []
    at = start
    while at < len(text):
        at = _step(text, at, found)
    return _settled(found)


def _step(text: str, at: int, found: list[Element]) -> int:
    separator = _SEPARATOR.match(text, at)
    if separator:
        found.append(Element("noise", separator[0], at, separator.end()))
        return separator.end()
    relation = _RELATION.match(text, at)
    if relation and (found or relation.end() == len(text)):
        found.append(Element("relation", relation[0], at, relation.end()))
        return relation.end()
    numeric = _numeric(text, at)
    if numeric is not None:
        found.append(numeric)
        return numeric.end
    return _named(text, at, found)


def _numeric(text: str, at: int) -> Element | None:
    """A segment that a number begins, with the word that says what it counts."""
    if not _NUMERIC_START.match(text, at):
        return None
    for kind, pattern in _NUMERIC:
        match = pattern.match(text, at)
        if match is None:
            continue
        if kind == "digits" and re.match(
            r"[一-龥]*?(?:路|街|道|公里|米|国际|酒店|广场|大厦)", text[match.end() : match.end() + 4]
        ):
            return None
        if kind == "zone":
            return Element(_ENDINGS.get(match[0][-1], "poi"), match[0], at, match.end())
        return Element(kind, match[0], at, match.end())
    return None


def _stop(text: str, at: int) -> int:
    """Where the name that begins at `at` ends at the latest: before a number that counts, a relation or a separator."""
    for position in range(at + 1, len(text)):
        if _SEPARATOR.match(text, position):
            return position
        relation = _RELATION.match(text, position) if position - at > 1 else None
        if relation and (text[position] not in "东南西北口处内" or relation.end() - position > 1):
            return position
        numeric = _numeric(text, position)
        if numeric is not None and (numeric.text[0] not in "东南西北中甲乙丙丁第" or numeric.kind == "building"):
            return position
    return len(text)


def _named(text: str, at: int, found: list[Element]) -> int:
    stop = _stop(text, at)
    ranks = [_RANK.get(element.kind, 0) for element in found]
    highest = max(ranks, default=0)
    best: tuple[int, str] | None = None
    for kind, pattern in _PATTERNS:
        match = pattern.match(text, at, stop)
        if match is None or match.end() - at < 2 or (highest >= 5 and kind != "road") or highest >= 7:
            continue
        if kind == "road" and highest >= 5 and not text[match.end() : match.end() + 1].isdigit():
            continue
        end = match.end()
        if best is None or end < best[0] or (end == best[0] and kind == "zone"):
            best = (end, kind)
    if best is None:
        return _place(text, at, stop, found, highest)
    end, kind = best
    inner = [match.end() for match in _POI_END.finditer(text, at + 1, end - 2)] if kind == "road" else []
    if inner and inner[-1] - at > 2 and end - inner[-1] > 2 and text[inner[-1]] not in "东南西北中一二三四五六路街大":
        return _place(text, at, inner[-1], found, highest)
    if kind == "road" and any(element.kind == "road" for element in found):
        kind = "subroad"
    found.append(Element(kind, text[at:end], at, end))
    return _road_part(text, end, found) if kind == "road" else end


def _road_part(text: str, at: int, found: list[Element]) -> int:
    match = _NEXT_ROAD.match(text[at:])
    if match is None:
        return at
    found.append(Element("subroad", match[0], at, at + match.end()))
    return at + match.end()


def _place(text: str, at: int, stop: int, found: list[Element], highest: int) -> int:
    """A compound, its part, or whoever sits in a building."""
    name = text[at:stop]
    tail = re.search(r"(?:[东南西北]{1,2}|口|处|内)$", name)
    if tail and stop == len(text) and len(name) > len(tail[0]) + 1 and tail[0] in ("口", "处", "内"):
        stop, name = stop - len(tail[0]), name[: -len(tail[0])]
    if highest >= 7:
        found.append(Element("occupant", name, at, stop))
        return stop
    if any(element.kind == "poi" for element in found):
        found.append(Element("subpoi", name, at, stop))
        return stop
    ends = [match.end() for match in _POI_END.finditer(name) if match.end() >= 3]
    for end in ends:
        rest = name[end:]
        if rest and _SUBPOI.fullmatch(rest) and len(rest) > 1:
            found.append(Element("poi", name[:end], at, at + end))
            found.append(Element("subpoi", rest, at + end, stop))
            return stop
    found.append(Element("poi", name, at, stop))
    return stop


def _settled(found: list[Element]) -> list[Element]:
    """The elements with what only the neighbours tell: plain digits, numbers behind compounds, numbers of sub-roads."""
    settled: list[Element] = []
    for position, element in enumerate(found):
        rule = _NEIGHBOURS.get(element.kind)
        settled += rule(element, settled, found[position + 1 :]) if rule else [element]
    return settled


def _of_digits(element: Element, before: list[Element], after: list[Element]) -> list[Element]:
    kinds = {other.kind for other in before}
    parts = [(match[0], match.start()) for match in re.finditer(r"[A-Z0-9]+|[^A-Z0-9]+", element.text)]
    numbers = [part for part in parts if part[0][0].isalnum()]
    later = {other.kind for other in after}
    ladder = ["building", "unit", "room"] if len(numbers) > 2 else ["building", "room"] if len(numbers) == 2 else ["room"]
    if "building" in kinds and len(numbers) == 2:
        ladder = ["unit", "room"]
    if len(numbers) == 1 and not kinds & {"poi", "subpoi", "building", "unit", "floor"}:
        ladder = ["number"] if "road" in kinds and "number" not in kinds else ["building"] if "number" not in kinds else ["room"]
    elif len(numbers) == 1 and "building" not in kinds and (len(numbers[0][0]) < 3 or later & {"unit", "room", "floor"}):
        ladder = ["building"]
    if len(numbers) > len(ladder) or not numbers:
        return [
            Element("number" if "road" in kinds and "number" not in kinds else "room", element.text, element.start, element.end)
        ]
    names = iter(ladder)
    made = []
    for word, offset in parts:
        start = element.start + offset
        made.append(Element(next(names) if word[0].isalnum() else "noise", word, start, start + len(word)))
    return made


def _of_number(element: Element, before: list[Element], after: list[Element]) -> list[Element]:
    kinds = {other.kind for other in before}
    kind = element.kind
    if "building" in kinds or "floor" in kinds:
        kind = "room"
    elif re.fullmatch(rf"{_N}[组队]", element.text):
        kind = "road" if "road" not in kinds else "number"
    elif "subroad" in kinds and ("number" in kinds or before[-1].kind == "subroad"):
        kind = "subnumber"
    elif _houses(before, after):
        kind = "building"
    return [element._replace(kind=kind)]


def _houses(before: list[Element], after: list[Element]) -> bool:
    """Whether a number behind these counts houses: behind a lane, or in a compound that has its number already."""
    kinds = {other.kind for other in before}
    if before and before[-1].kind == "number" and before[-1].text.endswith("弄"):
        return True
    return bool(kinds & {"poi", "subpoi"}) and ("number" in kinds or any(o.kind in ("unit", "room", "floor") for o in after))


def _of_building(element: Element, before: list[Element], after: list[Element]) -> list[Element]:
    taken = any(other.kind == "building" for other in before)
    return [element._replace(kind="subpoi" if taken and "座" not in element.text else "building")]


_NEIGHBOURS: dict[str, Callable[[Element, list[Element], list[Element]], list[Element]]] = {
    "digits": _of_digits,
    "number": _of_number,
    "building": _of_building,
}
