"""Looking: golden records and the rows behind them, through the gate: masks, purposes and evidence as for any dataset."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mumian.elements.catalog.api import TableInfo, Tables
from mumian.elements.protection.api import Answer, DatasetGrant, Gate, Grant, Limits, RowRequest
from mumian.elements.registers.contracts import Looked
from mumian.elements.registers.models import AttributeSpec, RegisterSpec
from mumian.elements.registers.rules import preparing
from mumian.elements.registers.service.explaining import Explaining, Known
from mumian.elements.registers.service.staging import key_sql
from mumian.foundation.identity.api import Caller
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.platform import Platform

_OWN = ("entity", "version", "current", "valid_from", "valid_to", "records")


@dataclass(frozen=True)
class SourceRow:
    """A row behind a golden record, as the caller may see it; `values` are None when the row is not there any more."""

    record: int
    dataset: str
    row: int | None
    values: dict[str, Any] | None


class Looking:
    """Whoever may read a register sees its golden records masked; what is unmasked is for policies on purposes to say."""

    def __init__(self, platform: Platform, explaining: Explaining) -> None:
        self._platform = platform
        self._explaining = explaining

    async def entity(self, caller: Caller, known: Known, entity: int, purpose: str, at: datetime | None = None) -> Looked:
        """The golden record as it is, or as it was at an instant; raises NotFound, and what the gate raises."""
        when = "current" if at is None else "valid_from <= $at AND (valid_to IS NULL OR valid_to > $at)"
        params = {} if at is None else {"at": at.replace(tzinfo=None).isoformat(sep=" ")}
        when = when.replace("$at", "CAST($at AS TIMESTAMP)")
        answer = await self._ask(caller, known.layout.spec, purpose, f"WHERE {when}", params, {"entity": entity}, 1)
        if not answer.rows:
            raise NotFound(kind=known.layout.name, name=str(entity))
        return _looked(answer)[0]

    async def search(
        self, caller: Caller, known: Known, purpose: str, match: Mapping[str, str], after: int, limit: int
    ) -> list[Looked]:
        """Entities whose golden record has exactly these values, by number; at least one of them is an attribute to `find` by.

        Raises Invalid for attributes that may not be searched by this caller, and what the gate raises.
        """
        spec, values = known.layout.spec, {}
        names = {attribute.name: attribute for attribute in spec.attributes}
        for name, value in match.items():
            if name not in names:
                raise Invalid.field(f"match.{name}", "registers.no_such_field", dataset=spec.golden, name=name)
            values[name] = _standard(names[name], value)
        if not values:
            raise Invalid.field("match", "field.missing")
        where = "WHERE current AND entity > $after ORDER BY entity"
        return _looked(await self._ask(caller, spec, purpose, where, {"after": after}, values, limit))

    async def rows(self, caller: Caller, known: Known, entity: int, purpose: str) -> list[SourceRow]:
        """The rows behind an entity, with the fields that the register is made of, each as the gate shows it."""
        members = await self._explaining.members(known, entity)
        if not members:
            raise NotFound(kind=known.layout.name, name=str(entity))
        return [await self._row(caller, known, record, dataset, key, purpose) for record, dataset, key in members]

    async def row(self, caller: Caller, known: Known, record: int, purpose: str) -> SourceRow:
        """The row behind one live record; raises NotFound."""
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        sql = f"SELECT dataset, key FROM {known.layout.record} WHERE number = $record AND ended IS NULL"
        found = await asyncio.to_thread(lambda: lake.rows(sql, record=record))
        if not found:
            raise NotFound(kind="record", name=str(record))
        return await self._row(caller, known, record, found[0][0], found[0][1], purpose)

    async def _row(self, caller: Caller, known: Known, record: int, dataset: str, key: str, purpose: str) -> SourceRow:
        source = next((s for s in known.layout.spec.sources if s.dataset == dataset), None)
        tables = self._platform.get(Tables)
        info = await self._platform.records.read(lambda session: tables.describe(session, dataset)) if source else None
        place = None if info is None else await asyncio.to_thread(self._place, info, key)
        if source is None or place is None:
            return SourceRow(record, dataset, None, None)
        fields = {f for each in source.fields.values() for f in ([each] if isinstance(each, str) else each)}
        grant = Grant(f"register/{known.layout.name}", (DatasetGrant(dataset, tuple(sorted(fields))),), (purpose,))
        columns = ", ".join(f'"{name}"' for name in sorted(fields))
        sql = f'SELECT {columns} FROM "{dataset}" WHERE _id = $row'
        answer = await self._platform.get(Gate).query(RowRequest(caller, purpose, sql, {"row": place}, grant, Limits(rows=1)))
        if not answer.rows:
            return SourceRow(record, dataset, None, None)
        values = {column.name: value for column, value in zip(answer.columns, answer.rows[0], strict=True)}
        return SourceRow(record, dataset, place, values)

    def _place(self, info: TableInfo, key: str) -> int | None:
        lake = self._platform.get(Lake)  # type: ignore[type-abstract]
        found = lake.rows(f"SELECT max(_id) FROM {info.name} WHERE {key_sql(info)} = $key", key=key)
        return None if found[0][0] is None else int(found[0][0])

    async def _ask(
        self,
        caller: Caller,
        spec: RegisterSpec,
        purpose: str,
        where: str,
        params: Mapping[str, Any],
        match: Mapping[str, Any],
        limit: int,
    ) -> Answer:
        find = tuple(attribute.name for attribute in spec.attributes if attribute.find)
        grant = Grant(f"register/{spec.golden}", (DatasetGrant(spec.golden, lookup=find),), (purpose,))
        names = ", ".join(f'"{name}"' for name in (*_OWN, *(attribute.name for attribute in spec.attributes)))
        sql = f'SELECT {names} FROM "{spec.golden}" {where}'
        request = RowRequest(caller, purpose, sql, params, grant, Limits(rows=limit), match)
        return await self._platform.get(Gate).query(request)


def _looked(answer: Answer) -> list[Looked]:
    names = [column.name for column in answer.columns]
    found = []
    for row in answer.rows:
        values = dict(zip(names, row, strict=True))
        found.append(Looked(int(values.pop("entity")), int(values.pop("version")), values))
    return found


def _standard(attribute: AttributeSpec, value: str) -> str:
    """What is asked for, in the form in which golden records have it."""
    if attribute.kind == "identifier":
        return preparing.identifier(value, attribute.scheme) or value
    if attribute.kind == "phone":
        return preparing.phone(value) or value
    return (preparing.day(value) or value) if attribute.kind == "date" else value
