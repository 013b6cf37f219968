"""Rows: CKAN's datastore over the rows of datasets, read through the gate and written as loads."""

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

from mumian.elements.catalog.api import TableInfo
from mumian.elements.opening.api import Asker
from mumian.elements.opening.ckan import names, shapes
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.errors import denied, missing, wrong
from mumian.elements.opening.ckan.names import Found
from mumian.elements.opening.rules.asking import Question, parse_sort
from mumian.elements.protection.api import AnswerColumn
from mumian.kernel.errors import Forbidden, NotFound

_FORMATS = ("objects", "lists", "csv", "tsv")
_MOST_SQL = 32_000


async def table(ask: Ask, given: str) -> tuple[Found, TableInfo]:
    """The dataset and the table behind a resource; raises what CKAN answers."""
    try:
        found = await names.resource(ask, given)
        return found, await ask.opening.asking.table(found.dataset.name)
    except NotFound:
        raise missing(f'Resource "{given}" was not found.') from None


async def datastore_search(ask: Ask) -> dict[str, Any]:
    """Search a DataStore resource: filters, q, fields, sort, limit, offset, distinct, include_total, records_format."""
    given = ask.text("resource_id", ask.text("id", "")) or ask.text("resource_id")
    found, info = await table(ask, given)
    format_ = ask.text("records_format", "objects")
    if format_ not in _FORMATS:
        raise wrong(records_format=f'invalid value "{format_}"')
    ask.opening.admit(ask.caller, ask.peer)
    question = _question(ask)
    total = ask.flag("include_total", default=True)
    try:
        answer = await ask.opening.asking.rows(Asker(ask.caller), info, question, total)
    except Forbidden as error:
        raise await ask.opening.opened.explained(found.dataset.name, error) from None
    ask.opening.counting.count(found.dataset.name, "ckan")
    described = {field["name"]: field for field in found.dataset.fields}
    columns = answer.answer.columns
    told: dict[str, Any] = {
        "include_total": total,
        "limit": question.limit,
        "records_format": format_,
        "resource_id": given,
        "total_estimation_threshold": None,
        "records": written(columns, answer.answer.rows, format_),
        "fields": shapes.datastore_fields([(column.name, column.type) for column in columns], described, ask.language),
        "_links": _links(ask, question),
    }
    told |= {key: ask.data[key] for key in ("filters", "q", "sort", "offset", "distinct") if ask.data.get(key)}
    return told | ({"total": answer.total, "total_was_estimated": False} if total else {})


def _question(ask: Ask) -> Question:
    filters = ask.json("filters") or {}
    if not isinstance(filters, dict):
        raise wrong(filters="Not a json object")
    words = ask.json("q") or {}
    if not isinstance(words, str | dict) or (isinstance(words, dict) and not all(isinstance(v, str) for v in words.values())):
        raise wrong(q="must be a text, or texts by field")
    listed = {}
    for name, value in filters.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str | int | float | bool | None) for one in values):
            raise wrong(filters=f'invalid value "{name}"')
        listed[str(name)] = values
    fields = ask.names("fields") or None
    return Question(
        filters=listed,
        words={None: words} if isinstance(words, str) and words else dict(words) if isinstance(words, dict) else {},
        fields=fields,
        sort=parse_sort(ask.data["sort"] if isinstance(ask.data.get("sort"), list) else ask.text("sort", "")),
        limit=ask.number("limit", 100, ask.opening.settings.rows),
        offset=ask.number("offset", 0, 2**40),
        distinct=ask.flag("distinct"),
    )


def written(columns: tuple[AnswerColumn, ...], rows: list[tuple[Any, ...]], format_: str) -> Any:
    """Records in one of CKAN's formats; csv and tsv are texts without a header."""
    if format_ == "objects":
        labels = [column.name for column in columns]
        return [dict(zip(labels, _values(columns, row), strict=True)) for row in rows]
    if format_ == "lists":
        return [_values(columns, row) for row in rows]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t" if format_ == "tsv" else ",", lineterminator="\n")
    writer.writerows([_values(columns, row) for row in rows])
    return buffer.getvalue()


def _values(columns: tuple[AnswerColumn, ...], row: tuple[Any, ...]) -> list[Any]:
    return [
        value.removesuffix("Z") if c.type == "time" and isinstance(value, str) else value
        for c, value in zip(columns, row, strict=True)
    ]


def _links(ask: Ask, question: Question) -> dict[str, str]:
    given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in ask.data.items() if key != "offset"}
    path = "/api/3/action/datastore_search"
    following = {**given, "offset": str(question.offset + question.limit)}
    return {"start": f"{path}?{urlencode(given)}", "next": f"{path}?{urlencode(following)}"}


async def datastore_search_sql(ask: Ask) -> dict[str, Any]:
    """Execute SQL queries on the DataStore: one SELECT over resources by id, reading only what the caller may read."""
    from mumian.elements.opening.ckan import sql

    text = ask.text("sql")
    ask.opening.admit(ask.caller, ask.peer)
    resources = sql.tables(text)
    known = {}
    for given in resources:
        found, _ = await table(ask, given)
        known[given] = found.dataset.name
    if len(set(known.values())) > 20:
        raise wrong(query=["more than 20 resources"])
    try:
        answer = await ask.opening.asking.sql(Asker(ask.caller), sql.rewritten(text, known), _MOST_SQL)
    except Forbidden as error:
        name = next(iter(known.values()), "")
        explained = await ask.opening.opened.explained(name, error) if name else error
        raise explained if explained is not error else denied("Not authorized to read resource.") from None
    for name in set(known.values()):
        ask.opening.counting.count(name, "ckan")
    told: dict[str, Any] = {
        "sql": text,
        "records": written(answer.columns, answer.rows, "objects"),
        "fields": shapes.datastore_fields([(column.name, column.type) for column in answer.columns], {}, ask.language),
    }
    return told | ({"records_truncated": True} if answer.truncated else {})


async def datastore_info(ask: Ask) -> dict[str, Any]:
    """Returns information about the data imported, such as column names and types."""
    given = ask.text("id", ask.text("resource_id", "")) or ask.text("id")
    found, info = await table(ask, given)
    try:
        columns = await ask.opening.asking.fields(Asker(ask.caller), info)
    except Forbidden as error:
        raise await ask.opening.opened.explained(found.dataset.name, error) from None
    described = {field["name"]: field for field in found.dataset.fields}
    listed = shapes.datastore_fields([(n, t) for n, t in columns.items() if n != "_id"], described, ask.language)
    keys = set(info.key)
    for one in listed:
        one["schema"] = {
            "notnull": bool(described.get(one["id"], {}).get("required")),
            "is_index": False,
            "uniquekey": one["id"] in keys,
        }
    return {"meta": {"id": given, "count": info.rows, "table_type": "BASE TABLE", "aliases": []}, "fields": listed}
