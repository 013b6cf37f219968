"""Divisions 行政区划: finds province, city, district and street in a text, in any of their names, as one chain of codes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mumian.foundation.addresses.contracts import Element, Place

LEVELS = {2: 0, 4: 1, 6: 2, 9: 3}
KINDS = ("province", "city", "district", "street")
_PEOPLES = (
    "维吾尔|哈尼族|彝族|壮族|苗族|布依族|侗族|土家族|藏族|羌族|回族|蒙古族?|朝鲜族|傣族|景颇族|白族|傈僳族|哈萨克|柯尔克孜|"
    "黎族|满族|瑶族|仫佬族|毛南族|仡佬族|水族|拉祜族|佤族|纳西族|独龙族|怒族|普米族|布朗族|畲族|撒拉族|保安族|东乡族|裕固族|土族|"
    "达斡尔族|鄂温克族|锡伯族|塔吉克|各族|联合"
)
_PEOPLE = re.compile(rf"(?<=..)(?:{_PEOPLES})+(?=自治)")
_SUFFIX = (
    re.compile(r"(?<=..)(?:特别行政区|自治区|省|市)$"),
    re.compile(r"(?<=..)(?:自治州|地区|盟|市)$"),
    re.compile(r"(?<=..)(?:自治县|自治旗|林区|新区|特区|市|区|县|旗)$"),
)
_REGION = re.compile(r"(?:维吾尔|壮族|回族)自治区$")
_ROADLIKE = re.compile(r"[东西南北中]?[一二三四五六七八九十\d]{0,2}(?:路|街(?!道)|大道|大街|巷|弄|胡同)")
_PLACELIKE = re.compile(
    r"[东西南北中]?[一二三四五六七八九十\d]{0,2}(?:路|街|大道|大街|巷|弄|胡同|桥|村|乡|镇|站|港|国际|大厦|花园|广场|公寓|酒店|银行|学院|"
    r"大学|中学|公司|小区|工业|社区|新村|新城|市场|商|科技|园|城)"
)
_STREET_FORMS = (
    ("街道", "街道办事处"), ("街道", "街道办"), ("街道", "办事处"), ("街道", "街"), ("街道", "镇"), ("街道", "乡"), ("街道", ""),
    ("镇", "镇人民政府"), ("镇", "街道"), ("镇", "乡"), ("镇", ""), ("乡", "镇"), ("乡", "街道"),
)  # fmt: skip
MOST = 16
FULL, SHORT, FORMER = 0, 1, 2


class Name(NamedTuple):
    """What a name may stand for: a code, and whether it is its full, a short or a former name."""

    code: str
    form: int


class _Chain(NamedTuple):
    score: float
    end: int
    code: str
    parts: tuple[tuple[int, int, Name], ...]


class Divisions:
    """The table of divisions in force and the names that they have and had."""

    def __init__(self, names: Mapping[str, str], former: Iterable[tuple[str, str]] = ()) -> None:
        """`names` maps codes of 2, 4, 6 or 9 digits to standard names; `former` yields former or other names with their code."""
        self.names = dict(names)
        self._forms: dict[str, list[Name]] = {}
        for code, name in self.names.items():
            self._add(name, Name(code, FULL))
            for short in short_names(name, LEVELS[len(code)]):
                self._add(short, Name(code, SHORT))
        for name, code in former:
            self._add(name, Name(code, FORMER))
            for short in short_names(name, LEVELS[len(code)]) if len(code) < 9 else ():
                self._add(short, Name(code, SHORT))
        lengths: dict[str, set[int]] = {}
        for name in self._forms:
            lengths.setdefault(name[:2], set()).add(len(name))
        self._lengths = {begin: sorted(found, reverse=True) for begin, found in lengths.items()}

    def _add(self, form: str, name: Name) -> None:
        known = self._forms.setdefault(form, [])
        if all(name.code != other.code for other in known):
            known.append(name)

    def having(self, form: str) -> list[Name]:
        """The divisions that a name may stand for."""
        return self._forms.get(form, [])

    def chain(self, code: str) -> tuple[str, str, str, str]:
        """The standard names of province, city, district and street of a code; empty below it and where there is none."""
        found = [self.names.get(code[:length], "") if len(code) >= length else "" for length in LEVELS]
        found[1] = found[1] or (found[0] if found[0].endswith("市") else "")
        return found[0], found[1], found[2], found[3]

    def starting(self, text: str, start: int) -> Iterable[tuple[int, list[Name]]]:
        """Every name that stands at `start` of the text, the longest first, with its end."""
        for length in self._lengths.get(text[start : start + 2], ()):
            found = self._forms.get(text[start : start + length])
            if found and start + length <= len(text):
                yield start + length, found

    def resolve(self, text: str, start: int = 0, home: Sequence[str] = ()) -> tuple[list[Element], Place, int]:
        """The divisions that a text begins with: elements, the place that they name, and where the rest begins.

        `home` are codes that win where a name alone is ambiguous, as the city's own.
        """
        chains = self._chains(text, start)
        best = max((chain.score for chain in chains), default=0.0)
        if not best:
            return [], Place(), start
        equal = [chain for chain in chains if chain.score == best]
        chosen = _preferred(equal, home)
        elements = [Element(self._kind(n.code), text[a:b], a, b) for a, b, n in chosen.parts]
        return elements, self._place(chosen, equal, home), chosen.end

    def mentioned(self, text: str, start: int) -> Place:
        """The first city or province that a text speaks of anywhere, as 北京 in 北京路: better than nothing, and said so."""
        for position in range(start, len(text)):
            for _, found in self.starting(text, position):
                codes = [name.code for name in found if len(name.code) in (2, 4)]
                if len(codes) == 1:
                    return _place(codes[0], list(self.chain(codes[0])), (), ("mentioned",))
        return Place()

    def _kind(self, code: str) -> str:
        """What a division is called in an address; a city without districts stands in the table as its own only district."""
        if len(code) == 6 and self.names[code] == self.names.get(code[:4]):
            return "city"
        return KINDS[LEVELS[len(code)]]

    def _chains(self, text: str, start: int) -> list[_Chain]:
        waiting, done = [_Chain(0.0, start, "", ())], list[_Chain]()
        while waiting and len(done) < 4000:
            chain = waiting.pop()
            done.append(chain)
            begin = chain.end
            while begin < len(text) and text[begin] in " ,，-·/":
                begin += 1
            if chain.code and text.startswith("市辖区", begin):
                begin += 3
            for end, names in self.starting(text, begin):
                for name in names:
                    further = _extend(chain, name, text, begin, end)
                    if further is not None:
                        waiting.append(further)
        return done[1:]

    def _place(self, chosen: _Chain, equal: list[_Chain], home: Sequence[str]) -> Place:
        reasons = [f"former:{self.names.get(n.code, '')}" for _, _, n in chosen.parts if n.form == FORMER]
        codes = sorted({chain.code for chain in equal if len(chain.code) == len(chosen.code)})
        code = chosen.code
        others: tuple[str, ...] = ()
        if len(codes) > 1 and not any(code.startswith(region) for region in home):
            others = tuple(other for other in codes if other != code)
            shared = _shared(codes)
            names = list(self.chain(shared))
            names[LEVELS[len(code)]] = self.names.get(code, "")
            return _place(shared, names, (code, *others), (*reasons, "ambiguous"))
        return _place(code, list(self.chain(code)), (), tuple(reasons))


def _place(code: str, names: list[str], others: tuple[str, ...], reasons: tuple[str, ...]) -> Place:
    province, city, district, street = (code[:length] if len(code) >= length else "" for length in LEVELS)
    return Place(province, city, district, street, (names[0], names[1], names[2], names[3]), others, reasons)


def _extend(chain: _Chain, name: Name, text: str, begin: int, end: int) -> _Chain | None:
    """The chain with one more name, or None where it does not belong below what there is."""
    level = LEVELS[len(name.code)]
    if chain.code and (len(name.code) <= len(chain.code) or not name.code.startswith(chain.code)):
        return None
    weak = name.form == SHORT
    if weak and (_ROADLIKE if level < 2 else _PLACELIKE).match(text, end):
        return None
    if weak and level == 3 and (len(chain.code) < 6 or end == len(text)) and text[end - 1] not in "道镇乡街处办府":
        return None
    if level == 3 and not chain.code and end - begin < 3:
        return None
    if level == 3 and text[end - 1] == "街" and (not chain.code or text[end : end + 1].isdigit()):
        return None
    length = end - begin
    worth = length * (1.0 if not weak else 0.55) + (0.0 if level == 3 else 0.02 * (3 - level))
    if level == 3 and len(chain.code) < 6:
        worth -= 0.6
    return _Chain(round(chain.score + worth, 4), end, name.code, (*chain.parts, (begin, end, name)))


def _preferred(equal: list[_Chain], home: Sequence[str]) -> _Chain:
    return min(equal, key=lambda chain: (not any(chain.code.startswith(region) for region in home), len(chain.code), chain.code))


def _shared(codes: Sequence[str]) -> str:
    """The longest whole division that all codes lie in."""
    return next((codes[0][:n] for n in (6, 4, 2) if all(c[:n] == codes[0][:n] and len(c) > n for c in codes)), "")


def short_names(name: str, level: int) -> list[str]:
    """Short forms of a division's name: without its suffix, without the names of peoples in autonomous divisions."""
    if level == 3:
        forms = [name[: -len(end)] + other for end, other in _STREET_FORMS if name.endswith(end) and len(name) > len(end) + 1]
        return [form for form in forms if form[-1] not in "路巷" and not form.endswith(("大街", "大道"))]
    bare = _PEOPLE.sub("", name)
    found = [] if bare == name else [bare]
    base = _REGION.sub("", name) if _REGION.search(name) else _SUFFIX[level].sub("", bare)
    return [*found, base] if base not in (name, bare) and len(base) > 1 else found
