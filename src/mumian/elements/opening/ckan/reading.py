"""Reading: packages, resources, organisations, groups, tags, users and the site, as CKAN's actions give them."""

from itertools import pairwise
from typing import Any

from mumian.elements.catalog.api import Catalog, Dataset, Question, sees_all
from mumian.elements.opening.ckan import names, shapes
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.errors import denied, missing
from mumian.elements.opening.ckan.names import Found
from mumian.elements.opening.store import records
from mumian.foundation.identity.api import Identity
from mumian.kernel.unit_of_work import Row

MOST = 1_000_000


async def shown(ask: Ask, found: list[Found]) -> list[dict[str, Any]]:
    """Packages as CKAN shows them."""
    owners = {one.dataset.owner for one in found if one.dataset.owner}
    rows = await ask.platform.records.read(lambda session: records.of(session, "organization", sorted(owners)))
    declared = {d.name: d for d in ask.platform.declarations.all("Organisation")}
    told = {name: shapes.organisation(declared[name], rows.get(name), ask.language) for name in owners if name in declared}
    catalog = ask.platform.get(Catalog)
    return [
        shapes.package(
            one.dataset,
            one.row,
            told.get(one.dataset.owner or ""),
            catalog.distributions(one.dataset) if one.row is None else (),
            ask.address,
            ask.language,
        )
        for one in found
    ]


async def with_rows(ask: Ask, datasets: list[Dataset]) -> list[Found]:
    """Datasets with their records."""
    kept = await ask.platform.records.read(lambda session: records.of(session, "package", [one.name for one in datasets]))
    return [Found(one, kept.get(one.name)) for one in datasets]


async def listed(ask: Ask, question: Question) -> tuple[list[str], int]:
    """The names of all that is found, and how many there are."""
    answer = await ask.platform.get(Catalog).find(question)
    return [name for _, name in answer.hits], answer.total


async def package_list(ask: Ask) -> list[str]:
    """Return a list of the names of the site's datasets (packages)."""
    limit, offset = ask.number("limit", MOST, MOST), ask.number("offset", 0, MOST)
    every = ask.flag("include_private") and sees_all(ask.caller)
    found, _ = await listed(ask, Question(every=every, limit=min(limit + offset, MOST), facets=False))
    page = found[offset : offset + limit]
    kept = await ask.platform.records.read(lambda session: records.of(session, "package", page))
    return [kept[name]["name"] if name in kept else name for name in page]


async def current_package_list_with_resources(ask: Ask) -> list[dict[str, Any]]:
    """Return a list of the site's datasets (packages) and their resources, the last changed first."""
    limit, offset = ask.number("limit", 100, 1000), ask.number("offset", 0, MOST)
    question = Question(order="changed", limit=limit + offset, facets=False)
    found, _ = await ask.platform.get(Catalog).page(question, ask.platform.clock.now())
    return await shown(ask, await with_rows(ask, found[offset:]))


async def package_show(ask: Ask) -> dict[str, Any]:
    """Return the metadata of a dataset (package) and its resources."""
    found = await names.package(ask, ask.text("id"))
    return (await shown(ask, [found]))[0]


async def resource_show(ask: Ask) -> dict[str, Any]:
    """Return the metadata of a resource."""
    return (await resource_of(ask, ask.text("id")))[1]


async def resource_of(ask: Ask, given: str) -> tuple[Found, dict[str, Any]]:
    """A resource with its package; raises what CKAN answers."""
    found = await names.resource(ask, given)
    told = (await shown(ask, [found]))[0]
    for one in told["resources"]:
        if one["id"] == given:
            return found, one
    if given in (told["id"], told["name"]) and told["resources"]:
        return found, told["resources"][0]
    raise missing()


async def resource_search(ask: Ask) -> dict[str, Any]:
    """Searches for resources satisfying a given search criterion: `name:words`, `format:CSV` or `url:part`."""
    asked = ask.names("query") if not isinstance(ask.data.get("query"), str) else [ask.text("query")]
    terms = [one.partition(":")[::2] for one in asked]
    formats = await formats_like(ask, [value for name, value in terms if name == "format"])
    question = Question(wanted={"format": formats} if formats else {}, limit=1000, facets=False)
    found, _ = await ask.platform.get(Catalog).page(question, ask.platform.clock.now())
    every = [one for each in await shown(ask, await with_rows(ask, found)) for one in each["resources"]]
    kept = [one for one in every if all(value.lower() in str(one.get(name, "")).lower() for name, value in terms)]
    offset, limit = ask.number("offset", 0, MOST), ask.number("limit", 100, 1000)
    return {"count": len(kept), "results": kept[offset : offset + limit]}


async def formats_like(ask: Ask, values: list[str]) -> tuple[str, ...]:
    """Formats of the catalogue, whatever their case."""
    answer = await ask.platform.get(Catalog).find(Question(limit=1, every=True))
    plain = {value.casefold() for value in values}
    return tuple(each for each in answer.facets.get("format", {}) if each.casefold() in plain) or tuple(values)


async def resource_view_list(ask: Ask) -> list[Any]:
    """Return the list of resource views for a particular resource: this site keeps none, its pages draw their own."""
    await resource_of(ask, ask.text("id"))
    return []


async def _counts(ask: Ask, facet: str) -> dict[str, int]:
    answer = await ask.platform.get(Catalog).find(Question(limit=1, every=False))
    return answer.facets.get(facet, {})


async def organization_list(ask: Ask) -> list[Any]:
    """Return a list of the names of the site's organizations."""
    counts = await _counts(ask, "owner")
    kept = {row["declared"]: row for row in await ask.platform.records.read(lambda s: records.all_of(s, "organization"))}
    found = [
        shapes.organisation(each, kept.get(each.name), ask.language, counts.get(each.name, 0))
        for each in ask.platform.declarations.all("Organisation")
    ]
    return _page(ask, found, "organizations")


async def organization_show(ask: Ask) -> dict[str, Any]:
    """Return the details of an organization."""
    given = ask.text("id")
    declared, row = await ask.platform.records.read(lambda session: names.organisation(ask, session, given))
    counts = await _counts(ask, "owner")
    told = shapes.organisation(declared, row, ask.language, counts.get(declared.name, 0))
    if ask.flag("include_datasets"):
        question = Question(wanted={"owner": (declared.name,)}, limit=1000, facets=False)
        found, _ = await ask.platform.get(Catalog).page(question, ask.platform.clock.now())
        told["packages"] = await shown(ask, await with_rows(ask, found))
    return told


async def organization_list_for_user(ask: Ask) -> list[dict[str, Any]]:
    """Return the organizations that the user may publish for."""
    if ask.caller.anonymous:
        return []
    allowed = [d for d in ask.platform.declarations.all("Organisation") if ask.caller.allowed("open:publish", d.name)]
    return [{**shapes.organisation(each, None, ask.language), "capacity": "editor"} for each in allowed]


async def group_list(ask: Ask) -> list[Any]:
    """Return a list of the names of the site's groups: the themes of the catalogue."""
    counts = await _counts(ask, "theme")
    kept = {row["name"]: row for row in await ask.platform.records.read(lambda session: records.all_of(session, "group"))}
    found = [shapes.group(name, kept.get(name), counts.get(name, 0)) for name in sorted({*counts, *kept})]
    return _page(ask, found, "groups")


async def group_show(ask: Ask) -> dict[str, Any]:
    """Return the details of a group."""
    name, row = await group_of(ask, ask.text("id"))
    counts = await _counts(ask, "theme")
    told = shapes.group(name, row, counts.get(name, 0))
    if ask.flag("include_datasets"):
        question = Question(wanted={"theme": (name,)}, limit=1000, facets=False)
        found, _ = await ask.platform.get(Catalog).page(question, ask.platform.clock.now())
        told["packages"] = await shown(ask, await with_rows(ask, found))
    return told


async def group_of(ask: Ask, given: str) -> tuple[str, Row | None]:
    """A group's name and record, by name or id; raises what CKAN answers."""
    row = await ask.platform.records.read(lambda session: records.find(session, "group", given))
    if row is not None:
        return row["name"], row
    for name in await _counts(ask, "theme"):
        if given in (name, names.id_of("group", name)):
            return name, None
    raise missing()


def _page(ask: Ask, found: list[dict[str, Any]], wanted: str) -> list[Any]:
    chosen = ask.names(wanted)
    kept = [one for one in found if not chosen or one["name"] in chosen or one["id"] in chosen]
    by, _, direction = (ask.text("sort", "") or ask.text("order_by", "") or "title asc").partition(" ")
    by = {"packages": "package_count"}.get(by, by)
    if by in ("name", "title", "package_count"):
        kept.sort(key=lambda one: one[by], reverse=direction.strip().lower() == "desc")
    offset, limit = ask.number("offset", 0, MOST), ask.number("limit", MOST, MOST)
    page = kept[offset : offset + limit]
    return page if ask.flag("all_fields") else [one["name"] for one in page]


async def tag_list(ask: Ask) -> list[Any]:
    """Return a list of the site's tags."""
    tags = (await names.directory(ask.platform).fresh(ask.platform)).tags
    part = ask.text("query", "").lower()
    found = [name for name in sorted(tags) if part in name.lower()]
    return [shapes.tag(name) for name in found] if ask.flag("all_fields") else found


async def tag_show(ask: Ask) -> dict[str, Any]:
    """Return the details of a tag."""
    tags = (await names.directory(ask.platform).fresh(ask.platform)).tags
    given = ask.text("id")
    name = next((each for each in tags if given in (each, names.id_of("tag", each))), None)
    if name is None:
        raise missing()
    told = shapes.tag(name)
    if ask.flag("include_datasets"):
        found = [await names.package(ask, each) for each in sorted(tags[name])[:1000]]
        told["packages"] = await shown(ask, found)
    return told


async def tag_search(ask: Ask) -> dict[str, Any]:
    """Return a list of tags whose names contain a given string."""
    found = await tag_autocomplete(ask)
    offset, limit = ask.number("offset", 0, MOST), ask.number("limit", 100, 1000)
    return {"count": len(found), "results": [shapes.tag(name) for name in found[offset : offset + limit]]}


async def tag_autocomplete(ask: Ask) -> list[str]:
    """Return a list of tag names that contain a given string."""
    part = (ask.text("query", "") or ask.text("q", "")).lower()
    tags = (await names.directory(ask.platform).fresh(ask.platform)).tags
    return [name for name in sorted(tags) if part in name.lower()][: ask.number("limit", 10, 1000)]


async def package_autocomplete(ask: Ask) -> list[dict[str, Any]]:
    """Return a list of datasets (packages) that match a string."""
    text = ask.text("q", "") or ask.text("query", "")
    question = Question(text=text, order="relevance", limit=ask.number("limit", 10, 100), facets=False)
    found, _ = await ask.platform.get(Catalog).page(question, ask.platform.clock.now())
    told = await shown(ask, await with_rows(ask, found))
    return [
        {"name": each["name"], "title": each["title"], "match_field": "title", "match_displayed": each["title"]} for each in told
    ]


async def license_list(ask: Ask) -> list[dict[str, Any]]:
    """Return the list of licenses available for datasets on the site."""
    return [
        {
            "id": id_,
            "title": title,
            "url": url,
            "is_okd_compliant": free,
            "od_conformance": "approved" if free else "",
            "status": "active",
        }
        for id_, title, url, free in shapes.LICENCES
    ]


async def user_list(ask: Ask) -> list[Any]:
    """Return a list of the site's user accounts; for those who may see people."""
    if not ask.caller.allowed("person:read"):
        raise denied("requires an authenticated user")
    found = await _users(ask)
    part = ask.text("q", "").lower()
    kept = [one for one in found if part in one["name"] or part in one["fullname"].lower()]
    return kept if ask.flag("all_fields", default=True) else [one["name"] for one in kept]


async def user_show(ask: Ask) -> dict[str, Any]:
    """Return a user account: the own one, or any for those who may see people."""
    caller, given = ask.caller, ask.text("id", ask.caller.login or "")
    if given and given in (caller.login, caller.person):
        title = caller.title.get(ask.language) or given
        return {**_user(caller.person or given, caller.login or given, title), "sysadmin": "administrator" in caller.actor.roles}
    if not caller.allowed("person:read"):
        raise missing() if given else denied()
    found = next((one for one in await _users(ask) if given in (one["id"], one["name"])), None)
    if found is None:
        raise missing()
    return found


async def _users(ask: Ask) -> list[dict[str, Any]]:
    """All people: identity gives their titles by id, then by login."""
    titles = await ask.platform.get(Identity).titles()
    keys = list(titles)
    people = [(id_, login) for id_, login in pairwise(keys) if id_.isupper() and login.islower() and titles[id_] == titles[login]]
    return [_user(id_, login, titles[id_][ask.language]) for id_, login in people]


def _user(id_: str, login: str, title: str) -> dict[str, Any]:
    told = {
        "id": id_,
        "name": login,
        "fullname": title,
        "display_name": title,
        "state": "active",
        "sysadmin": False,
        "about": None,
    }
    return {
        **told,
        "email_hash": "",
        "number_created_packages": 0,
        "activity_streams_email_notifications": False,
        "created": None,
    }


async def status_show(ask: Ask) -> dict[str, Any]:
    """Return a dictionary with information about the site's configuration: it speaks the API of CKAN 2.10."""
    cities = ask.platform.declarations.all("City")
    title = cities[0].title[ask.language] if cities else "Mumian"
    told = {
        "ckan_version": "2.10.0",
        "site_title": title,
        "site_description": "",
        "site_url": ask.address,
        "error_emails_to": None,
    }
    return {**told, "locale_default": ask.language, "extensions": ["datastore"]}


async def site_read(ask: Ask) -> bool:
    """Return True."""
    return True


async def vocabulary_list(ask: Ask) -> list[Any]:
    """Return a list of all the site's tag vocabularies: there are none, tags are free."""
    return []
