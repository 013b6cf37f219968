"""Observed: observations as rows of an answer, kept as columns until someone wants them one by one."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

from mumian.foundation.sensing.contracts import Observations

Row = tuple[int, int, int, float, int, int, str | None]


def columns_of(rows: Observations) -> list[Row]:
    """Rows as tuples of id, stream, time, result, result time, flags and details."""
    details = [None] * len(rows) if rows.details is None else rows.details.tolist()
    columns = (rows.ids, rows.streams, rows.times, rows.results, rows.result_times, rows.flags)
    return list(zip(*(column.tolist() for column in columns), details, strict=True))


class Observed(Sequence[Any]):
    """The newest observations of a stream: each row a `Row` with its sort keys behind, time and id."""

    def __init__(self, columns: Observations) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns)

    def __iter__(self) -> Iterator[Any]:
        return iter(_keyed(self.columns))

    @overload
    def __getitem__(self, place: int) -> Any: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return _keyed(self.columns.take(place))
        found = range(len(self))[place]
        return _keyed(self.columns.take(slice(found, found + 1)))[0]


def _keyed(rows: Observations) -> list[Any]:
    return [(*row, row[2], row[0]) for row in columns_of(rows)]
