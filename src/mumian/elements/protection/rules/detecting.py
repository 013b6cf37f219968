"""Detectors: how values of each category look, as SQL for whole samples, and what a share of matches says about a column.

Checksums: GB 11643-1999 (ID card), GB 32100-2015 (unified social credit code), ISO/IEC 7812-1 Annex B (Luhn, bank cards).
Numbers of phones, plates and passports after the numbering plan of the ministry, GA 36-2018 and the usual forms of passports.
Grades after GB/T 43697-2024; what is sensitive after GB/T 45574-2025: identity papers, bank accounts, places visited.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mumian.elements.protection.contracts import Label

_Condition = Callable[[str], str]
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹"
    "熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔葛赖洪施容区岑冼麦符詹关欧伍甘"
)
_DOUBLE = "欧阳|司马|上官|诸葛|司徒|东方|尉迟|皇甫|公孙|慕容|令狐|端木"
_NAMED = {
    "name": r"姓名|名字|联系人|负责人|法定代表人|经办人|户主|(^|_)(full_?|person_?|contact_?)?name$|surname",
    "address": r"地址|住址|住所|居住地|addr",
    "phone": r"电话|手机|联系方式|phone|mobile|tel($|_)",
    "id_card": r"身份证|公民身份|证件号|id_?card|identity",
    "bank_card": r"银行卡|账号|卡号|bank|account|card_?no",
    "plate": r"车牌|号牌|plate",
    "passport": r"护照|passport",
    "coordinates": r"经度|纬度|坐标|^(lon|lat|lng)|longitude|latitude",
    "email": r"邮箱|邮件|e?mail",
    "credit_code": r"信用代码|credit_?code|uscc",
}
LABELS = {
    "id_card": Label("important", "sensitive", "id_card"),
    "bank_card": Label("important", "sensitive", "bank_card"),
    "passport": Label("important", "sensitive", "passport"),
    "phone": Label("general", "personal", "phone"),
    "name": Label("general", "personal", "name"),
    "address": Label("general", "personal", "address"),
    "email": Label("general", "personal", "email"),
    "plate": Label("general", "personal", "plate"),
    "coordinates": Label("general", "personal", "coordinates"),
    "credit_code": Label("general", "none", "credit_code"),
}
# What chance alone would not give: checksums need few matches, loose forms need many and a telling name beside them.
_LEAST = {"id_card": 0.2, "credit_code": 0.4, "bank_card": 0.8, "phone": 0.4, "email": 0.3, "plate": 0.4, "passport": 0.7}
_LEAST |= {"name": 0.6, "address": 0.5, "coordinates": 0.95}
_NEEDS_NAME = frozenset({"coordinates", "passport"})
_WITH_NAME = 0.5  # a telling name halves the share that is needed


@dataclass(frozen=True)
class Finding:
    """What a detector says of a column: its category, the share of matches among values, and whether the name tells it, too."""

    category: str
    share: float
    named: bool


def condition(category: str, v: str) -> str:
    """The SQL condition that the text expression `v` (a column, not empty) looks like a value of the category."""
    return _CONDITIONS[category](v)


def name_pattern(category: str) -> str:
    """A regular expression for names of fields that hold the category."""
    return _NAMED[category]


def decide(shares: Mapping[str, float], named: Mapping[str, bool]) -> Finding | None:
    """The category that a column most likely holds, or None; shares are matches among values that are there (0 to 1)."""
    fitting = []
    for category, share in shares.items():
        tells = named.get(category, False)
        least = _LEAST[category] * (_WITH_NAME if tells else 1)
        if share >= least and (tells or category not in _NEEDS_NAME):
            fitting.append(Finding(category, share, tells))
    # A checksum says more than a form, and a form more than the shape of words.
    order = list(LABELS)
    return max(fitting, key=lambda f: (f.named, f.share, -order.index(f.category)), default=None)


def masked_example(value: str) -> str:
    """A value as evidence may show it: first and last character, with stars between."""
    return "*" * len(value) if len(value) < 3 else f"{value[0]}{'*' * min(len(value) - 2, 16)}{value[-1]}"


def _id_card(v: str) -> str:
    sum_ = " + ".join(f"{weight} * TRY_CAST(substr({v}, {i + 1}, 1) AS INTEGER)" for i, weight in enumerate(_WEIGHTS))
    shape = rf"regexp_full_match({v}, '[1-9]\d{{5}}(18|19|20)\d{{2}}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{{3}}[\dXx]')"
    return f"CASE WHEN {shape} THEN substr('10X98765432', 1 + ({sum_}) % 11, 1) = upper(substr({v}, 18, 1)) ELSE false END"


def _credit_code(v: str) -> str:
    weights = [pow(3, i, 31) for i in range(17)]
    sum_ = " + ".join(f"{w} * (strpos('{_CREDIT}', substr({v}, {i + 1}, 1)) - 1)" for i, w in enumerate(weights))
    shape = rf"regexp_full_match({v}, '[159AEYNX][0-9A-HJ-NP-RTUWXY]\d{{6}}[0-9A-HJ-NP-RTUWXY]{{10}}')"
    check = f"(31 - ({sum_}) % 31) % 31"
    return f"CASE WHEN {shape} THEN substr('{_CREDIT}', 1 + {check}, 1) = substr({v}, 18, 1) ELSE false END"


def _bank_card(v: str) -> str:
    digit = f"TRY_CAST(substr({v}, length({v}) - {{}}, 1) AS INTEGER)"
    parts = []
    for i in range(19):
        d = digit.format(i)
        term = d if i % 2 == 0 else f"(2 * {d} - CASE WHEN {d} > 4 THEN 9 ELSE 0 END)"
        parts.append(f"CASE WHEN length({v}) > {i} THEN {term} ELSE 0 END")
    return rf"CASE WHEN regexp_full_match({v}, '[3-6]\d{{15,18}}') THEN ({' + '.join(parts)}) % 10 = 0 ELSE false END"


def _matches(pattern: str) -> _Condition:
    text = pattern.replace("'", "''")
    return lambda v: f"regexp_full_match({v}, '{text}')"


_PLACES = "省市区县镇乡村街道路巷弄号栋座楼室苑园里坊"
_CONDITIONS: dict[str, _Condition] = {
    "id_card": _id_card,
    "credit_code": _credit_code,
    "bank_card": _bank_card,
    "phone": _matches(r"(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]?[2-8]\d{6,7}"),
    "email": _matches(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"),
    "plate": _matches(
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Z][A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
    ),
    "passport": _matches(r"[EeGgDdSsPpHh][A-Za-z]?\d{7,8}"),
    "name": _matches(rf"([{_SURNAMES}]|{_DOUBLE})[\x{{4e00}}-\x{{9fa5}}]{{1,2}}(·[\x{{4e00}}-\x{{9fa5}}]{{1,8}})?"),
    "address": lambda v: (
        f"(regexp_matches({v}, '[\\x{{4e00}}-\\x{{9fa5}}].*[{_PLACES}]') AND length({v}) >= 6 "
        f"AND regexp_matches({v}, '[路街道巷镇村区].*([0-9０-９]+|[一二三四五六七八九十]+)[号栋座楼室幢]|[省市].+[区县].+'))"
    ),
    "coordinates": lambda v: f"coalesce(abs(TRY_CAST({v} AS DOUBLE)) BETWEEN 3 AND 136 AND strpos({v}, '.') > 0, false)",
}
CATEGORIES = tuple(_CONDITIONS)
