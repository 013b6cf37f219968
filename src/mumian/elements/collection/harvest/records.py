"""Records of a CKAN portal (Action API v3, package_search) as datasets of the catalogue."""

import re
from collections.abc import Mapping
from typing import Any

from mumian.elements.catalog.api import Distribution, HarvestedDataset
from mumian.elements.collection.harvest.models import CatalogueSourceSpec

_PACES = {
    "continuous": 60, "realtime": 60, "hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_629_746,
    "quarterly": 7_889_238, "annually": 31_556_952, "annual": 31_556_952, "yearly": 31_556_952,
}  # fmt: skip
_SERVICES = {"WMS", "WFS", "API", "SPARQL", "OGC API", "SENSORTHINGS", "REST"}
_KEPT = 500


def package(origin: str, spec: CatalogueSourceSpec, told: Mapping[str, Any]) -> HarvestedDataset:
    """A package as CKAN hands it out; raises ValueError for one without id."""
    identifier = str(told.get("name") or told.get("id") or "").strip()
    if not identifier:
        raise ValueError("a package without name and id")
    organisation = told.get("organization") or {}
    groups = [_text(group.get("title") or group.get("name")) for group in _dicts(told.get("groups"))]
    extras = {str(each.get("key")): each.get("value") for each in _dicts(told.get("extras"))}
    tags = [_text(tag.get("display_name") or tag.get("name")) for tag in _dicts(told.get("tags"))]
    root = spec.url.rstrip("/")
    return HarvestedDataset(
        origin=origin,
        identifier=identifier[:_KEPT],
        title=languages(told.get("title_translated") or told.get("title") or identifier),
        description=languages(told.get("notes_translated") or told.get("notes")),
        original=dict(told),
        source_url=f"{root}/dataset/{identifier}",
        landing_page=_address(told.get("url")) or f"{root}/dataset/{identifier}",
        publisher=_text(organisation.get("title") or organisation.get("name")) if isinstance(organisation, Mapping) else None,
        owner=spec.owner,
        theme=next((group for group in groups if group), None) or spec.theme,
        keywords=tuple(tag for tag in tags if tag)[:50],
        licence=_text(told.get("license_title") or told.get("license_id")),
        frequency_seconds=_PACES.get(str(told.get("frequency") or extras.get("frequency") or "").lower()),
        issued=_text(told.get("metadata_created")),
        modified=_text(told.get("metadata_modified")),
        distributions=tuple(_resource(each) for each in _dicts(told.get("resources")) if _address(each.get("url"))),
    )


def _resource(told: Mapping[str, Any]) -> Distribution:
    name = (_text(told.get("format")) or "").strip(" .").upper()
    size = told.get("size")
    return Distribution(
        format=name[:40],
        url=str(told["url"]).strip(),
        media_type=_text(told.get("mimetype")),
        title=languages(told.get("name_translated") or told.get("name")),
        service=name in _SERVICES,
        bytes=int(str(size)) if str(size or "").isdigit() else None,
    )


def languages(value: Any) -> dict[str, str]:
    """A text as {zh, en}: of a translated one these languages, else under the language that it is written in."""
    if isinstance(value, Mapping):
        found = {key[:2]: _text(text) for key, text in value.items() if str(key)[:2] in ("zh", "en")}
        kept = {key: text for key, text in found.items() if text}
        if kept:
            return kept
        value = next((text for text in value.values() if text), None)
    text = _text(value)
    return {} if text is None else {"zh" if re.search("[\u4e00-\u9fff]", text) else "en": text}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, list | Mapping):
        return None
    text = str(value).replace("\0", "").strip()
    return text or None


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _address(value: Any) -> str | None:
    text = _text(value)
    return text if text and re.match(r"https?://\S+$", text) else None
