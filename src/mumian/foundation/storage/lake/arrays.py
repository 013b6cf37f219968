"""Arrays in and out of DuckDB: columns offered as a relation, and answers without masks."""

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np

from mumian.foundation.storage.contracts import NONE, Array


class Objects(np.ndarray[Any, Any]):
    """An array of Python objects whose type DuckDB can find though it begins with many that are None.

    DuckDB looks at a sample; when that holds nothing but None it asks the column, as it would ask a Series of pandas.
    """

    def first_valid_index(self) -> int | None:
        """Where the first value stands that is not None."""
        nothing: Any = None
        there = np.flatnonzero(np.not_equal(np.asarray(self), nothing))
        return int(there[0]) if len(there) else None


def offer(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Array]) -> None:
    """Let the connection read these arrays as the relation `name`, until it is unregistered."""
    plain = {key: values.view(Objects) if values.dtype.kind == "O" else values for key, values in columns.items()}
    connection.register(name, plain)


def unmasked(found: Mapping[str, Any]) -> dict[str, Array]:
    """Masked arrays, which DuckDB gives for columns with NULL, as plain ones."""
    return {name: _filled(values) for name, values in found.items()}


def _filled(values: Any) -> Array:
    if not isinstance(values, np.ma.MaskedArray):
        return np.asarray(values)
    kind = values.dtype.kind
    plain = np.array(values.data, dtype=np.int64 if kind in "iu" else np.float64 if kind == "f" else object)
    plain[np.ma.getmaskarray(values)] = NONE if kind in "iu" else np.nan if kind == "f" else None
    return plain
