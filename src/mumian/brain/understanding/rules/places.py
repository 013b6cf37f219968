"""Places in texts: the stretches that look like an address or a named place, for the address parser to judge."""

import re

_ENDINGS = (
    "省|自治区|市|区|县|镇|乡|街道|街|路|大道|大街|巷|弄|胡同|里|村|社区|小区|花园|公寓|大厦|广场|公园|学校|小学|中学|大学|幼儿园|医院|市场|"
    "商场|超市|酒店|车站|地铁站|站|桥|立交|隧道|号|栋|幢|座|单元|楼|工地|苑|园|城|府|湾|庭|里弄|路口|交叉口"
)
_WORD = r"[\u4e00-\u9fffA-Za-z0-9]"
_STRETCH = re.compile(rf"(?:{_WORD}{{1,12}}?(?:{_ENDINGS})(?:\d+号|[A-Za-z0-9]+(?:栋|幢|座|单元|楼|号))?){{1,8}}")
_BEFORE = re.compile(
    "^(?:我们|我|本人|家|现|就|在|住在|居住在|位于|座落于|坐落在|来自|位置在|地址是|地点是|请问|关于|反映|投诉|举报|"
    "尊敬的|领导|您好|你好|是|于|的|从|到|至|和|与|及)+"
)
_MOST = 5


def stretches(text: str, most: int = _MOST) -> list[tuple[int, str]]:
    """The likeliest places of a text, the longest chains first, with where they begin."""
    found = []
    for hit in _STRETCH.finditer(text[:4000]):
        words = hit.group()
        opening = _BEFORE.match(words)
        start = opening.end() if opening else 0
        if len(words) - start >= 3:
            found.append((hit.start() + start, words[start:][:100]))
    return sorted(dict.fromkeys(found), key=lambda each: -len(each[1]))[:most]
