"""DuckDB extensions, loaded from their Python wheels: nothing is downloaded at run time."""

import importlib.util
from pathlib import Path

import duckdb

from mumian.kernel.errors import Unavailable

_loaded: set[Path] = set()
_FILE_NAMES = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner"}


def connect(folder: Path, *extensions: str) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB, in UTC, with `extensions` loaded; `folder` holds links to those whose file is misnamed.

    DuckDB derives an extension's entry point from its file name; the wheels of `sqlite` and `postgres` name the file
    differently, so they are loaded through a link of the right name.
    """
    files = [file(folder, name) for name in extensions]
    checked = {one.resolve() for one in files} <= _loaded
    config = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    # The signature of an extension is checked when this process loads it first: it takes an eighth of a second.
    connection = duckdb.connect(":memory:", config={**config, "allow_unsigned_extensions": checked})
    for one in files:
        connection.load_extension(str(one))
        _loaded.add(one.resolve())
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def file(folder: Path, name: str) -> Path:
    """The file of an extension under the name that DuckDB expects; raises Unavailable where its package is not installed."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    version = f"v{duckdb.__version__}"
    found = Path(spec.origin or "").parent / "extensions" / version / f"{name}.duckdb_extension" if spec else Path()
    if not found.is_file():
        raise Unavailable(reason=f"the package duckdb-extension-{name} for DuckDB {duckdb.__version__} is not installed")
    if name not in _FILE_NAMES:
        return found
    link = folder / version / f"{_FILE_NAMES[name]}.duckdb_extension"
    if not link.is_symlink() or link.readlink() != found:
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(found)
        fresh.replace(link)
    return link
