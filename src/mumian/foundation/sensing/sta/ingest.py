"""Ingest: bodies of CreateObservations and Observations into columns, with no work done row by row."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.sensing.contracts import NONE, Float64, Int64, Observations
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.rules import detail_text, parse_time, parse_times
from mumian.foundation.sensing.sta.parsing import decode, fault_of
from mumian.kernel.errors import Fault, Invalid, TooLarge

_TYPES: dict[str, Any] = {
    "phenomenonTime": str,
    "resultTime": str | None,
    "result": float | None,
    "resultQuality": Any,
    "validTime": str | None,
    "parameters": dict[str, Any] | None,
    "FeatureOfInterest/id": int | str,
}
_EXACT = 2**53
_KNOWN = ", ".join(_TYPES)


class Ref(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A reference to another entity by its id."""

    id: int = msgspec.field(name="@iot.id")


class Entry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Observations of one datastream in a CreateObservations body."""

    datastream: Ref | None = msgspec.field(name="Datastream", default=None)
    multi: Ref | None = msgspec.field(name="MultiDatastream", default=None)
    components: list[str]
    rows: msgspec.Raw = msgspec.field(name="dataArray")
    count: int | None = msgspec.field(name="dataArray@iot.count", default=None)


class One(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A single observation; links are `{"@iot.id": …}` or, of a feature of interest, all that it is."""

    phenomenon_time: str | None = msgspec.field(name="phenomenonTime", default=None)
    result_time: str | None = msgspec.field(name="resultTime", default=None)
    result: Any
    quality: Any = msgspec.field(name="resultQuality", default=None)
    valid: str | None = msgspec.field(name="validTime", default=None)
    parameters: dict[str, Any] | None = None
    datastream: Ref | None = msgspec.field(name="Datastream", default=None)
    multi: Ref | None = msgspec.field(name="MultiDatastream", default=None)
    feature: dict[str, Any] | None = msgspec.field(name="FeatureOfInterest", default=None)


class _TimeFirst(Entry, kw_only=True):
    rows: list[tuple[str, float | None]] = msgspec.field(name="dataArray")  # type: ignore[assignment]


class _ResultFirst(Entry, kw_only=True):
    rows: list[tuple[float | None, str]] = msgspec.field(name="dataArray")  # type: ignore[assignment]


_COMPONENTS = re.compile(rb'"components"\s*:\s*\[([^\]]{0,200})\]')
_ALIKE: dict[bytes, tuple[Any, list[str], int, int]] = {
    b'"phenomenonTime","result"': (msgspec.json.Decoder(list[_TimeFirst]), ["phenomenonTime", "result"], 0, 1),
    b'"result","phenomenonTime"': (msgspec.json.Decoder(list[_ResultFirst]), ["result", "phenomenonTime"], 1, 0),
}
_entries: "msgspec.json.Decoder[list[Entry]]" = msgspec.json.Decoder(list[Entry])
_one: "msgspec.json.Decoder[One]" = msgspec.json.Decoder(One)


@dataclass(frozen=True)
class Parsed:
    """A batch, and where each of its entries stands: number of rows and components.

    `features` are the features of interest that rows name (0: none), if any does; `inline` is one that comes with the batch. They
    are put in their place by `observing.settled`.
    """

    batch: Observations
    lengths: list[int]
    components: list[tuple[str, ...]]
    features: Int64 | None = None
    inline: dict[str, Any] | None = None

    def place(self, row: int, column: str) -> str:
        """The JSON path of a row's column (`stream`, `phenomenonTime` or `result`)."""
        for entry, length in enumerate(self.lengths):
            if row < length:
                if column == "stream":
                    return f"[{entry}].Datastream.@iot.id"
                names = self.components[entry]
                column = column if column in names else "resultTime"
                return f"[{entry}].dataArray[{row}][{names.index(column)}]"
            row -= length
        return column


def parse_many(body: bytes, most: int) -> Parsed:
    """A CreateObservations body (SensorThings 1.1, 13.3) as columns; raises Malformed, Invalid, TooLarge."""
    quick = _parse_alike(body, most)
    if quick is not None:
        return quick
    entries = decode(_entries, body)
    lengths, components, columns = [], [], []
    for number, entry in enumerate(entries):
        names = tuple(entry.components)
        rows = _rows(names, number, entry.rows)
        if entry.count is not None and entry.count != len(rows):
            raise Invalid.field(f"[{number}].dataArray@iot.count", "sensing.count", found=len(rows))
        lengths.append(len(rows))
        components.append(names)
        columns.append(dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {})
    if sum(lengths) > most:
        raise TooLarge(limit=f"{most} observations")
    return _assemble([_stream(entry, number) for number, entry in enumerate(entries)], lengths, components, columns)


def _stream(entry: Entry, number: int) -> int:
    link = entry.datastream if entry.datastream is not None else entry.multi
    if link is None:
        raise Invalid.field(f"[{number}].Datastream", "field.missing")
    return link.id


def _parse_alike(body: bytes, most: int) -> Parsed | None:
    """A body whose entries all have time and result alone, in the order of the first entry, decoded in one go; else None."""
    first = _COMPONENTS.search(body)
    alike = _ALIKE.get(first.group(1).translate(None, b" \t\r\n")) if first is not None else None
    if alike is None:
        return None
    decoder, names, time, result = alike
    try:
        entries = decoder.decode(body)
    except (ValueError, RecursionError):
        return None
    rows = list(chain.from_iterable([entry.rows for entry in entries]))
    lengths = [len(entry.rows) for entry in entries]
    if not rows or len(rows) > most or any(e.components != names or e.count not in (None, len(e.rows)) for e in entries):
        return None
    columns = list(zip(*rows, strict=True))
    if any(entry.datastream is None for entry in entries):
        return None
    streams = [entry.datastream.id for entry in entries if entry.datastream is not None]
    parsed = Parsed(Observations.empty(), lengths, [tuple(names)] * len(entries))
    if max(map(abs, streams)) >= 2**63:
        return None
    times = _times(list(columns[time]), parsed, "phenomenonTime")
    batch = Observations(np.repeat(np.array(streams, np.int64), lengths), times, np.array(columns[result], np.float64))
    return Parsed(batch, lengths, parsed.components)


def parse_one(body: bytes, stream: int | None, now: int) -> Parsed:
    """A single observation for `stream`, or for the datastream that it names; raises Malformed, Invalid."""
    return parsed_one(decode(_one, body), stream, now)


def parse_value(value: Any, stream: int | None, now: int, at: str) -> Parsed:
    """A single observation that stands at this place of a body, nested in its stream if that is given."""
    try:
        one = msgspec.convert(value, One)
    except msgspec.ValidationError as error:
        raise Invalid(fault_of(str(error), at.rstrip("."))) from None
    return parsed_one(one, stream, now, at)


def parsed_one(one: One, stream: int | None, now: int, at: str = "") -> Parsed:
    """A single observation as a batch of one; faults are placed behind `at`."""
    link = one.datastream if one.datastream is not None else one.multi
    named = link.id if link is not None else stream
    if named is None:
        raise Invalid.field(f"{at}Datastream", "field.missing")
    if stream is not None and named != stream:
        raise Invalid.field(f"{at}Datastream.@iot.id", "field.choice", expected=str(stream))
    result_time = NONE if one.result_time is None else _time(one.result_time, f"{at}resultTime")
    time, end = now if result_time == NONE else result_time, None
    if one.phenomenon_time is not None:
        time, end = moments(one.phenomenon_time, f"{at}phenomenonTime")
    valid = None if one.valid is None else list(moments(one.valid, f"{at}validTime"))
    result, told = number_of(one.result)
    detail = detail_of(told, end, valid, one.quality, one.parameters)
    batch = Observations(
        np.array([named if abs(named) < 2**63 else -1], np.int64),
        np.array([time], np.int64),
        np.array([result], np.float64),
        result_times=np.array([result_time], np.int64),
        details=None if detail is None else np.array([detail, None], np.object_)[:1],
    )
    parsed = Parsed(batch, [1], [("phenomenonTime", "result")])
    if one.feature is None:
        return parsed
    if "@iot.id" not in one.feature:
        return replace(parsed, inline=one.feature)
    return replace(parsed, features=np.array([_feature(one.feature["@iot.id"], f"{at}FeatureOfInterest.@iot.id")], np.int64))


def number_of(result: Any) -> tuple[float, dict[str, Any]]:
    """A result as a number, and what must be kept of it besides."""
    if result is None:
        return np.nan, {}
    if isinstance(result, bool) or not isinstance(result, int | float):
        return np.nan, {"result": result}
    try:
        return float(result), {"result": result} if isinstance(result, int) and abs(result) > _EXACT else {}
    except OverflowError:
        return np.nan, {"result": result}


def detail_of(told: dict[str, Any], end: int | None, valid: Any, quality: Any, parameters: Any) -> str | None:
    """The details of an observation (see `Observations`), of which most have none."""
    more = {"end": end, "validTime": valid, "resultQuality": quality, "parameters": parameters or None}
    return detail_text({**told, **{name: value for name, value in more.items() if value is not None}})


def moments(text: str, field: str) -> tuple[int, int | None]:
    """The instant, or the start and end of the interval `start/end`, in µs; raises Invalid."""
    start, bar, end = text.partition("/")
    if not bar:
        return _time(text, field), None
    first, last = _time(start, field), _time(end, field)
    if last < first:
        raise Invalid.field(field, "sensing.interval_order", given=text[:100])
    return first, last


def placed(error: BadRows, parsed: Parsed, single: bool) -> Invalid:
    """The faults of a batch, each at its place in the body."""
    faults = [
        Fault(_single(fault.field) if single else parsed.place(row, fault.field), fault.key, fault.values)
        for row, fault in zip(error.rows, error.faults, strict=True)
    ]
    if error.total > len(faults):
        faults.append(Fault("", "sensing.more", {"count": error.total - len(faults)}))
    return Invalid(*faults)


def fault_behind(at: str, fault: Fault) -> Fault:
    """A fault of a single observation that stands at this place of a body."""
    return Fault(f"{at}{_single(fault.field)}", fault.key, fault.values)


def _single(column: str) -> str:
    return "Datastream.@iot.id" if column == "stream" else column


def _rows(names: tuple[str, ...], number: int, content: msgspec.Raw) -> list[tuple[Any, ...]]:
    """The rows of an entry: results are read as numbers, and as anything where they are not."""
    if len(names) > len(_TYPES) or _decoder(names) is None:
        raise Invalid.field(f"[{number}].components", "sensing.components", given=str(list(names))[:200], expected=_KNOWN)
    try:
        return _decoder(names).decode(content)  # type: ignore[union-attr]
    except (msgspec.ValidationError, RecursionError):
        decoder = _decoder(names, numbers=False)
        assert decoder is not None
        return decode(decoder, content, f"[{number}].dataArray")


@lru_cache(maxsize=256)
def _decoder(names: tuple[str, ...], numbers: bool = True) -> "msgspec.json.Decoder[list[tuple[Any, ...]]] | None":
    timed = "phenomenonTime" in names or "resultTime" in names
    if not timed or "result" not in names or len(set(names)) < len(names) or not set(names) <= _TYPES.keys():
        return None
    kinds = _TYPES if numbers else {**_TYPES, "result": Any}
    types = [str if name == "resultTime" and "phenomenonTime" not in names else kinds[name] for name in names]
    row: Any = tuple[tuple(types)]  # type: ignore[misc]
    return msgspec.json.Decoder(list[row])


def _assemble(
    streams: list[int], lengths: list[int], components: list[tuple[str, ...]], columns: list[dict[str, tuple[Any, ...]]]
) -> Parsed:
    if any(abs(stream) >= 2**63 for stream in streams):
        streams = [stream if abs(stream) < 2**63 else -1 for stream in streams]
    repeated: Int64 = np.repeat(np.array(streams, np.int64), lengths)
    told = _told(columns, lengths, components)
    # np.array turns None into NaN.
    results: Float64 = np.array(list(chain.from_iterable(c["result"] for c in columns if c)), np.float64)
    times = [c.get("phenomenonTime") or c["resultTime"] for c in columns if c]
    parsed = Parsed(Observations.empty(), lengths, components, _features(columns, lengths, components))
    phenomenon = _times(list(chain.from_iterable(times)), parsed, "phenomenonTime")
    result_times = np.full(len(results), NONE, np.int64)
    if any("resultTime" in names for names in components):
        given = list(chain.from_iterable(c.get("resultTime") or [None] * len(c["result"]) for c in columns if c))
        present = np.array([text is not None for text in given], np.bool_)
        result_times[present] = _times([text for text in given if text is not None], parsed, "resultTime")
    batch = Observations(repeated, phenomenon, results, result_times=result_times)
    if any(told):
        batch = replace(batch, details=np.array([*(detail_text(one) for one in told), None], np.object_)[:-1])
    return replace(parsed, batch=batch)


_MORE = ("resultQuality", "parameters")


def _told(columns: list[dict[str, Any]], lengths: list[int], components: list[tuple[str, ...]]) -> list[dict[str, Any]]:
    """What rows say besides a number at an instant; intervals are cut down to their starts, results to numbers."""
    told: list[dict[str, Any]] = []
    for entry, (column, length) in enumerate(zip(columns, lengths, strict=True)):
        rows: list[dict[str, Any]] = [{} for _ in range(length)]
        if length:
            place = partial(_place, entry, components[entry])
            _shorten(column, rows, place)
            for name in _MORE:
                for row, value in zip(rows, column.get(name, ()), strict=False):
                    row.update({name: value} if value not in (None, {}) else {})
            for number, text in enumerate(column.get("validTime", ())):
                if text is not None:
                    rows[number]["validTime"] = list(moments(text, place(number, "validTime")))
        told += rows
    return told


def _place(entry: int, names: tuple[str, ...], row: int, column: str) -> str:
    return f"[{entry}].dataArray[{row}][{names.index(column)}]"


def _shorten(column: dict[str, Any], rows: list[dict[str, Any]], place: Callable[[int, str], str]) -> None:
    times = column.get("phenomenonTime", ())
    if any("/" in text for text in times):
        spans = [moments(text, place(row, "phenomenonTime")) if "/" in text else None for row, text in enumerate(times)]
        column["phenomenonTime"] = [text.partition("/")[0] for text in times]
        for row, span in zip(rows, spans, strict=True):
            row.update({"end": span[1]} if span is not None else {})
    if any(not (value is None or type(value) is float) for value in column["result"]):
        pairs = [number_of(value) for value in column["result"]]
        column["result"] = [number for number, _ in pairs]
        for row, (_, more) in zip(rows, pairs, strict=True):
            row.update(more)


def _features(columns: list[dict[str, Any]], lengths: list[int], components: list[tuple[str, ...]]) -> Int64 | None:
    """The features that rows name; None where no row names one."""
    if not any("FeatureOfInterest/id" in names for names in components):
        return None
    features: list[int] = []
    for entry, (column, length) in enumerate(zip(columns, lengths, strict=True)):
        given = column.get("FeatureOfInterest/id")
        if given is None:
            features += [0] * length
        else:
            names = components[entry]
            features += [_feature(value, _place(entry, names, row, "FeatureOfInterest/id")) for row, value in enumerate(given)]
    return np.array(features, np.int64)


def _feature(value: Any, field: str) -> int:
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, int | str) or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid.field(field, "field.reference", kind="FeatureOfInterest", name=text[:100])
    return int(text)


def _times(texts: list[str], parsed: Parsed, column: str) -> Int64:
    times, bad = parse_times(texts)
    if bad >= 0:
        raise Invalid(_time_fault(parsed.place(bad, column), texts[bad]))
    return times


def _time(text: str, field: str) -> int:
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise Invalid(_time_fault(field, text)) from None


def _time_fault(field: str, text: str) -> Fault:
    return Fault(field, "sensing.time", {"given": text[:100]})
