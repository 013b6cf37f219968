"""Asking: filters, words, order and page of a question for rows, as SQL over a dataset with every value bound."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

Scalar = str | int | float | bool | None
_SORT = re.compile(r'^\s*("(?:[^"]|"")+"|[^\s,"]+)(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?\s*$', re.IGNORECASE)
_MOST_VALUES = 1000
_MOST_WORDS = 20


class Refused(ValueError):
    """A part of the question cannot be: `part` is filters, q, fields, sort, limit or offset; `value` what is wrong with it."""

    def __init__(self, part: str, value: Any) -> None:
        self.part, self.value = part, str(value)[:200]
        super().__init__(part, self.value)


@dataclass(frozen=True)
class Question:
    """What is asked of a dataset's rows: `filters` any of the values of a field, `words` all in any field (key None) or in one.

    `fields` None asks for all; `sort` are fields with whether they fall; `after` asks for rows behind the one with that `_id`.
    """

    filters: Mapping[str, Sequence[Scalar]] = field(default_factory=dict)
    words: Mapping[str | None, str] = field(default_factory=dict)
    fields: Sequence[str] | None = None
    sort: Sequence[tuple[str, bool]] = ()
    limit: int = 100
    offset: int = 0
    distinct: bool = False
    after: int | None = None


@dataclass(frozen=True)
class Statement:
    """SQL for the gate, with its parameters; `columns` of the answer that hold rows' numbers are called `_id`."""

    sql: str
    params: dict[str, Scalar]
    count: str


def quoted(name: str) -> str:
    """A quoted SQL name."""
    return '"' + name.replace('"', '""') + '"'


def every(dataset: str) -> str:
    """All rows with all fields that may be seen, and `_id`, which a star takes only where it is spoken of."""
    return f'SELECT * FROM {quoted(dataset)} WHERE "_id" IS NOT NULL'


def statement(dataset: str, fields: Mapping[str, str], question: Question) -> Statement:
    """The SQL of a question over a dataset whose fields have these types; raises Refused."""
    params: dict[str, Scalar] = {}
    conditions = [_filter(name, values, fields, params) for name, values in question.filters.items()]
    conditions += [one for name, text in question.words.items() for one in _words(name, text, fields, params)]
    counted = f"FROM {quoted(dataset)}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
    if question.after is not None:
        conditions.append(f'"_id" > {question.after:d}')
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    shown = list(fields) if question.fields is None else list(question.fields)
    if not shown:
        raise Refused("fields", "")
    names = ", ".join(quoted(_known("fields", name, fields)) for name in shown)
    order = [f"{quoted(_known('sort', name, fields))} {'DESC' if falls else 'ASC'} NULLS LAST" for name, falls in question.sort]
    source = f"FROM {quoted(dataset)}{where}"
    if question.distinct:
        if any(name not in shown for name, _ in question.sort):
            raise Refused("sort", ", ".join(name for name, _ in question.sort))
        rows = f"SELECT DISTINCT {names} {source}"
        count = f"SELECT count(*) AS n FROM ({rows}) AS q"
        ordered = f" ORDER BY {', '.join(order or [quoted(name) for name in shown])}"
    else:
        rows = f"SELECT {names} {source}"
        count = f"SELECT count(*) AS n {counted}"
        ordered = f" ORDER BY {', '.join(order)}" + ("" if "_id" in dict(question.sort) else ', "_id"' if order else '"_id"')
        ordered = ordered if "_id" in fields else (f" ORDER BY {', '.join(order)}" if order else "")
    return Statement(f"{rows}{ordered} LIMIT {question.limit} OFFSET {question.offset}", params, count)


def parse_sort(given: Any) -> list[tuple[str, bool]]:
    """The order in CKAN's notation: `field asc, "other field" desc`, or a list of such; raises Refused."""
    parts = given if isinstance(given, list) else _split(str(given)) if given else []
    found = []
    for part in parts:
        match = _SORT.match(str(part))
        if match is None:
            raise Refused("sort", part)
        name = match[1][1:-1].replace('""', '"') if match[1].startswith('"') else match[1]
        found.append((name, (match[2] or "asc").lower() == "desc"))
    return found


def _split(text: str) -> list[str]:
    """The parts between commas that stand outside quotes."""
    parts = re.findall(r'(?:"(?:[^"]|"")*"|[^,"])+', text)
    if len("".join(parts)) + text.count(",") < len(text):
        raise Refused("sort", text)
    return [part for part in parts if part.strip()]


def typed(type_: str, value: Scalar) -> Scalar:
    """A value as a field of this type takes it; raises ValueError."""
    if value is None or type_ in ("text", "json"):
        return value if value is None or isinstance(value, str) else _plain(value)
    if type_ == "integer":
        number = int(str(value))
        if abs(number) >= 2**63:
            raise ValueError(value)
        return number
    if type_ == "number":
        result = float(value)
        if not isfinite(result):
            raise ValueError(value)
        return result
    if type_ == "boolean":
        return _boolean(value)
    if type_ == "date":
        return date.fromisoformat(str(value)[:10]).isoformat()
    moment = datetime.fromisoformat(str(value))
    moment = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(sep=" ")


def _boolean(value: Scalar) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "false", "t", "f", "1", "0", "yes", "no"):
        raise ValueError(value)
    return text in ("true", "t", "1", "yes")


def _plain(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _known(part: str, name: str, fields: Mapping[str, str]) -> str:
    if name not in fields:
        raise Refused(part, name)
    return name


def _filter(name: str, values: Sequence[Scalar], fields: Mapping[str, str], params: dict[str, Scalar]) -> str:
    type_ = fields[_known("filters", name, fields)]
    if len(values) > _MOST_VALUES:
        raise Refused("filters", f"{name}: more than {_MOST_VALUES} values")
    column, listed, empty = quoted(name), [], False
    for value in values:
        if value is None:
            empty = True
            continue
        try:
            key = f"p{len(params)}"
            params[key] = typed(type_, value)
        except (ValueError, OverflowError, TypeError):
            raise Refused("filters", f"{name}: {value}") from None
        listed.append(f"CAST(${key} AS {_CASTS[type_]})" if type_ in _CASTS else f"${key}")
    parts = [f"{column} IN ({', '.join(listed)})"] if len(listed) > 1 else [f"{column} = {listed[0]}"] if listed else []
    parts += [f"{column} IS NULL"] if empty else []
    return f"({' OR '.join(parts)})" if parts else "FALSE"


_CASTS = {"date": "DATE", "time": "TIMESTAMP", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}


def _words(name: str | None, text: str, fields: Mapping[str, str], params: dict[str, Scalar]) -> list[str]:
    names = [one for one in fields if one != "_id"] if name is None else [_known("q", name, fields)]
    words = text.lower().split()
    if len(words) > _MOST_WORDS or len(text) > 1000:
        raise Refused("q", text)
    listed = ", ".join(f"CAST({quoted(one)} AS VARCHAR)" for one in names)
    found = []
    for word in words:
        key = f"p{len(params)}"
        params[key] = word.removesuffix(":*")
        found.append(f"contains(lower(concat_ws(' ', {listed})), ${key})")
    return found
