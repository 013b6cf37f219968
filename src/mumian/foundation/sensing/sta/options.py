"""Query options of SensorThings: `$top`, `$skip`, `$count`, `$orderby`, `$select`, `$filter`, `$expand` and `$resultFormat`."""

from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote

from mumian.kernel.errors import Fault, Invalid, Malformed

NAMES = ("$top", "$skip", "$count", "$orderby", "$select", "$filter", "$expand")
_MOST_SKIP = 2**53
DEFAULT_TOP, MOST_TOP = 100, 10_000


@dataclass(frozen=True)
class Options:
    """What a request asks for; `expand` maps a navigation link to the options of what it leads to."""

    top: int = DEFAULT_TOP
    skip: int = 0
    count: bool = False
    orderby: tuple[tuple[str, bool], ...] = ()
    select: tuple[str, ...] = ()
    filter: str = ""
    expand: "dict[str, Options]" = field(default_factory=dict)
    given: tuple[tuple[str, str], ...] = ()

    def next_query(self) -> str:
        """The query string of the following page."""
        kept = [(name, value) for name, value in self.given if name not in ("$skip", "$top")]
        pairs = [*kept, ("$top", str(self.top)), ("$skip", str(self.skip + self.top))]
        return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)


def parse_query(query: bytes) -> Options:
    """A query string as options; raises Invalid that names the option."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        raise Malformed(Fault("query", "field.syntax", {"reason": str(error)[:200]})) from None
    return _options(pairs, depth=0)


def _options(pairs: list[tuple[str, str]], depth: int) -> Options:
    found = Options(given=tuple(pairs))
    seen: set[str] = set()
    for name, value in pairs:
        if name not in NAMES:
            raise Invalid.field(name[:100], "sensing.option", expected=", ".join(NAMES))
        if name in seen:
            raise Invalid.field(name, "field.duplicate", name=name)
        seen.add(name)
        found = _with(found, name, value, depth)
    return found


def _with(options: Options, name: str, value: str, depth: int) -> Options:
    if name == "$top":
        return replace(options, top=min(_whole(name, value, MOST_TOP * 1000), MOST_TOP))
    if name == "$skip":
        return replace(options, skip=_whole(name, value, _MOST_SKIP))
    if name == "$count":
        if value not in ("true", "false"):
            raise Invalid.field(name, "field.choice", expected="true, false")
        return replace(options, count=value == "true")
    if name == "$orderby":
        return replace(options, orderby=tuple(_order(part) for part in value.split(",")))
    if name == "$select":
        return replace(options, select=tuple(part.strip() for part in value.split(",")))
    if name == "$filter":
        return replace(options, filter=value)
    return replace(options, expand=dict(_expansion(part, depth) for part in _split(value, ",")))


def _whole(name: str, value: str, most: int) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 16 or int(value) > most:
        raise Invalid.field(name, "field.range", expected=f"0…{most}")
    return int(value)


def _order(part: str) -> tuple[str, bool]:
    words = part.split()
    if (
        len(words) not in (1, 2)
        or words[-1] in ("asc", "desc")[: 2 * (len(words) == 1)]
        or words[1:] not in ([], ["asc"], ["desc"])
    ):
        raise Invalid.field("$orderby", "field.pattern", expected="name asc, id desc")
    return words[0], words[1:] == ["desc"]


def _expansion(part: str, depth: int) -> tuple[str, Options]:
    name, bracket, inner = part.strip().partition("(")
    if not bracket:
        return name, Options()
    if depth or not inner.endswith(")"):
        raise Invalid.field("$expand", "field.pattern", expected="Observations($top=1;$orderby=phenomenonTime desc)")
    pairs = [tuple(option.strip().partition("=")[::2]) for option in _split(inner[:-1], ";")]
    return name, _options(pairs, depth + 1)  # type: ignore[arg-type]


def _split(text: str, separator: str) -> list[str]:
    """Split at separators that stand outside of parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif not quoted:
            depth += (sign == "(") - (sign == ")")
            if sign == separator and depth == 0:
                parts.append(text[start:at])
                start = at + 1
    return [*parts, text[start:]]
