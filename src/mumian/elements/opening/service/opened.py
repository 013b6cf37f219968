"""Opened: what the public can have of a dataset, and why not where it cannot."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from mumian.elements.catalog.api import Catalog, Dataset, Distribution, sees_all
from mumian.elements.catalog.kinds import DatasetSpec
from mumian.elements.opening.errors import NoSuchFormat, Withheld
from mumian.elements.opening.rules import asking, formats, places
from mumian.elements.opening.service.asking import PURPOSE, Asker, Asking
from mumian.elements.opening.service.making import Files, Making, Wanted
from mumian.elements.opening.store import checks
from mumian.elements.protection.api import Gate, RowRequest
from mumian.foundation.identity.api import Caller
from mumian.kernel.errors import Forbidden, NotFound
from mumian.kernel.platform import Platform

PREFIX = "/api/v1/elements/opening"


def offered(fields: Iterable[tuple[str, str]]) -> list[formats.Form]:
    """The formats of a dataset with these fields."""
    spatial = places.geometry(list(fields)) is not None
    return [form for form in formats.FORMS.values() if spatial or not form.spatial]


def names_of_formats(_: str, spec: DatasetSpec) -> list[str]:
    """The formats of a declared dataset, by which it is found."""
    if spec.opened == "none" or not spec.fields:
        return []
    return [form.name for form in offered((field.name, field.type) for field in spec.fields)]


def ways(dataset: Dataset) -> list[Distribution]:
    """How the rows of a dataset can be had: as files, and row by row."""
    if dataset.kind != "dataset" or dataset.opened in (None, "none") or not dataset.fields or dataset.rows is None:
        return []
    base = f"{PREFIX}/datasets/{quote(dataset.name)}"
    fields = [(field["name"], field["type"]) for field in dataset.fields]
    title = {"zh": "下载", "en": "Download"}
    files = [
        Distribution(form.name, f"{base}/data.{form.ending}", form.media, title, licence=dataset.licence)
        for form in offered(fields)
    ]
    api = {"zh": "按行查询的接口", "en": "API that answers row by row"}
    return [*files, Distribution("API", f"{base}/records", "application/json", api, service=True, licence=dataset.licence)]


class Opened:
    """Finds datasets as a caller may see them, and hands out files."""

    def __init__(self, platform: Platform, asking_: Asking, files: Files) -> None:
        self._platform = platform
        self.asking = asking_
        self.files = files

    async def dataset(self, name: str, caller: Caller) -> Dataset:
        """A dataset that the caller may know of; raises NotFound."""
        found = await self._platform.get(Catalog).get(name, self._platform.clock.now())
        if not found.public and not sees_all(caller) and not caller.allowed("open:publish", found.owner):
            raise NotFound(kind="Dataset", name=name)
        return found

    async def file(self, name: str, ending: str, asker: Asker, address: str, bom: bool) -> Making:
        """A file of all rows that the asker may see; raises NotFound, NoSuchFormat, Withheld and what the gate raises."""
        found = await self.dataset(name, asker.caller)
        info = await self.asking.table(name)
        known = {form.ending for form in offered((field["name"], field["type"]) for field in found.fields)}
        if ending not in known:
            raise NoSuchFormat(kind="format", name=ending, format=ending, formats=", ".join(sorted(known)))
        request = RowRequest(asker.caller, asker.purpose, asking.every(name))
        try:
            delivery = await self._platform.get(Gate).table_sql(request)
        except Forbidden as error:
            raise await self.explained(name, error) from None
        stamp = f"{info.rows} {info.loaded_at}"
        return self.files.wanted(Wanted(name, ending, delivery, stamp, f"{address}/dataset/{quote(name)}", bom))

    async def explained(self, name: str, error: Forbidden) -> Forbidden:
        """Why rows are not given: perhaps because a check was not passed."""
        found = await self.state(name)
        if not found["withheld"]:
            return error
        return Withheld(action="row:read", dataset=name, reason=_reason(found))

    async def state(self, name: str) -> dict[str, Any]:
        """What is known of a dataset's check: state (none, due, passed, failed, exempt), figures, and whether it is withheld."""

        def work(session: Any) -> dict[str, Any]:
            row, held = checks.check(session, name), name in checks.withheld(session)
            state = "none" if row is None else row["state"]
            result = {} if row is None else json.loads(row["result"])
            load, at = (None, None) if row is None else (row["load_number"], row["checked_at"])
            waits = held and state != "failed"
            return {"state": "due" if waits else state, "withheld": held, "load": load, "checked_at": at, "result": result}

        return await self._platform.records.read(work)


def _reason(found: dict[str, Any]) -> str:
    if found["state"] == "due":
        return "not checked yet"
    told = found["result"].get("reasons", [])
    return "; ".join(_told(each) for each in told) or "not checked"


def _told(reason: dict[str, Any]) -> str:
    if "asked" not in reason:
        return str(reason["rule"])
    where = f" ({reason['field']})" if "field" in reason else ""
    rows = f", {reason['rows']} rows" if "rows" in reason else ""
    return f"{reason['rule']} = {reason['found']} < {reason['asked']}{where}{rows}"


__all__ = ["PREFIX", "PURPOSE", "Opened", "names_of_formats", "offered", "ways"]
