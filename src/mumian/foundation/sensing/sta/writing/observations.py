"""Single observations changed and deleted: the row stays as evidence, an amendment says what is shown instead.

A change records a new row, which is durable before the amendment is; if the process ends in between, the old observation stays
and nobody was told otherwise.
"""

import asyncio
import json
from typing import Any

import numpy as np

from mumian.foundation.identity.api import Caller, actor_for
from mumian.foundation.sensing import store
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import NONE, Observations
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.events import EntityChanged, EntityDeleted
from mumian.foundation.sensing.rules import newest
from mumian.foundation.sensing.sta import ingest
from mumian.foundation.sensing.sta.moments import written
from mumian.foundation.sensing.sta.writing import observing
from mumian.foundation.sensing.sta.writing.errors import Doubled
from mumian.kernel.errors import Invalid, NotFound
from mumian.kernel.unit_of_work import Transaction

_MEMBERS = (
    "phenomenonTime",
    "resultTime",
    "result",
    "resultQuality",
    "validTime",
    "parameters",
    "FeatureOfInterest",
    "Datastream",
    "MultiDatastream",
)
_EVER = 2**62


async def change(sensing: Sensing, number: int, body: dict[str, Any], caller: Caller, whole: bool = False) -> None:
    """Give an observation what `body` says; raises NotFound, Invalid, Doubled."""
    for name in body:
        if name not in _MEMBERS and not name.startswith("@iot.") and "@iot.navigationLink" not in name:
            raise Invalid.field(name[:200], "field.unknown", expected=", ".join(_MEMBERS))
    row = await find(sensing, number)
    sensing.admit(caller, row.streams)
    value = {} if whole else value_of(row)
    value |= {name: inner for name, inner in body.items() if name in _MEMBERS}
    if "result" not in value:
        raise Invalid.field("result", "field.missing")
    stream, time = int(row.streams[0]), int(row.times[0])
    moved = "Datastream" in body or "MultiDatastream" in body
    parsed = (
        ingest.parse_value(value, stream, time, "") if not moved else ingest.parse_one(json.dumps(value).encode(), None, time)
    )
    sensing.admit(caller, parsed.batch.streams)
    settled = await observing.settle(sensing, parsed, caller)
    try:
        receipt = await sensing.recorder.record(settled.batch)
    except BadRows as error:
        raise ingest.placed(error, parsed, single=True) from None
    successor = receipt.first_id
    if successor == int(row.ids[0]):
        return
    if not receipt.accepted:
        raise Doubled(other=f"Observations({int(sensing.amendments.renumbered(_only(successor)).ids[0])})")
    properties = {name: inner for name, inner in body.items() if name in _MEMBERS[:6]}

    def work(tx: Transaction) -> None:
        _amend(tx, number, row, successor)
        tx.emit(
            EntityChanged(
                subject=f"Observations({number})",
                entity="Observations",
                number=number,
                properties=properties,
                links={"row": successor, "before": value_of(row)},
            )
        )

    await sensing.platform.records.write(work, actor_for(caller))
    await refresh(sensing, {stream, int(settled.batch.streams[0])})


async def remove(sensing: Sensing, numbers: list[int], caller: Caller) -> None:
    """Let observations be shown no more; raises NotFound."""
    rows = [await find(sensing, number) for number in numbers]
    for row in rows:
        sensing.admit(caller, row.streams)

    def work(tx: Transaction) -> None:
        for number, row in zip(numbers, rows, strict=True):
            _amend(tx, number, row, None)
            tx.emit(
                EntityDeleted(
                    subject=f"Observations({number})",
                    entity="Observations",
                    number=number,
                    properties=value_of(row),
                    links={"Datastream": int(row.streams[0])},
                )
            )

    await sensing.platform.records.write(work, actor_for(caller))
    await refresh(sensing, {int(row.streams[0]) for row in rows})


async def find(sensing: Sensing, number: int) -> Observations:
    """The row that is shown as observation `number`; raises NotFound."""
    at = sensing.amendments.row_of(number) if 0 < number < _EVER else None
    rows = Observations.empty() if at is None else await asyncio.to_thread(sensing.numbered, at, at)
    rows = sensing.amendments.left(rows) if at == number else rows
    if not len(rows) or (at == number and int(sensing.amendments.renumbered(rows).ids[0]) != number):
        raise NotFound(kind="entity", name=f"Observations({number})")
    return rows


async def of_feature(sensing: Sensing, stream: int, feature: int) -> list[int]:
    """The numbers of a stream's observations of a feature of interest."""
    sql = "SELECT feature FROM sensing_stream WHERE id = :id"
    own = await sensing.platform.records.read(lambda session: session.value(sql, id=stream))
    rows = await asyncio.to_thread(_all, sensing, stream)
    details = rows.details if rows.details is not None else [None] * len(rows)
    named = [json.loads(text).get("feature", own) if text is not None else own for text in details]
    shown = sensing.amendments.renumbered(rows)
    return [number for number, one in zip(shown.ids.tolist(), named, strict=True) if one == feature]


async def refresh(sensing: Sensing, streams: set[int]) -> None:
    """Take account of amendments: the newest of these streams, how many they have, and from when to when."""
    await asyncio.to_thread(sensing.amendments.refresh)
    for stream in sorted(streams):
        async with sensing.folding.lock, sensing.recorder.deciding:
            await asyncio.to_thread(_renew, sensing, stream)


def _all(sensing: Sensing, stream: int) -> Observations:
    """All rows of a stream that are shown, with the ids that they have in the lake."""
    held = sensing.tail.rows(sensing.recorder.folded)
    waiting = held.take(np.flatnonzero(held.streams == stream))
    kept = sensing.finder.window(np.array([stream], np.int64), -_EVER, _EVER, details=True)
    waiting = waiting.take(np.flatnonzero(waiting.ids > kept.ids.max(initial=0)))
    return sensing.amendments.left(Observations.concat([kept, waiting]))


def _renew(sensing: Sensing, stream: int) -> None:
    rows = _all(sensing, stream)
    ordered = newest(rows)
    sensing.tail.renew(stream, ordered.take(slice(len(ordered) - 1, None)) if len(ordered) else ordered, rows)


def _amend(tx: Transaction, number: int, row: Observations, successor: int | None) -> None:
    stream, before = int(row.streams[0]), int(row.ids[0])
    store.amend(tx, number, stream, successor)
    if before != number:
        store.amend(tx, before, stream, None)


def _only(number: int) -> Observations:
    one = np.array([number], np.int64)
    return Observations(one, one, one.astype(np.float64), one)


def value_of(row: Observations) -> dict[str, Any]:
    """An observation as the body of a request."""
    told = json.loads(row.detail(0) or "{}")
    time, result, result_time = int(row.times[0]), float(row.results[0]), int(row.result_times[0])
    value: dict[str, Any] = {
        "phenomenonTime": written(time) + (f"/{written(told['end'])}" if "end" in told else ""),
        "resultTime": None if result_time == NONE else written(result_time),
        "result": told["result"] if "result" in told else None if np.isnan(result) else result,
    }
    value |= {name: told[name] for name in ("resultQuality", "parameters") if name in told}
    if "validTime" in told:
        value["validTime"] = "/".join(written(moment) for moment in told["validTime"])
    if "feature" in told:
        value["FeatureOfInterest"] = {"@iot.id": told["feature"]}
    return value
