"""Queries in Solr's notation, as CKAN's clients send them: filters on known fields, words, and orders."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mumian.elements.opening.ckan.errors import misread

_TERM = re.compile(r'\s*([+-]?)(?:(\w+):)?("(?:[^"\\]|\\.)*"|\((?:[^()"]|"(?:[^"\\]|\\.)*")*\)|[\[{][^\]}]*[\]}]|[^\s()]+)')
_FIELDS = {
    "organization": "owner",
    "owner_org": "owner_id",
    "groups": "theme",
    "res_format": "format",
    "tags": "tags",
    "license_id": "license",
    "name": "name",
    "id": "id",
    "title": "words",
    "notes": "words",
    "text": "words",
    "kind": "kind",
    "origin": "origin",
    "freshness": "freshness",
    "opened": "opened",
    "share": "share",
    "metadata_modified": "changed",
}
_RANGE = re.compile(r"[\[{]\s*(\S+)\s+TO\s+(\S+?)\s*[\]}]")
_ALWAYS = {
    "state": {"active"},
    "dataset_type": {"dataset"},
    "type": {"dataset"},
    "capacity": {"public"},
    "entity_type": {"package"},
}


@dataclass
class Query:
    """What is wanted of each field (any of several values), what is not, and words; when it `changed`, from and to.

    `nothing` where it can match none.
    """

    wanted: dict[str, list[list[str]]] = field(default_factory=dict)
    unwanted: dict[str, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    changed: list[tuple[datetime | None, datetime | None]] = field(default_factory=list)
    nothing: bool = False


def parse(text: str, into: Query, words: bool) -> Query:
    """Read a query; `words` tells whether bare words look for texts (q) or are an error (fq)."""
    text, place = text.strip(), 0
    if text in ("", "*:*", "*"):
        return into
    if len(text) > 5000:
        raise misread(text[:200])
    while place < len(text):
        match = _TERM.match(text, place)
        if match is None:
            if not text[place:].strip():
                break
            if not words:
                raise misread(text)
            into.words.append(re.sub(r"[^\w\s]", " ", text[place:]))
            break
        place = match.end()
        _take(match[1], match[2], match[3], into, words, text)
    return into


def _take(sign: str, name: str | None, value: str, into: Query, words: bool, text: str) -> None:
    if name is None:
        _bare(value, into, words, text)
        return
    values = _values(value)
    if name in _ALWAYS:
        inside = any(one in _ALWAYS[name] or one == "*" for one in values)
        into.nothing |= inside == (sign == "-")
    elif name == "private":
        into.nothing |= ("true" in values) != (sign == "-")
    else:
        _field(sign, _FIELDS.get(name), values, into, words)


def _bare(value: str, into: Query, words: bool, text: str) -> None:
    """What stands without a field: words to look for, or in filters only what holds filters together."""
    if value in ("AND", "OR", "NOT", "&&", "||", "*:*"):
        return
    if words:
        into.words.append(_plain(value).strip("()*~^"))
    elif value.startswith("("):
        parse(value[1:-1], into, words)
    else:
        raise misread(text)


def _field(sign: str, known: str | None, values: list[str], into: Query, words: bool) -> None:
    if known == "words" or (known is None and words):
        into.words += values
    elif known is None:
        into.nothing = into.nothing or sign != "-"
    elif sign == "-":
        into.unwanted.setdefault(known, []).extend(values)
    elif known == "changed":
        into.changed.append(_range(values[0]))
    elif values != ["*"]:
        into.wanted.setdefault(known, []).append(values)


def _range(value: str) -> tuple[datetime | None, datetime | None]:
    """From and to of `[2014-01-01T00:00:00Z TO *]`; raises what CKAN answers."""
    match = _RANGE.fullmatch(value)
    if match is None:
        raise misread(value)
    return _moment(match[1], value), _moment(match[2], value)


def _moment(text: str, whole: str) -> datetime | None:
    if text == "*":
        return None
    now = datetime.now(UTC)
    past = re.fullmatch(r"NOW(?:-(\d{1,5})(DAY|HOUR|MINUTE)S?)?(?:/DAY)?", text)
    if past is not None:
        return now - timedelta(**{f"{(past[2] or 'DAY').lower()}s": int(past[1] or 0)})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise misread(whole) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _values(value: str) -> list[str]:
    if not value.startswith("("):
        return [_plain(value)]
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|[^\s()]+', value[1:-1])
    return [_plain(part) for part in parts if part not in ("OR", "AND", "||")]


def _plain(value: str) -> str:
    inner = value[1:-1] if value.startswith('"') and value.endswith('"') and len(value) > 1 else value
    return re.sub(r"\\(.)", r"\1", inner)


def order(text: str) -> tuple[str, bool]:
    """The catalogue's order for a sort of CKAN's, and whether it runs backwards."""
    first = text.partition(",")[0].strip().lower()
    name, _, direction = first.partition(" ")
    falls = direction.strip() == "desc"
    orders = {"score": ("relevance", False), "relevance": ("relevance", False), "rank": ("relevance", False)}
    if name in orders:
        return orders[name]
    if name in ("metadata_modified", "metadata_created"):
        return "changed", not falls
    if name in ("views_recent", "views_total"):
        return "uses", not falls
    if name in ("name", "title", "title_string", "id"):
        return "name", falls
    raise misread(text)
