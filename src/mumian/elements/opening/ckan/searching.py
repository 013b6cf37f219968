"""Searching: package_search with filters, facets, orders and pages of CKAN over the catalogue's own search."""

from collections import Counter
from datetime import datetime
from math import inf
from typing import Any

from mumian.elements.catalog.api import Catalog, Question, sees_all
from mumian.elements.opening.ckan import names, queries, shapes
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.names import Directory
from mumian.elements.opening.ckan.reading import MOST, formats_like, listed, shown, with_rows
from mumian.elements.opening.store import records

_FACETS = {
    "organization": "owner",
    "groups": "theme",
    "res_format": "format",
    "kind": "kind",
    "origin": "origin",
    "freshness": "freshness",
}
_PLAIN = ("owner", "theme", "format", "kind", "origin", "freshness", "opened", "share")


async def package_search(ask: Ask) -> dict[str, Any]:
    """Searches for packages satisfying a given search criteria: q, fq, fq_list, sort, start, rows, facet, facet.field."""
    query = queries.Query()
    queries.parse(ask.text("q", ""), query, words=True)
    for text in [ask.text("fq", ""), *ask.names("fq_list")]:
        queries.parse(text, query, words=False)
    rows, start = (
        ask.number("rows", ask.number("limit", 10, 1000), 1000),
        ask.number("start", ask.number("offset", 0, MOST), MOST),
    )
    words = " ".join(query.words)
    order, back = (
        queries.order(ask.text("sort", "")) if ask.text("sort", "") else ("relevance" if words.strip() else "changed", False)
    )
    known = await names.directory(ask.platform).fresh(ask.platform)
    wanted, narrow = await _wanted(ask, query, known)
    for since, until in query.changed:
        some = await _changed(ask, since, until)
        narrow = some if narrow is None else narrow & some
    every = ask.flag("include_private") and sees_all(ask.caller)
    fields = [] if not ask.flag("facet", default=True) else ask.names("facet.field")
    whole = narrow is not None or back or bool(query.unwanted) or "tags" in fields or "license_id" in fields
    limit = MOST if whole else max(start + rows, 1)
    question = Question(words, wanted, order, every, None, limit, bool(fields))
    if query.nothing:
        return _answer(ask, [], 0, {}, fields, order, {})
    catalog = ask.platform.get(Catalog)
    answer = await catalog.find(question)
    found, total, facets = [name for _, name in answer.hits], answer.total, answer.facets
    if whole:
        banned = await _banned(ask, query, known)
        found = [name for name in found if (narrow is None or name in narrow) and name not in banned]
        found, total = found[::-1] if back else found, len(found)
        if (narrow is not None or banned) and fields:
            facets = {}
    page = found[start : start + rows]
    now = ask.platform.clock.now()
    datasets = [await catalog.get(name, now) for name in page]
    results = await shown(ask, await with_rows(ask, datasets))
    counted = await _facets(ask, fields, facets, found, question, known) if fields else {}
    return _answer(ask, results, total, counted, fields, order, await _titles(ask, counted))


async def _wanted(ask: Ask, query: queries.Query, known: Directory) -> tuple[dict[str, tuple[str, ...]], set[str] | None]:
    """The facets that are wanted, and the names that all else leaves (None: all)."""
    wanted: dict[str, tuple[str, ...]] = {}
    narrow: set[str] | None = None
    for name, lists in query.wanted.items():
        for values in lists:
            if name in ("owner", "owner_id") and await _owners(ask, values):
                wanted["owner"] = tuple(await _owners(ask, values))
            elif name in _PLAIN and name != "owner" and name not in wanted:
                wanted[name] = await formats_like(ask, values) if name == "format" else tuple(values)
            else:
                some = _names(name, values, known)
                narrow = some if narrow is None else narrow & some
    return wanted, narrow


async def _changed(ask: Ask, since: datetime | None, until: datetime | None) -> set[str]:
    """The datasets whose description changed in a time: the catalogue orders by it, in microseconds."""
    low = -inf if since is None else since.timestamp() * 1e6
    high = inf if until is None else until.timestamp() * 1e6
    answer = await ask.platform.get(Catalog).find(Question(every=True, order="changed", limit=MOST, facets=False))
    return {name for moment, name in answer.hits if low <= moment <= high}


async def _owners(ask: Ask, values: list[str]) -> list[str]:
    rows = await ask.platform.records.read(lambda session: [records.find(session, "organization", value) for value in values])
    ids = {names.id_of("organization", d.name): d.name for d in ask.platform.declarations.all("Organisation")}
    return [row["declared"] if row is not None else ids.get(value, value) for row, value in zip(rows, values, strict=True)]


def _names(field: str, values: list[str], known: Directory) -> set[str]:
    """The datasets that have any of these values in a field that the catalogue has no facet for."""
    if field == "tags":
        return set().union(*(known.tags.get(value, set()) for value in values))
    if field == "license":
        return {name for name, licence in known.licences.items() if shapes.licence(licence)[0] in values or licence in values}
    if field == "id":
        return {known.ids[value] for value in values if value in known.ids} | set(values)
    return set(values)


async def _banned(ask: Ask, query: queries.Query, known: Directory) -> set[str]:
    """The datasets that have an unwanted value."""
    found: set[str] = set()
    for field, values in query.unwanted.items():
        if field in _PLAIN or field == "owner_id":
            facet = "owner" if field == "owner_id" else field
            chosen = tuple(await _owners(ask, values)) if facet == "owner" else tuple(values)
            hits, _ = await listed(ask, Question(wanted={facet: chosen}, every=True, limit=MOST, facets=False))
            found |= set(hits)
        else:
            found |= _names(field, values, known)
    return found


async def _facets(
    ask: Ask, fields: list[str], facets: dict[str, dict[str, int]], found: list[str], question: Question, known: Directory
) -> dict[str, dict[str, int]]:
    """How often each value occurs in what was found."""
    counted: dict[str, dict[str, int]] = {}
    chosen = set(found)
    for field in fields:
        if field == "tags":
            counted[field] = {tag: len(of & chosen) for tag, of in known.tags.items() if of & chosen}
        elif field == "license_id":
            counted[field] = dict(Counter(shapes.licence(known.licences.get(name))[0] for name in found))
        elif field in _FACETS and facets:
            values = facets.get(_FACETS[field], {})
            only = question.wanted.get(_FACETS[field])
            counted[field] = {value: n for value, n in values.items() if only is None or value in only}
        elif field in _FACETS:
            counted[field] = await _counted(ask, _FACETS[field], found)
        else:
            counted[field] = {}
    most = ask.data.get("facet.limit")
    limit = ask.number("facet.limit", 50, 10_000) if most not in (-1, "-1") else 10_000
    return {field: dict(sorted(each.items(), key=lambda one: (-one[1], one[0]))[:limit]) for field, each in counted.items()}


async def _counted(ask: Ask, facet: str, found: list[str]) -> dict[str, int]:
    """A facet of names that were narrowed beyond what the catalogue counts."""
    answer = await ask.platform.get(Catalog).find(Question(every=True, limit=1))
    chosen, counts = set(found), {}
    for value in answer.facets.get(facet, {}):
        hits, _ = await listed(ask, Question(wanted={facet: (value,)}, every=True, limit=MOST, facets=False))
        count = len(chosen.intersection(hits))
        if count:
            counts[value] = count
    return counts


async def _titles(ask: Ask, counted: dict[str, dict[str, int]]) -> dict[str, dict[str, str]]:
    owners = {d.name: d.title[ask.language] for d in ask.platform.declarations.all("Organisation")}
    licences = {id_: title for id_, title, _, _ in shapes.LICENCES}
    return {"organization": owners, "license_id": licences} if counted else {}


def _answer(
    ask: Ask,
    results: list[dict[str, Any]],
    total: int,
    counted: dict[str, dict[str, int]],
    fields: list[str],
    order: str,
    titles: dict[str, dict[str, str]],
) -> dict[str, Any]:
    shown_ = {
        field: {
            "title": field,
            "items": [
                {"name": value, "display_name": titles.get(field, {}).get(value, value), "count": number}
                for value, number in counted.get(field, {}).items()
            ],
        }
        for field in fields
    }
    sort = ask.text("sort", "") or ("score desc, metadata_modified desc" if order == "relevance" else "metadata_modified desc")
    return {"count": total, "facets": counted, "results": results, "sort": sort, "search_facets": shown_}
