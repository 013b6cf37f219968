"""Shapes: datasets, organisations, groups and tags of this city as CKAN shows them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mumian.elements.catalog.api import Dataset, Distribution
from mumian.elements.opening.ckan.names import id_of
from mumian.kernel.unit_of_work import Row

LICENCES: tuple[tuple[str, str, str, bool], ...] = (
    ("cc-by", "Creative Commons Attribution", "https://creativecommons.org/licenses/by/4.0/", True),
    ("cc-by-sa", "Creative Commons Attribution Share-Alike", "https://creativecommons.org/licenses/by-sa/4.0/", True),
    ("cc-zero", "Creative Commons CCZero", "https://creativecommons.org/publicdomain/zero/1.0/", True),
    ("cc-nc", "Creative Commons Non-Commercial (Any)", "https://creativecommons.org/licenses/by-nc/2.0/", False),
    ("odc-by", "Open Data Commons Attribution License", "https://opendatacommons.org/licenses/by/", True),
    ("odc-odbl", "Open Data Commons Open Database License (ODbL)", "https://opendatacommons.org/licenses/odbl/", True),
    (
        "odc-pddl",
        "Open Data Commons Public Domain Dedication and License (PDDL)",
        "https://opendatacommons.org/licenses/pddl/",
        True,
    ),
    ("notspecified", "License not specified", "", False),
    ("other-open", "Other (Open)", "", True),
    ("other-closed", "Other (Not Open)", "", False),
)
_KNOWN = {id_: (title, url, free) for id_, title, url, free in LICENCES}
_EXTRAS = ("theme", "share", "opened", "frequency_seconds", "freshness", "score", "rows", "publisher", "source", "unit", "duty")
_TYPES = {
    "text": "text",
    "integer": "int8",
    "number": "float8",
    "boolean": "bool",
    "date": "date",
    "time": "timestamp",
    "json": "json",
}


def naive(moment: str | None) -> str | None:
    """A time as CKAN writes it: UTC without saying so, with microseconds."""
    if not moment:
        return None
    plain = moment.removesuffix("Z").removesuffix("+00:00")
    return plain if "." in plain or "T" not in plain else f"{plain}.000000"


def datastore_type(type_: str) -> str:
    """The name of a type in CKAN's datastore."""
    return _TYPES.get(type_, "text")


def organisation(declared: Any, row: Row | None, language: str, count: int | None = None) -> dict[str, Any]:
    """An organisation; with the number of its packages where it was counted."""
    kept: dict[str, Any] = {} if row is None else json.loads(row["record"])
    title = declared.title[language] if row is None else kept.get("title") or declared.title[language]
    name = declared.name if row is None else row["name"]
    told: dict[str, Any] = {
        "id": id_of("organization", declared.name) if row is None else row["id"],
        "name": name,
        "title": title,
        "display_name": title,
        "type": "organization",
        "is_organization": True,
        "description": "",
        "image_url": "",
        "image_display_url": "",
        "created": None if row is None else naive(row["changed_at"]),
        "approval_status": "approved",
        "state": "active",
        "extras": [],
        "groups": [{"name": declared.spec.parent, "capacity": "public"}] if declared.spec.parent else [],
        "tags": [],
        "users": [],
    }
    told |= {key: value for key, value in kept.items() if key not in ("id", "name", "users", "packages")}
    return told if count is None else {**told, "package_count": count, "num_followers": 0}


def group(name: str, row: Row | None, count: int | None = None) -> dict[str, Any]:
    """A group: a theme of the catalogue, or one that was made over this API."""
    kept: dict[str, Any] = {} if row is None else json.loads(row["record"])
    title = kept.get("title") or name
    told: dict[str, Any] = {
        "id": id_of("group", name) if row is None else row["id"],
        "name": name,
        "title": title,
        "display_name": title,
        "type": "group",
        "is_organization": False,
        "description": "",
        "image_url": "",
        "image_display_url": "",
        "created": None if row is None else naive(row["changed_at"]),
        "approval_status": "approved",
        "state": "active",
        "extras": [],
        "groups": [],
        "tags": [],
        "users": [],
    }
    told |= {key: value for key, value in kept.items() if key not in ("id", "name", "users", "packages")}
    return told if count is None else {**told, "package_count": count, "num_followers": 0}


def tag(name: str) -> dict[str, Any]:
    """A free tag."""
    return {"id": id_of("tag", name), "name": name, "display_name": name, "state": "active", "vocabulary_id": None}


def package(
    found: Dataset,
    row: Row | None,
    owner: dict[str, Any] | None,
    ways: Iterable[Distribution],
    address: str,
    language: str,
) -> dict[str, Any]:
    """A dataset; what was written over this API is shown as it was written."""
    kept: dict[str, Any] = {} if row is None else json.loads(row["record"])
    id_ = id_of("package", found.name) if row is None else row["id"]
    told = _described(found, id_, owner, language)
    told["resources"] = kept.get("resources") if row is not None else resources(found, id_, ways, address)
    own = ("id", "name", "resources", "organization", "owner_org", "private", "tags")
    told |= {key: value for key, value in kept.items() if key not in own}
    if row is not None:
        told |= {
            "name": row["name"],
            "tags": [tag(each) for each in found.keywords],
            "creator_user_id": kept.get("creator_user_id"),
        }
        told["groups"] = [group(each["name"], None) | each for each in kept.get("groups", ()) if each.get("name")]
        told["resources"] = [{**each, "package_id": id_, "position": i} for i, each in enumerate(told["resources"] or ())]
    told["num_resources"], told["num_tags"] = len(told["resources"]), len(told["tags"])
    return told


def _described(found: Dataset, id_: str, owner: dict[str, Any] | None, language: str) -> dict[str, Any]:
    description = found.description or {}
    id_licence, title, url, free = licence(found.licence)
    extras = {key: getattr(found, key) for key in _EXTRAS} | {
        "title_zh": found.title.get("zh"),
        "title_en": found.title.get("en"),
    }
    return {
        "id": id_,
        "name": found.name,
        "title": found.title.get(language) or next(iter(found.title.values()), found.name),
        "notes": description.get(language) or next(iter(description.values()), ""),
        "author": found.publisher or "",
        "author_email": "",
        "maintainer": "",
        "maintainer_email": found.contact or "",
        "license_id": id_licence,
        "license_title": title,
        "license_url": url,
        "isopen": free,
        "url": found.landing_page or found.source_url or "",
        "version": str(found.version),
        "metadata_created": naive(found.entered_at),
        "metadata_modified": naive(found.changed_at),
        "creator_user_id": None,
        "owner_org": None if owner is None else owner["id"],
        "organization": owner,
        "private": found.opened == "none" and found.kind == "dataset",
        "state": "active",
        "type": "dataset",
        "extras": [{"key": key, "value": str(value)} for key, value in sorted(extras.items()) if value is not None],
        "groups": [group(found.theme, None)] if found.theme else [],
        "tags": [tag(each) for each in found.keywords],
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def resources(found: Dataset, id_: str, ways: Iterable[Distribution], address: str) -> list[dict[str, Any]]:
    """The ways to have a dataset's data; the rows of the first are asked for with datastore_search."""
    listed: list[dict[str, Any]] = []
    used: set[str] = set()
    for way in ways:
        ending = "".join(c if c.isalnum() else "-" for c in way.format.lower()) or "data"
        ending = ending if ending not in used else f"{ending}-{len(used)}"
        used.add(ending)
        url = f"{address}{way.url}" if way.url.startswith("/") else way.url
        told = resource(f"{id_}.{ending}", url, way.format)
        name = way.title.get("en") or way.title.get("zh") or way.format
        told |= {"name": f"{name} ({way.format})", "mimetype": way.media_type, "size": way.bytes, "package_id": id_}
        told |= {"created": naive(found.entered_at), "last_modified": naive(found.changed_at), "position": len(listed)}
        told["datastore_active"] = found.kind == "dataset" and found.rows is not None and way.format == "CSV"
        listed.append(told)
    return listed


def resource(id_: str, url: str, format_: str) -> dict[str, Any]:
    """A resource with the keys that every one has."""
    return {
        "id": id_,
        "name": "",
        "description": "",
        "url": url,
        "url_type": None,
        "format": format_,
        "mimetype": None,
        "mimetype_inner": None,
        "size": None,
        "hash": "",
        "created": None,
        "last_modified": None,
        "metadata_modified": None,
        "resource_type": None,
        "cache_url": None,
        "cache_last_updated": None,
        "datastore_active": False,
        "position": 0,
        "state": "active",
    }


def licence(given: str | None) -> tuple[str, str, str, bool]:
    """Id, title and address of a licence, and whether it is an open one; what CKAN does not know keeps its own words."""
    if not given:
        return "notspecified", *_KNOWN["notspecified"]
    if given in _KNOWN:
        return given, *_KNOWN[given]
    plain = given.casefold().replace(" ", "-")
    for begin, id_ in (
        ("cc-by-sa", "cc-by-sa"),
        ("cc-by-nc", "cc-nc"),
        ("cc-by", "cc-by"),
        ("cc0", "cc-zero"),
        ("odbl", "odc-odbl"),
    ):
        if plain.startswith(begin):
            return id_, given, _KNOWN[id_][1], _KNOWN[id_][2]
    return "other-open" if "open" in plain else "notspecified", given, "", False


def datastore_fields(
    columns: Iterable[tuple[str, str]], described: Mapping[str, Mapping[str, Any]], language: str
) -> list[dict[str, Any]]:
    """The columns of an answer with what is known of them."""
    listed = []
    for name, type_ in columns:
        told: dict[str, Any] = {"id": name, "type": "int" if name == "_id" else datastore_type(type_)}
        known = described.get(name)
        if known is not None:
            info = {
                "label": (known.get("title") or {}).get(language, ""),
                "notes": (known.get("description") or {}).get(language, ""),
                "unit": known.get("unit") or "",
            }
            told |= {"info": {key: value for key, value in info.items() if value}} if any(info.values()) else {}
        listed.append(told)
    return listed
