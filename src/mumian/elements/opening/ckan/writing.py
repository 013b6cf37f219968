"""Writing: packages become declarations of datasets, with the caller's own rights; what CKAN knows beyond them is kept beside."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from mumian.elements.catalog.api import Catalog
from mumian.elements.opening.ckan import names, reading
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.errors import CkanError, denied, missing, wrong
from mumian.elements.opening.ckan.keeping import drop_record, files_of, kept_resources, put_record
from mumian.elements.opening.store import records
from mumian.kernel.declarations.documents import Document
from mumian.kernel.errors import NotFound
from mumian.kernel.ids import new_id

SOURCE = "ckan "
NAME = re.compile(r"[a-z0-9_-]{2,100}")
_COMPUTED = frozenset(
    "organization isopen license_title license_url metadata_created metadata_modified num_resources num_tags "
    "relationships_as_subject relationships_as_object state type creator_user_id tag_string tracking_summary".split()
)
_MOST_RESOURCES = 500


async def package_create(ask: Ask) -> dict[str, Any]:
    """Create a new dataset (package). You must be authorized to create new datasets for its organization."""
    data = dict(ask.data)
    name = ask.text("name")
    if not NAME.fullmatch(name):
        raise wrong(name="Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_, 2 to 100 of them")
    declared = names.declared_name(name)
    owner = await _owner(ask, data.get("owner_org"))
    ask.must("open:publish", owner)
    if await _taken(ask, name, declared):
        raise wrong(name="That URL is already in use.")
    id_ = ask.text("id", "") or names.id_of("package", new_id())
    if await ask.platform.records.read(lambda session: records.find(session, "package", id_)) is not None:
        raise wrong(id="Dataset id already exists")
    data |= {"id": id_, "name": name, "creator_user_id": ask.caller.person}
    await _write(ask, data, name, id_, declared, owner)
    return await _shown(ask, declared)


async def package_update(ask: Ask) -> dict[str, Any]:
    """Update a dataset (package): what is not given is dropped."""
    given = ask.text("id", ask.text("name", "")) or ask.text("id")
    row, kept = await own(ask, given)
    name = ask.text("name", row["name"])
    if name != row["name"]:
        raise wrong(name="A package keeps its name here; make a new one")
    data = {**ask.data, "id": row["id"], "name": row["name"], "creator_user_id": kept.get("creator_user_id")}
    data.setdefault("resources", [])
    owner = await _owner(ask, data.get("owner_org") or kept.get("owner_org"))
    ask.must("open:publish", owner)
    await _write(ask, data, row["name"], row["id"], row["declared"], owner)
    return await _shown(ask, row["declared"])


async def package_patch(ask: Ask) -> dict[str, Any]:
    """Patch a dataset (package): what is not given stays as it is."""
    row, kept = await own(ask, ask.text("id"))
    return await package_update(replace(ask, data={**kept, **ask.data, "id": row["id"], "name": row["name"]}))


async def package_delete(ask: Ask) -> None:
    """Delete a dataset (package): it leaves the catalogue, and its files are removed; loaded rows stay in the lake, unseen."""
    row, _ = await own(ask, ask.text("id"))
    await ask.platform.declarations.apply([], SOURCE + row["name"], ask.caller.actor, prune=True)
    await drop_record(ask, "package", row)
    await _settled(ask, row["declared"], gone=True)


async def resource_create(ask: Ask) -> dict[str, Any]:
    """Appends a new resource to a dataset's list of resources; `upload` brings a file."""
    row, kept = await own(ask, ask.text("package_id"))
    given = {key: value for key, value in ask.data.items() if key not in ("package_id", "upload")}
    given["id"] = ask.text("id", "") or names.id_of("resource", new_id())
    if await ask.platform.records.read(lambda session: records.package_of(session, given["id"])) is not None:
        raise wrong(id="Resource id already exists.")
    return await _resources(ask, row, kept, [*kept.get("resources", ()), given], given["id"])


async def resource_update(ask: Ask) -> dict[str, Any]:
    """Update a resource: what is not given is dropped."""
    row, kept, old = await _resource(ask)
    given = {key: value for key, value in ask.data.items() if key not in ("package_id", "upload")}
    if "upload" not in ask.files and given.get("url") in (None, "", old.get("url")):
        given |= {key: old.get(key) for key in ("url", "url_type", "size", "hash", "mimetype")}
    given.setdefault("datastore_active", old.get("datastore_active"))
    listed = [given if one["id"] == old["id"] else one for one in kept["resources"]]
    return await _resources(ask, row, kept, listed, old["id"])


async def resource_patch(ask: Ask) -> dict[str, Any]:
    """Patch a resource: what is not given stays as it is."""
    _, _, old = await _resource(ask)
    return await resource_update(replace(ask, data={**old, **ask.data}))


async def resource_delete(ask: Ask) -> None:
    """Delete a resource from a dataset."""
    row, kept, old = await _resource(ask)
    listed = [one for one in kept["resources"] if one["id"] != old["id"]]
    await put_record(
        ask, "package", row["name"], row["id"], row["declared"], {**kept, "resources": listed}, [r["id"] for r in listed]
    )
    await files_of(ask, [old["id"]])


async def own(ask: Ask, given: str) -> tuple[Any, dict[str, Any]]:
    """The record of a package that the caller may change; raises what CKAN answers."""
    found = await names.package(ask, given)
    ask.must("open:publish", found.dataset.owner)
    source = _source(ask, found.dataset.name)
    if found.row is None or source is None or not source.startswith(SOURCE):
        raise denied(f"{found.dataset.name} is declared in files or comes from elsewhere; it is changed there")
    return found.row, json.loads(found.row["record"])


def _source(ask: Ask, declared: str) -> str | None:
    try:
        return ask.platform.declarations.get("Dataset", declared).source
    except NotFound:
        return None


async def _resource(ask: Ask) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    given = ask.text("id")
    package = await ask.platform.records.read(lambda session: records.package_of(session, given))
    if package is None:
        found = await names.resource(ask, given)
        ask.must("open:publish", found.dataset.owner)
        raise denied(f"the resources of {found.dataset.name} are made by this city")
    row, kept = await own(ask, package)
    old = next((one for one in kept.get("resources", ()) if one["id"] == given), None)
    if old is None:
        raise missing()
    return row, kept, old


async def _resources(ask: Ask, row: Any, kept: dict[str, Any], listed: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    resources = kept_resources(ask, listed, wanted)
    record = {**kept, "resources": resources}
    await put_record(ask, "package", row["name"], row["id"], row["declared"], record, [r["id"] for r in resources], wanted)
    return (await reading.resource_of(ask, wanted))[1]


async def _owner(ask: Ask, given: Any) -> str:
    """The organisation that a package belongs to: as given, or else the caller's."""
    if not given:
        if ask.caller.organisation is None:
            raise wrong(owner_org="An organization must be provided")
        return ask.caller.organisation
    if not isinstance(given, str):
        raise wrong(owner_org="Must be a string")
    try:
        return str((await ask.platform.records.read(lambda session: names.organisation(ask, session, given)))[0].name)
    except CkanError:
        raise wrong(owner_org="Organization does not exist") from None


async def _taken(ask: Ask, name: str, declared: str) -> bool:
    if await ask.platform.records.read(lambda session: records.find(session, "package", name)) is not None:
        return True
    try:
        await ask.platform.get(Catalog).get(declared, ask.platform.clock.now())
    except NotFound:
        return False
    return True


async def _write(ask: Ask, data: dict[str, Any], name: str, id_: str, declared: str, owner: str) -> None:
    """Put the declaration into force and keep the record; what does not fit is refused before anything changes."""
    given = data.get("resources") or []
    if not isinstance(given, list) or len(given) > _MOST_RESOURCES or not all(isinstance(one, dict) for one in given):
        raise wrong(resources="Not a list of resources")
    resources = kept_resources(
        ask, [{**one, "id": str(one.get("id") or names.id_of("resource", new_id()))} for one in given], None
    )
    record = {key: value for key, value in data.items() if key not in _COMPUTED and value is not None}
    record |= {"resources": resources, "owner_org": owner, "private": str(data.get("private", False)).lower() == "true"}
    record["creator_user_id"] = data.get("creator_user_id")
    document = Document("Dataset", declared, _title(data, name), _spec(ask, data, record, declared, owner), f"ckan {name}")
    ask.platform.declarations.plan([document], SOURCE + name)
    await put_record(ask, "package", name, id_, declared, record, [one["id"] for one in resources])
    await ask.platform.declarations.apply([document], SOURCE + name, ask.caller.actor)
    await _settled(ask, declared)


def _title(data: dict[str, Any], name: str) -> dict[str, str]:
    title = str(data.get("title") or name)[:500]
    both = data.get("title_translated") if isinstance(data.get("title_translated"), dict) else {}
    return {language: str((both or {}).get(language) or title) for language in ("zh", "en")}


def _spec(ask: Ask, data: dict[str, Any], record: dict[str, Any], declared: str, owner: str) -> dict[str, Any]:
    """The spec of a dataset: what a package says, and the fields that its rows have."""
    try:
        old = ask.platform.declarations.get("Dataset", declared).body["spec"]
    except NotFound:
        old = {}
    notes = str(data.get("notes") or "").strip()
    url = str(data.get("url") or "")
    address = str(data.get("maintainer_email") or data.get("author_email") or "")[:200]
    tags, groups = _listed(data, "tags"), _listed(data, "groups")
    spec: dict[str, Any] = {
        "owner": owner,
        "opened": "none" if record["private"] else "unconditional",
        "keywords": tags[:50],
        "licence": str(data.get("license_id") or "")[:200] or None,
        "description": {"zh": notes, "en": notes} if notes else None,
        "landing_page": url if re.fullmatch(r"https?://\S{1,990}", url) and urlsplit(url).hostname else None,
        "contact": address or None,
        "theme": groups[0][:80] if groups else None,
    }
    kept = ("fields", "key", "share", "duty", "frequency_seconds")
    return {key: value for key, value in spec.items() if value not in (None, [])} | {key: old[key] for key in kept if key in old}


def _listed(data: dict[str, Any], what: str) -> list[str]:
    """The names of tags or groups."""
    given = data.get(what) or []
    if not isinstance(given, list):
        raise wrong(**{what: "Not a list"})
    found = [one.get("name") if isinstance(one, dict) else one for one in given]
    if what == "tags":
        found += [part.strip() for part in str(data.get("tag_string") or "").split(",")]
    if not all(one is None or isinstance(one, str) for one in found):
        raise wrong(**{what: "Names must be strings"})
    return list(dict.fromkeys(one.strip()[:100] for one in found if one and one.strip()))


async def _shown(ask: Ask, declared: str) -> dict[str, Any]:
    return await reading.package_show(replace(ask, data={"id": declared}))


async def _settled(ask: Ask, declared: str, gone: bool = False) -> None:
    """Wait until the catalogue has heard of a declaration, so that whoever wrote it can read it."""
    catalog, platform = ask.platform.get(Catalog), ask.platform
    wanted = 0 if gone else platform.declarations.get("Dataset", declared).version
    for _ in range(500):
        if platform.clock.stepped:
            await platform.bus.settle()
        try:
            found = await catalog.get(declared, platform.clock.now())
            if not gone and found.version >= wanted:
                return
        except NotFound:
            if gone:
                return
        await asyncio.sleep(0.02)
