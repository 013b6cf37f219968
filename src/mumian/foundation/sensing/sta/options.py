"""Query options of SensorThings: `$filter $orderby $top $skip $count $select $expand $resultFormat`, nested ones included."""

import base64
import binascii
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from mumian.foundation.sensing.sta.grammar import parse_filter, parse_orderby
from mumian.foundation.sensing.sta.syntax import Expression
from mumian.kernel.errors import Fault, Invalid, Malformed

NESTED = ("$top", "$skip", "$count", "$orderby", "$select", "$filter", "$expand")
NAMES = (*NESTED, "$resultFormat")
FORMATS = {"": "json", "json": "json", "default": "json", "dataarray": "dataArray", "csv": "CSV"}
DEFAULT_TOP, MOST_TOP = 100, 10_000
_MOST_SKIP, _MOST_TEXT, _DEEPEST, _MOST_LINKS = 2**53, 20_000, 8, 40
_MOST_REMEMBERED = 2_000
_TOKEN = "$skiptoken"  # noqa: S105


@dataclass(frozen=True)
class Options:
    """What a request asks for; `expand` maps a navigation link to the options of what it leads to.

    `after` are the sort keys of the last entity of the page before; `option` is where the options stand, for faults.
    """

    top: int = DEFAULT_TOP
    skip: int = 0
    count: bool = False
    orderby: tuple[tuple[Expression, bool], ...] = ()
    select: tuple[tuple[str, ...], ...] = ()
    filter: Expression | None = None
    expand: "dict[str, Options]" = field(default_factory=dict)
    format: str = "json"
    after: tuple[Any, ...] | None = None
    given: tuple[tuple[str, str], ...] = ()
    option: str = ""

    def next_query(self, after: list[Any]) -> str:
        """The query string of the page that begins behind the entity with these sort keys."""
        token = base64.urlsafe_b64encode(msgspec.json.encode(after)).rstrip(b"=").decode()
        return f"{self._kept}{_TOKEN}={token}"

    @cached_property
    def _kept(self) -> str:
        """What the next page asks for as well."""
        kept = [(name, value) for name, value in self.given if name not in ("$skip", _TOKEN)]
        return "".join(f"{name}={quote(value, safe='')}&" for name, value in kept)

    def name(self, option: str) -> str:
        """How a fault calls one of these options."""
        return f"{self.option}.{option}" if self.option else option


def parse_query(query: bytes) -> Options:
    """A query string as options; raises Invalid that names the option."""
    return _remembered(query) if len(query) <= _MOST_REMEMBERED else _parsed(query)


def _parsed(query: bytes) -> Options:
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        raise Malformed(Fault("query", "field.syntax", {"reason": str(error)[:200]})) from None
    return _options(pairs, "", 0)


_remembered = lru_cache(2048)(_parsed)


def _options(pairs: list[tuple[str, str]], option: str, depth: int) -> Options:
    names = NESTED if option else (*NAMES, _TOKEN)
    found = Options(given=tuple(pairs), option=option)
    seen: set[str] = set()
    for name, value in pairs:
        if name not in names:
            raise Invalid.field(found.name(name[:100]), "sensing.option", expected=", ".join(NESTED if option else NAMES))
        if name in seen:
            raise Invalid.field(found.name(name), "field.duplicate", name=name)
        if len(value) > _MOST_TEXT or "\x00" in value:
            raise Invalid.field(found.name(name), "field.length", expected=f"≤ {_MOST_TEXT}")
        seen.add(name)
        found = _with(found, name, value, depth)
    return found


def _with(options: Options, name: str, value: str, depth: int) -> Options:
    option = options.name(name)
    if name == "$top":
        return replace(options, top=min(_whole(option, value, MOST_TOP * 1000), MOST_TOP))
    if name == "$skip":
        return replace(options, skip=_whole(option, value, _MOST_SKIP))
    if name == "$count":
        return replace(options, count=_flag(option, value))
    if name == "$orderby":
        return replace(options, orderby=parse_orderby(value, option))
    if name == "$select":
        return replace(options, select=tuple(_selection(part, option) for part in value.split(",")))
    if name == "$filter":
        return replace(options, filter=parse_filter(value, option))
    if name == "$expand":
        return replace(options, expand=_expand(value, option, depth))
    return replace(options, format=_format(option, value)) if name == "$resultFormat" else replace(options, after=_token(value))


def _format(option: str, value: str) -> str:
    if value.lower() not in FORMATS:
        raise Invalid.field(option, "field.choice", expected="dataArray, CSV, json")
    return FORMATS[value.lower()]


def _flag(option: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise Invalid.field(option, "field.choice", expected="true, false")
    return value == "true"


def _whole(option: str, value: str, most: int) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 16 or int(value) > most:
        raise Invalid.field(option, "field.range", expected=f"0…{most}")
    return int(value)


def _token(value: str) -> tuple[Any, ...]:
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        found = None
    keys = found if isinstance(found, list) and 0 < len(found) <= 100 else [[]]
    if not all(key is None or isinstance(key, int | float | str) for key in keys):
        raise Invalid.field(_TOKEN, "field.cursor")
    if any(isinstance(key, int) and abs(key) >= 2**63 for key in keys):
        raise Invalid.field(_TOKEN, "field.cursor")
    return tuple(keys)


def _selection(part: str, option: str) -> tuple[str, ...]:
    steps = tuple(step.strip() for step in part.split("/"))
    if not all(steps) or len(steps) > 20:
        raise Invalid.field(option, "field.pattern", expected="name,properties/owner")
    return steps


def _expand(value: str, option: str, depth: int) -> dict[str, Options]:
    if depth >= _DEEPEST:
        raise Invalid.field(option, "sensing.query.expand_deep", limit=_DEEPEST)
    found: dict[str, Options] = {}
    parts = _split(value, ",")
    if len(parts) > _MOST_LINKS:
        raise Invalid.field(option, "field.length", expected=f"≤ {_MOST_LINKS}")
    for part in parts:
        name, options = _expansion(part.strip(), option, depth)
        found[name] = _merged(found[name], options, option) if name in found else options
    return found


def _expansion(part: str, option: str, depth: int) -> tuple[str, Options]:
    """`Link`, `Link/Link`, `Link($top=1;…)` or `Link/Link($top=1;…)`."""
    path, bracket, inner = part.partition("(")
    name, slash, rest = path.strip().partition("/")
    here = f"{option}.{name}"
    if not name.isidentifier() or (bracket and not inner.endswith(")")):
        raise Invalid.field(option, "field.pattern", expected="Observations($top=1;$orderby=phenomenonTime desc)")
    if slash:
        inside = f"{rest}{bracket}{inner}"
        return name, Options(expand=_expand(inside, here, depth + 1), given=(("$expand", inside),), option=here)
    if not bracket:
        return name, Options(option=here)
    options = [one.strip() for one in _split(inner[:-1], ";")]
    pairs = [(one.partition("=")[0].strip(), one.partition("=")[2]) for one in options if one]
    return name, _options(pairs, here, depth + 1)


def _merged(one: Options, other: Options, option: str) -> Options:
    """What two mentions of a link ask for together: `Datastreams/Thing,Datastreams/Sensor`."""
    plain, rich = (other, one) if _plain(other) else (one, other)
    if not _plain(plain):
        raise Invalid.field(option, "field.duplicate", name=one.option.rpartition(".")[2])
    links = dict(rich.expand)
    for name, options in plain.expand.items():
        links[name] = _merged(links[name], options, option) if name in links else options
    texts = [value for options in (rich, plain) for name, value in options.given if name == "$expand"]
    given = [pair for pair in rich.given if pair[0] != "$expand"] + ([("$expand", ",".join(texts))] if texts else [])
    return replace(rich, expand=links, given=tuple(given))


def _plain(options: Options) -> bool:
    return all(name == "$expand" for name, _ in options.given)


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
