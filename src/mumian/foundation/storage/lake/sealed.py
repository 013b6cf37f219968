"""A sealed reader: a second DuckDB that can read the lake and nothing else, neither files nor settings nor the network."""

from pathlib import Path
from typing import Any

from mumian.foundation.storage.contracts import ReadCursor
from mumian.foundation.storage.lake.catalogue import Catalogue
from mumian.foundation.storage.lake.extensions import connect, file


def attaching(catalogue: Catalogue, data: Path, extensions: Path, snapshot: int) -> list[str]:
    """Statements by which any DuckDB attaches one snapshot of the lake as `lake`, to read it."""
    files = [str(file(extensions, name)).replace("'", "''") for name in ("ducklake", catalogue.extension)]
    url, path = catalogue.url.replace("'", "''"), str(data).replace("'", "''")
    options = f"DATA_PATH '{path}/', OVERRIDE_DATA_PATH true, READ_ONLY, SNAPSHOT_VERSION {int(snapshot)}{catalogue.options}"
    return [*(f"LOAD '{name}'" for name in files), f"ATTACH 'ducklake:{url}' AS lake ({options})"]


class SealedReader:
    """Reads the tables as `lake.main.<name>`; unqualified names find nothing. Its memory is its own, apart from the writer's."""

    def __init__(self, catalogue: Catalogue, data: Path, extensions: Path, memory: str) -> None:
        self._root = connect(extensions, "ducklake", catalogue.extension)
        url, path = catalogue.url.replace("'", "''"), str(data).replace("'", "''")
        self._root.execute(
            f"ATTACH 'ducklake:{url}' AS lake (DATA_PATH '{path}/', OVERRIDE_DATA_PATH true, READ_ONLY{catalogue.options})"
        )
        self._root.execute(f"SET memory_limit = '{memory}'")
        self._root.execute("SET python_enable_replacements = false")
        self._root.execute("SET max_temp_directory_size = '0KB'")
        self._root.execute(f"SET allowed_directories = ['{path}/']")
        self._root.execute("SET enable_external_access = false")
        self._root.execute("SET lock_configuration = true")

    def cursor(self) -> ReadCursor:
        """A connection of its own, for one thread at a time."""
        cursor: Any = self._root.cursor()
        return cursor  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let go of the lake."""
        self._root.close()
