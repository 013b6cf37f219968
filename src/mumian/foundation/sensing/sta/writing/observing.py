"""Observing: observations of a request recorded for a caller, with the features of interest that they name or bring along."""

from dataclasses import replace
from typing import Any

import numpy as np

from mumian.foundation.identity.api import Caller, actor_for
from mumian.foundation.sensing import store
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.contracts import Observations, Receipt
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.rules import with_feature
from mumian.foundation.sensing.sta import ingest
from mumian.foundation.sensing.sta.writing.bodies import Reader
from mumian.foundation.sensing.sta.writing.creating import create
from mumian.foundation.sensing.sta.writing.model import TYPES
from mumian.foundation.sensing.sta.writing.work import Work
from mumian.kernel.errors import Invalid
from mumian.kernel.unit_of_work import Transaction

Pairs = set[tuple[int, int]]
_KIND = TYPES["FeaturesOfInterest"]


async def record(
    sensing: Sensing, parsed: ingest.Parsed, caller: Caller, single: bool, key: str | None = None, digest: str = ""
) -> tuple[Receipt, Observations]:
    """Record what was parsed, all or nothing; the receipt, and the rows as they were recorded but for their ids.

    Raises Forbidden, and Invalid with every fault at its place in the body.
    """
    sensing.admit(caller, parsed.batch.streams)
    settled = await settle(sensing, parsed, caller)
    try:
        return await sensing.recorder.record(settled.batch, key, digest), settled.batch
    except BadRows as error:
        raise ingest.placed(error, parsed, single) from None


async def settle(sensing: Sensing, parsed: ingest.Parsed, caller: Caller) -> ingest.Parsed:
    """The same with the features of interest in the details: new ones made, and those checked that are named."""
    if parsed.features is None and parsed.inline is None:
        return parsed
    batch = parsed.batch
    if not all(sensing.registry.open(stream) for stream in set(batch.streams.tolist())):
        return parsed  # the recorder refuses it
    if parsed.inline is not None:
        draft = Reader().draft(_KIND, parsed.inline, "FeatureOfInterest.")

        def work(tx: Transaction) -> int:
            made = create(Work(tx, caller.organisation), draft)
            store.observe(tx, int(batch.streams[0]), made)
            return made

        number = await sensing.platform.records.write(work, actor_for(caller))
        return replace(parsed, batch=with_feature(batch, np.array([number], np.int64)), inline=None)
    assert parsed.features is not None
    pairs = set(zip(batch.streams.tolist(), parsed.features.tolist(), strict=True))
    own = await _own(sensing, {pair for pair in pairs if pair[1]}, caller, parsed)
    features = [0 if (s, f) in own else f for s, f in zip(batch.streams.tolist(), parsed.features.tolist(), strict=True)]
    if any(features):
        batch = with_feature(batch, np.array(features, np.int64))
    return replace(parsed, batch=batch, features=None)


async def _own(sensing: Sensing, pairs: Pairs, caller: Caller, parsed: ingest.Parsed) -> Pairs:
    """Which of these pairs of stream and feature go without saying; the others are checked, and remembered."""
    streams = sorted({stream for stream, _ in pairs})
    features = await sensing.platform.records.read(lambda session: store.own_features(session, streams))
    own = {(s, f) for s, f in pairs if features.get(s) == f and not sensing.registry.moved(s)}
    fresh = sorted(pairs - own - sensing.observed)

    def work(tx: Transaction) -> tuple[int, int] | None:
        return next((pair for pair in fresh if not store.observe(tx, *pair)), None)

    if fresh:
        known = await sensing.platform.records.read(lambda session: _missing(session, fresh))
        if known is not None:
            raise _unknown(parsed, known)
        await sensing.platform.records.write(work, actor_for(caller))
        if len(sensing.observed) > 100_000:
            sensing.observed.clear()
        sensing.observed.update(fresh)
    return own


def _missing(session: Any, pairs: list[tuple[int, int]]) -> int | None:
    sql = "SELECT id FROM sensing_feature WHERE id = :id"
    return next((feature for _, feature in pairs if session.value(sql, id=feature) is None), None)


def _unknown(parsed: ingest.Parsed, feature: int) -> Invalid:
    assert parsed.features is not None
    row = int(np.flatnonzero(parsed.features == feature)[0])
    field = "FeatureOfInterest.@iot.id"
    if any("FeatureOfInterest/id" in names for names in parsed.components):
        field = parsed.place(row, "FeatureOfInterest/id")
    return Invalid.field(field, "field.reference", kind="FeatureOfInterest", name=feature)
