"""Hot copies: datasets of which single rows are asked for again and again stand in memory, indexed by the field asked by."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mumian.elements.catalog.api import TableInfo
from mumian.elements.protection.rules.masking import quoted
from mumian.elements.protection.service.reading import Reading

_log = logging.getLogger("mumian.protection")
_OFTEN = 3


@dataclass(frozen=True)
class _Copy:
    """A copy of a dataset as it was when it had `rows` rows and was loaded last at `loaded_at`."""

    table: str
    field: str
    rows: int
    loaded_at: str | None


class Hot:
    """Copies live in the sealed reader's own memory; after a load they are not used any more, and made again when asked for."""

    def __init__(self, reading: Reading, most: int) -> None:
        self._reading = reading
        self._most = most
        self._copies: dict[str, _Copy] = {}
        self._asked: dict[tuple[str, str, str | None], int] = {}
        self._lock = threading.Lock()
        self._builder = ThreadPoolExecutor(1, "gate-hot")
        self._made = 0
        self.revision = 0

    def table(self, info: TableInfo, field: str) -> str | None:
        """Where to look rows of a dataset up by a field; None while there is no copy of it as it is now."""
        copy = self._copies.get(info.dataset)
        if copy is not None and (copy.field, copy.rows, copy.loaded_at) == (field, info.rows, info.loaded_at):
            return copy.table
        return None

    def asked(self, info: TableInfo, field: str) -> None:
        """Somebody asked for a row by a field; the third time a copy is made, if all copies together stay small enough."""
        if info.rows > self._most or self.table(info, field) is not None:
            return
        key = (info.dataset, field, info.loaded_at)
        with self._lock:
            self._asked[key] = self._asked.get(key, 0) + 1
            others = sum(copy.rows for name, copy in self._copies.items() if name != info.dataset)
            if self._asked[key] == _OFTEN and others + info.rows <= self._most:
                self._builder.submit(self._make, info, field)

    def datasets(self) -> dict[str, _Copy]:
        """The copies by dataset."""
        return dict(self._copies)

    def drop(self, dataset: str) -> None:
        """A dataset changed: its copy is not used any more."""
        if self._copies.pop(dataset, None) is not None:
            self.revision += 1

    def close(self) -> None:
        """Make no more copies."""
        self._builder.shutdown(wait=True, cancel_futures=True)

    def _make(self, info: TableInfo, field: str) -> None:
        self._made += 1
        table = f"hot_{self._made}"
        try:
            self._reading.change_now(
                f"CREATE TABLE memory.main.{table} AS SELECT * FROM lake.main.{info.name}",
                f"CREATE INDEX {table}_key ON memory.main.{table} ({quoted(field)})",
            )
        except Exception as error:
            _log.warning("%s is looked up in the lake, there is no copy in memory: %s", info.dataset, type(error).__name__)
            return
        self._copies[info.dataset] = _Copy(table, field, info.rows, info.loaded_at)
        self.revision += 1
