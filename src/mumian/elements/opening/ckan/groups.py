"""Groups and organisations written over CKAN's API: groups are themes, organisations are declarations."""

from dataclasses import replace
from typing import Any

from mumian.elements.opening.ckan import names, reading
from mumian.elements.opening.ckan.asking import Ask
from mumian.elements.opening.ckan.errors import denied, wrong
from mumian.elements.opening.ckan.keeping import drop_record, put_record
from mumian.elements.opening.ckan.writing import NAME, SOURCE
from mumian.elements.opening.store import records
from mumian.kernel.declarations.documents import Document

_LEFT_OUT = {"packages", "users", "package_count", "num_followers", "id", "name", "display_name", "image_display_url", "created"}


async def group_create(ask: Ask) -> dict[str, Any]:
    """Create a new group: a theme of the catalogue with a title, a description and a picture."""
    ask.must("open:curate")
    name = _name(ask)
    if await ask.platform.records.read(lambda session: records.find(session, "group", name)) is not None:
        raise wrong(name="Group name already exists in database")
    id_ = ask.text("id", "") or names.id_of("group", name)
    await put_record(ask, "group", name, id_, name, _record(ask.data), [])
    return await reading.group_show(replace(ask, data={"id": name}))


async def group_update(ask: Ask) -> dict[str, Any]:
    """Update a group."""
    ask.must("open:curate")
    name, row = await reading.group_of(ask, ask.text("id"))
    id_ = names.id_of("group", name) if row is None else row["id"]
    await put_record(ask, "group", name, id_, name, _record(ask.data), [])
    return await reading.group_show(replace(ask, data={"id": name}))


async def group_patch(ask: Ask) -> dict[str, Any]:
    """Patch a group: what is not given stays as it is."""
    told = await reading.group_show(replace(ask, data={"id": ask.text("id")}))
    return await group_update(replace(ask, data={**told, **ask.data, "id": told["id"]}))


async def group_delete(ask: Ask) -> None:
    """Delete a group: a theme that datasets still have stays, without what was said of it."""
    ask.must("open:curate")
    _, row = await reading.group_of(ask, ask.text("id"))
    if row is None:
        raise denied("the group is a theme of datasets")
    await drop_record(ask, "group", row)


async def organization_create(ask: Ask) -> dict[str, Any]:
    """Create a new organization; for those who may declare."""
    ask.must("declaration:apply")
    name = _name(ask)
    declared = names.declared_name(name)
    if any(each.name == declared for each in ask.platform.declarations.all("Organisation")):
        raise wrong(name="Group name already exists in database")
    id_ = ask.text("id", "") or names.id_of("organization", declared)
    await _declare(ask, name, id_, declared)
    return await reading.organization_show(replace(ask, data={"id": name}))


async def organization_update(ask: Ask) -> dict[str, Any]:
    """Update an organization; the title of one that is declared in files is changed there."""
    ask.must("declaration:apply")
    given = ask.text("id")
    declared, row = await ask.platform.records.read(lambda session: names.organisation(ask, session, given))
    name = declared.name if row is None else row["name"]
    id_ = names.id_of("organization", declared.name) if row is None else row["id"]
    await _declare(ask, name, id_, declared.name)
    return await reading.organization_show(replace(ask, data={"id": declared.name}))


async def organization_patch(ask: Ask) -> dict[str, Any]:
    """Patch an organization: what is not given stays as it is."""
    told = await reading.organization_show(replace(ask, data={"id": ask.text("id")}))
    return await organization_update(replace(ask, data={**told, **ask.data, "id": told["id"]}))


async def organization_delete(ask: Ask) -> None:
    """Delete an organization that was made here and has no datasets."""
    ask.must("declaration:apply")
    given = ask.text("id")
    declared, row = await ask.platform.records.read(lambda session: names.organisation(ask, session, given))
    if not declared.source.startswith(SOURCE):
        raise denied(f"{declared.name} is declared in files; it is dropped there")
    await ask.platform.declarations.apply([], declared.source, ask.caller.actor, prune=True)
    if row is not None:
        await drop_record(ask, "organization", row)


async def _declare(ask: Ask, name: str, id_: str, declared: str) -> None:
    title = ask.text("title", "") or name
    parents = [each.get("name") for each in ask.data.get("groups") or () if isinstance(each, dict)]
    roots = [
        each.name for each in ask.platform.declarations.all("Organisation") if each.spec.parent is None and each.name != declared
    ]
    existing = next((each for each in ask.platform.declarations.all("Organisation") if each.name == declared), None)
    record = {**_record(ask.data), "title": title}
    if existing is None or existing.source.startswith(SOURCE):
        parent = next(iter([each for each in parents if each] or roots), None)
        spec = {"level": "department" if parent else "city", **({"parent": parent} if parent else {})}
        source = f"{SOURCE}organization {name}"
        document = Document("Organisation", declared, {"zh": title, "en": title}, spec, source)
        ask.platform.declarations.plan([document], source)
        await put_record(ask, "organization", name, id_, declared, record, [])
        await ask.platform.declarations.apply([document], source, ask.caller.actor)
        return
    await put_record(ask, "organization", name, id_, declared, record, [])


def _name(ask: Ask) -> str:
    name = ask.text("name")
    if not NAME.fullmatch(name):
        raise wrong(name="Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_, 2 to 100 of them")
    return name


def _record(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in _LEFT_OUT and value is not None}
