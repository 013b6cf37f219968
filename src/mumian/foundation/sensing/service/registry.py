"""The registry: all streams in memory, and arrays that check whole batches at once."""

import threading

import numpy as np

from mumian.foundation.sensing import store
from mumian.foundation.sensing.contracts import Float64, Observations, StreamInfo
from mumian.foundation.sensing.errors import BadRows
from mumian.foundation.sensing.rules import Mask, instant
from mumian.kernel.declarations.service import Declarations
from mumian.kernel.errors import Fault, NotFound
from mumian.kernel.unit_of_work import Records

_MOST_FAULTS = 20


class Registry:
    """Streams by id and name, read anew after declarations were applied or streams were registered."""

    def __init__(self, records: Records, declarations: Declarations) -> None:
        self._records = records
        self._declarations = declarations
        self._revision = -1
        self._reading = threading.Lock()
        self.version = 0
        self._by_id: dict[int, StreamInfo] = {}
        self._by_name: dict[str, StreamInfo] = {}
        self._open = np.zeros(1, np.bool_)
        self._minimum: Float64 = np.zeros(1)
        self._maximum: Float64 = np.zeros(1)
        self._bounded = False

    def changed(self) -> None:
        """Streams were registered other than by declarations: read them anew when next asked."""
        self._revision = -1

    def refresh(self) -> None:
        """Read the streams anew if anything changed."""
        if self._revision == self._declarations.revision:
            return
        with self._reading:
            revision = self._declarations.revision
            if self._revision != revision:
                self._replace(self._records.read_now(store.streams))
                self._revision = revision
                self.version += 1

    def all(self) -> list[StreamInfo]:
        """All streams that were not retired, by id."""
        self.refresh()
        return [info for info in self._by_id.values() if not info.retired]

    def named(self, name: str) -> StreamInfo:
        """The stream of that name; raises NotFound."""
        self.refresh()
        if name not in self._by_name:
            raise NotFound(kind="stream", name=name)
        return self._by_name[name]

    def numbered(self, number: int) -> StreamInfo | None:
        """The stream of that id, retired or not."""
        self.refresh()
        return self._by_id.get(number)

    @property
    def highest(self) -> int:
        """The highest stream id there is."""
        self.refresh()
        return len(self._open) - 1

    def check(self, batch: Observations, now: int, ahead: int) -> None:
        """Raise BadRows unless streams are open, times at most `ahead` µs after `now`, and results finite and in range."""
        self.refresh()
        streams = batch.streams
        known = (streams > 0) & (streams < len(self._open))
        if not known.all() or not self._open[streams].all():
            closed = ~known
            closed[known] = ~self._open[streams[known]]
            raise self._bad(batch, closed, "stream")
        if len(batch) and int(batch.times.max()) > now + ahead:
            raise self._bad(batch, batch.times > now + ahead, "phenomenonTime", now, ahead)
        if np.isinf(batch.results).any():
            raise self._bad(batch, np.isinf(batch.results), "result")
        if self._bounded:
            wrong = (batch.results < self._minimum[streams]) | (batch.results > self._maximum[streams])
            if wrong.any():
                raise self._bad(batch, wrong, "result")

    def _replace(self, streams: list[StreamInfo]) -> None:
        size = max((s.id for s in streams), default=0) + 1
        is_open, minimum, maximum = np.zeros(size, np.bool_), np.full(size, -np.inf), np.full(size, np.inf)
        for info in streams:
            is_open[info.id] = not info.retired
            minimum[info.id] = -np.inf if info.minimum is None else info.minimum
            maximum[info.id] = np.inf if info.maximum is None else info.maximum
        self._by_id = {info.id: info for info in streams}
        self._by_name = {info.name: info for info in streams if not info.retired}
        self._open, self._minimum, self._maximum = is_open, minimum, maximum
        self._bounded = bool(np.isfinite(minimum).any() or np.isfinite(maximum).any())

    def _bad(self, batch: Observations, wrong: Mask, column: str, now: int = 0, ahead: int = 0) -> BadRows:
        rows = np.flatnonzero(wrong).tolist()
        faults = [self._fault(batch, row, column, now, ahead) for row in rows[:_MOST_FAULTS]]
        return BadRows(rows[:_MOST_FAULTS], faults, len(rows))

    def _fault(self, batch: Observations, row: int, column: str, now: int, ahead: int) -> Fault:
        stream = int(batch.streams[row])
        info = self._by_id.get(stream)
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
