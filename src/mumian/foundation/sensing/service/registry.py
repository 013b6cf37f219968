"""The registry: what must be known of each stream before an observation is taken, as arrays that check whole batches at once.

Streams themselves stay in the records and are read when they are asked for: a ledger of a million costs a few bytes each here.
"""

import threading
from collections.abc import Collection, Iterable

import numpy as np

from mumian.foundation.sensing import store
from mumian.foundation.sensing.contracts import Int64, Observations, StreamInfo
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.rules import Mask, instant, with_feature
from mumian.foundation.sensing.service.facts import Facts
from mumian.foundation.sensing.service.results import MULTI, result_fault
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import Fault, NotFound
from mumian.kernel.unit_of_work import Records

_MOST_FAULTS = 20
_KEPT = 4096


class Registry:
    """Streams by id and name; what is special about them is read anew after declarations were applied, or one by one."""

    def __init__(self, records: Records, declarations: Declarations) -> None:
        self._records = records
        self._declarations = declarations
        self._revision = -1
        self._reading = threading.Lock()
        self.version = 0
        self._by_id: dict[int, StreamInfo] = {}
        self._by_name: dict[str, StreamInfo] = {}
        self._all: list[StreamInfo] | None = None
        self._facts = Facts()

    def changed(self, streams: Iterable[int] | None = None) -> None:
        """These streams (None: any) were registered, changed or deleted other than by declarations."""
        if streams is None or self._revision != self._declarations.revision:
            self._revision = -1
            return
        numbers = sorted(set(streams))
        if not numbers:
            return
        found = self._records.read_now(lambda session: [(number, store.facts(session, number)) for number in numbers])
        with self._reading:
            self._facts.make_room(max(numbers))
            for number, row in found:
                self._facts.set(number, row)
            self._forget()

    def refresh(self) -> None:
        """Read anew what is special about streams if anything changed."""
        if self._revision == self._declarations.revision:
            return
        with self._reading:
            revision = self._declarations.revision
            if self._revision != revision:
                self._facts = self._records.read_now(Facts.read)
                self._revision = revision
                self._forget()

    def all(self) -> list[StreamInfo]:
        """All streams that were not retired, by id; with very many, prefer `page`."""
        self.refresh()
        known = self._all
        if known is None:
            version = self.version
            known = [info for info in self._records.read_now(store.streams) if not info.retired]
            if version == self.version and len(known) <= _KEPT:
                self._all = known
        return list(known)

    def observing(self, observed: Collection[str]) -> list[StreamInfo]:
        """The streams of these observed properties that were not retired, by id."""
        return self._records.read_now(lambda session: store.observing(session, observed))

    def page(self, after: int, limit: int) -> list[StreamInfo]:
        """The first `limit` streams with ids above `after` that were not retired, by id."""
        return self._records.read_now(lambda session: store.page(session, after, limit))

    def named(self, name: str) -> StreamInfo:
        """The stream of that name; raises NotFound."""
        self.refresh()
        info = self._by_name.get(name)
        if info is None:
            info = self._records.read_now(lambda session: store.stream_named(session, name))
            if info is None:
                raise NotFound(kind="stream", name=name)
            self._remember(info)
        return info

    def numbered(self, number: int) -> StreamInfo | None:
        """The stream of that id, retired or not."""
        self.refresh()
        info = self._by_id.get(number)
        if info is None and 0 < number < 2**63:
            info = self._records.read_now(lambda session: store.stream(session, number))
            if info is not None:
                self._remember(info)
        return info

    @property
    def highest(self) -> int:
        """The highest stream id there is."""
        self.refresh()
        return len(self._facts.open) - 1

    @property
    def deleted(self) -> Int64:
        """The ids of deleted streams, sorted."""
        self.refresh()
        return self._facts.deleted

    def open(self, number: int) -> bool:
        """Whether the stream of that id takes observations."""
        self.refresh()
        return 0 < number < len(self._facts.open) and bool(self._facts.open[number])

    def moved(self, number: int) -> bool:
        """Whether the stream's thing is not any more where it was when the stream began."""
        return 0 < number < len(self._facts.open) and bool(self._facts.moved[number])

    def check(self, batch: Observations, now: int, ahead: int) -> None:
        """Raise BadRows unless streams are open, times at most `ahead` µs after `now`, and results of their kind and range."""
        self.refresh()
        streams = batch.streams
        facts = self._facts
        known = (streams > 0) & (streams < len(facts.open))
        if not known.all() or not facts.open[streams].all():
            closed = ~known
            closed[known] = ~facts.open[streams[known]]
            raise self._bad(batch, closed, "stream")
        if len(batch) and int(batch.times.max()) > now + ahead:
            raise self._bad(batch, batch.times > now + ahead, "phenomenonTime", now, ahead)
        if np.isinf(batch.results).any():
            raise self._bad(batch, np.isinf(batch.results), "result")
        if facts.bounded:
            wrong = (batch.results < facts.minimum[streams]) | (batch.results > facts.maximum[streams])
            if wrong.any():
                raise self._bad(batch, wrong, "result")
        if batch.details is not None or (facts.kinded and facts.kinds[streams].any()):
            self._check_kinds(batch)

    def placed(self, batch: Observations) -> Observations:
        """The batch with the present feature of interest named where a thing is not any more where its streams began."""
        facts = self._facts
        if not facts.moving:
            return batch
        features = facts.moved[batch.streams]
        return with_feature(batch, features) if features.any() else batch

    def _check_kinds(self, batch: Observations) -> None:
        faults = []
        for row, (stream, value) in enumerate(zip(batch.streams.tolist(), batch.results.tolist(), strict=True)):
            kind = int(self._facts.kinds[stream])
            detail = batch.detail(row)
            if kind or detail is not None:
                several = self._several(stream) if kind == MULTI else 0
                fault = result_fault(kind, value, detail, several)
                if fault is not None:
                    faults.append((row, fault))
        if faults:
            shown = faults[:_MOST_FAULTS]
            raise BadRows([row for row, _ in shown], [fault for _, fault in shown], len(faults))

    def _several(self, stream: int) -> int:
        sql = "SELECT COUNT(*) FROM sensing_stream_property WHERE stream = :stream"
        return int(self._records.read_now(lambda session: session.value(sql, stream=stream)))

    def _remember(self, info: StreamInfo) -> None:
        if len(self._by_id) >= _KEPT:
            self._by_id, self._by_name = {}, {}
        self._by_id[info.id] = info
        if not info.retired:
            self._by_name[info.name] = info

    def _forget(self) -> None:
        self._by_id, self._by_name, self._all = {}, {}, None
        self.version += 1

    def _bad(self, batch: Observations, wrong: Mask, column: str, now: int = 0, ahead: int = 0) -> BadRows:
        rows = np.flatnonzero(wrong).tolist()
        faults = [self._fault(batch, row, column, now, ahead) for row in rows[:_MOST_FAULTS]]
        return BadRows(rows[:_MOST_FAULTS], faults, len(rows))

    def _fault(self, batch: Observations, row: int, column: str, now: int, ahead: int) -> Fault:
        stream = int(batch.streams[row])
        info = self.numbered(stream)
        if column == "stream":
            key = "sensing.unknown_stream" if info is None else "sensing.retired_stream"
            return Fault(column, key, {"stream": stream if info is None else info.name})
        if column == "phenomenonTime":
            time = instant(int(batch.times[row])).isoformat()
            return Fault(column, "sensing.future", {"time": time, "now": instant(now).isoformat(), "limit": ahead // 1_000_000})
        value = float(batch.results[row])
        if info is None or np.isinf(value):
            return Fault(column, "sensing.result_infinite", {})
        limits = {"minimum": info.minimum, "maximum": info.maximum}
        shown = {name: "∞" if limit is None else f"{limit:g}" for name, limit in limits.items()}
        return Fault(column, "sensing.result_range", {"value": f"{value:g}", "stream": info.name, **shown})
