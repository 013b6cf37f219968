"""Formats: pages as data arrays, and whole sets as CSV (RFC 4180), written row by row as they are found."""

import csv
import io
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from mumian.foundation.sensing.sta.entity_sets import MODEL
from mumian.foundation.sensing.sta.model import EntitySet
from mumian.foundation.sensing.sta.options import Options
from mumian.foundation.sensing.sta.rendering import LINK, TOP_NAMES, Entity
from mumian.kernel.errors import Invalid

CSV = b"text/csv; charset=utf-8"
_PAGE = 5_000
_UNIT = ("unitOfMeasurement/name", "unitOfMeasurement/symbol", "unitOfMeasurement/definition")
Fetch = Callable[[Options], Awaitable[tuple[list[Entity], list[Any] | None]]]


def data_arrays(
    entities: EntitySet, rows: Sequence[Any], items: list[Entity], options: Options, base: str, is_multi: Callable[[int], bool]
) -> list[Entity]:
    """Entities as data arrays; observations in one for each stream."""
    if options.expand:
        raise Invalid.field(options.name("$expand"), "sensing.query.flat", format="dataArray")
    names = _components(entities, options)
    if entities.name != "Observations":
        return [_array(names, items)]
    groups: dict[int, list[Entity]] = defaultdict(list)
    for row, item in zip(rows, items, strict=True):
        groups[row[1]].append(item)
    found = []
    for stream, members in groups.items():
        kind = "MultiDatastream" if is_multi(stream) else "Datastream"
        found.append({f"{kind}{LINK}": f"{base}/{kind}s({stream})", **_array(names, members)})
    return found


def _components(entities: EntitySet, options: Options) -> list[str]:
    if options.select:
        return list(dict.fromkeys(steps[0].removeprefix("@iot.") for steps in options.select))
    if entities.name == "Observations":
        return ["id", "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"]
    return ["id", *TOP_NAMES[entities.name]]


def _array(names: list[str], items: list[Entity]) -> Entity:
    keys = [f"@iot.{name}" if name in ("id", "selfLink") else name for name in names]
    values = [[item.get(key) for key in keys] for item in items]
    return {"components": names, "dataArray@iot.count": len(values), "dataArray": values}


@dataclass(frozen=True)
class CsvRows:
    """The columns of a CSV answer, each with the steps to its value."""

    options: Options
    columns: tuple[tuple[str, tuple[str, ...]], ...]

    async def stream(self, fetch: Fetch) -> AsyncIterator[bytes]:
        """The header and all rows, page by page; as many rows as `$top` says, or all."""
        limited = any(name == "$top" for name, _ in self.options.given)
        left = self.options.top if limited else None
        options = replace(self.options, top=_PAGE if left is None else min(_PAGE, left), count=False)
        head: list[Any] = [name for name, _ in self.columns]
        more: list[Any] | None = []
        while more is not None:
            items, more = await fetch(options)
            yield self._written(head, items)
            head = []
            left = None if left is None else left - len(items)
            if left == 0 or more is None:
                return
            options = replace(options, skip=0, after=tuple(more), top=_PAGE if left is None else min(_PAGE, left))

    def _written(self, head: list[Any], items: list[Entity]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text)
        if head:
            writer.writerow(head)
        writer.writerows([_cell(item, steps) for _, steps in self.columns] for item in items)
        return text.getvalue().encode()


def csv_rows(entities: EntitySet, options: Options) -> CsvRows:
    """The columns of a CSV answer; raises Invalid for expanded links that lead to several entities."""
    return CsvRows(options, tuple(_columns(entities, options, (), "")))


def _columns(entities: EntitySet, options: Options, steps: tuple[str, ...], prefix: str) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    names = [["id"], *([name] for name in TOP_NAMES[entities.name])]
    for chosen in [list(one) for one in options.select] or names:
        name = "/".join(chosen)
        if name == "unitOfMeasurement":
            found += [(prefix + unit, (*steps, *unit.split("/"))) for unit in _UNIT]
        elif name not in entities.links:
            found.append((prefix + name, (*steps, *(["@iot.id"] if name == "id" else chosen))))
    for link, inner in options.expand.items():
        target = entities.links.get(link)
        if target is None or target.many:
            raise Invalid.field(options.name("$expand"), "sensing.query.flat", format="CSV")
        found += _columns(MODEL[target.target], inner, (*steps, link), f"{prefix}{link}/")
    return found


def _cell(item: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        item = item.get(step) if isinstance(item, dict) else None
    if item is None:
        return ""
    if isinstance(item, bool | dict | list):
        return msgspec.json.encode(item).decode()
    return item
