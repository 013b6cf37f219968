"""Ingest: bodies of CreateObservations and Observations into columns, with no work done row by row."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from mumian.foundation.sensing.contracts import NONE, Float64, Int64, Observations
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.rules import parse_time, parse_times
from mumian.foundation.sensing.sta.parsing import decode
from mumian.kernel.errors import Fault, Invalid, TooLarge

_TYPES: dict[str, Any] = {
    "phenomenonTime": str,
    "resultTime": str | None,
    "result": float | None,
    "FeatureOfInterest/id": int | str,
}
_KNOWN = ", ".join(_TYPES)


class Ref(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A reference to another entity by its id."""

    id: int = msgspec.field(name="@iot.id")


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """Observations of one datastream in a CreateObservations body."""

    datastream: Ref = msgspec.field(name="Datastream")
    components: list[str]
    rows: msgspec.Raw = msgspec.field(name="dataArray")
    count: int | None = msgspec.field(name="dataArray@iot.count", default=None)


class One(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A single observation."""

    phenomenon_time: str | None = msgspec.field(name="phenomenonTime", default=None)
    result_time: str | None = msgspec.field(name="resultTime", default=None)
    result: float | None
    datastream: Ref | None = msgspec.field(name="Datastream", default=None)
    feature: Ref | None = msgspec.field(name="FeatureOfInterest", default=None)


class _TimeFirst(Entry):
    rows: list[tuple[str, float | None]] = msgspec.field(name="dataArray")  # type: ignore[assignment]


class _ResultFirst(Entry):
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
    """A batch, and where each of its entries stands: number of rows and components."""

    batch: Observations
    lengths: list[int]
    components: list[tuple[str, ...]]

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
        rows = decode(_rows_decoder(names, number), entry.rows, f"[{number}].dataArray")
        if entry.count is not None and entry.count != len(rows):
            raise Invalid.field(f"[{number}].dataArray@iot.count", "sensing.count", found=len(rows))
        lengths.append(len(rows))
        components.append(names)
        columns.append(dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {})
        _check_feature(columns[-1].get("FeatureOfInterest/id", ()), entry.datastream.id, number, names)
    if sum(lengths) > most:
        raise TooLarge(limit=f"{most} observations")
    return _assemble([entry.datastream.id for entry in entries], lengths, components, columns)


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
    streams = [entry.datastream.id for entry in entries]
    parsed = Parsed(Observations.empty(), lengths, [tuple(names)] * len(entries))
    if max(map(abs, streams)) >= 2**63:
        return None
    times = _times(list(columns[time]), parsed, "phenomenonTime")
    batch = Observations(np.repeat(np.array(streams, np.int64), lengths), times, np.array(columns[result], np.float64))
    return Parsed(batch, lengths, parsed.components)


def parse_one(body: bytes, stream: int | None, now: int) -> Parsed:
    """A single observation for `stream`, or for the datastream that it names; raises Malformed, Invalid."""
    one = decode(_one, body)
    named = one.datastream.id if one.datastream is not None else stream
    if named is None:
        raise Invalid.field("Datastream", "field.missing")
    if stream is not None and named != stream:
        raise Invalid.field("Datastream.@iot.id", "field.choice", expected=str(stream))
    if one.feature is not None and one.feature.id != named:
        raise Invalid.field("FeatureOfInterest.@iot.id", "sensing.feature", expected=named)
    result_time = NONE if one.result_time is None else _time(one.result_time, "resultTime")
    time = now if result_time == NONE else result_time
    if one.phenomenon_time is not None:
        time = _time(one.phenomenon_time, "phenomenonTime")
    result = np.nan if one.result is None else one.result
    batch = Observations(
        np.array([named if abs(named) < 2**63 else -1], np.int64),
        np.array([time], np.int64),
        np.array([result], np.float64),
        result_times=np.array([result_time], np.int64),
    )
    return Parsed(batch, [1], [("phenomenonTime", "result")])


def placed(error: BadRows, parsed: Parsed, single: bool) -> Invalid:
    """The faults of a batch, each at its place in the body."""
    faults = [
        Fault(_single(fault.field) if single else parsed.place(row, fault.field), fault.key, fault.values)
        for row, fault in zip(error.rows, error.faults, strict=True)
    ]
    if error.total > len(faults):
        faults.append(Fault("", "sensing.more", {"count": error.total - len(faults)}))
    return Invalid(*faults)


def _single(column: str) -> str:
    return "Datastream.@iot.id" if column == "stream" else column


@lru_cache(maxsize=64)
def _decoder(names: tuple[str, ...]) -> "msgspec.json.Decoder[list[tuple[Any, ...]]] | None":
    timed = "phenomenonTime" in names or "resultTime" in names
    if not timed or "result" not in names or len(set(names)) < len(names) or not set(names) <= _TYPES.keys():
        return None
    types = [str if name == "resultTime" and "phenomenonTime" not in names else _TYPES[name] for name in names]
    row: Any = tuple[tuple(types)]  # type: ignore[misc]
    return msgspec.json.Decoder(list[row])


def _rows_decoder(names: tuple[str, ...], number: int) -> "msgspec.json.Decoder[list[tuple[Any, ...]]]":
    decoder = _decoder(names) if len(names) <= len(_TYPES) else None
    if decoder is None:
        raise Invalid.field(f"[{number}].components", "sensing.components", given=str(list(names))[:200], expected=_KNOWN)
    return decoder


def _check_feature(given: Any, stream: int, number: int, names: tuple[str, ...]) -> None:
    """A stream's feature of interest is where its thing stands, and has the stream's id."""
    if given and set(given) - {stream, str(stream)}:
        row = next(i for i, value in enumerate(given) if value not in (stream, str(stream)))
        place = f"[{number}].dataArray[{row}][{names.index('FeatureOfInterest/id')}]"
        raise Invalid.field(place, "sensing.feature", expected=stream)


def _assemble(
    streams: list[int], lengths: list[int], components: list[tuple[str, ...]], columns: list[dict[str, tuple[Any, ...]]]
) -> Parsed:
    if any(abs(stream) >= 2**63 for stream in streams):
        streams = [stream if abs(stream) < 2**63 else -1 for stream in streams]
    repeated: Int64 = np.repeat(np.array(streams, np.int64), lengths)
    # np.array turns None into NaN.
    results: Float64 = np.array(list(chain.from_iterable(c["result"] for c in columns if c)), np.float64)
    times = [c.get("phenomenonTime") or c["resultTime"] for c in columns if c]
    parsed = Parsed(Observations.empty(), lengths, components)
    phenomenon = _times(list(chain.from_iterable(times)), parsed, "phenomenonTime")
    result_times = np.full(len(results), NONE, np.int64)
    if any("resultTime" in names for names in components):
        given = list(chain.from_iterable(c.get("resultTime") or [None] * len(c["result"]) for c in columns if c))
        present = np.array([text is not None for text in given], np.bool_)
        result_times[present] = _times([text for text in given if text is not None], parsed, "resultTime")
    return Parsed(Observations(repeated, phenomenon, results, result_times=result_times), lengths, components)


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
    if "/" in text:
        return Fault(field, "sensing.interval", {})
    return Fault(field, "sensing.time", {"given": text[:100]})
