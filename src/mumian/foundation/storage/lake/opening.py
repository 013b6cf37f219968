"""Opening the lake: the engine that the settings name."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from mumian.foundation.storage.lake.catalogue import postgresql, sqlite
from mumian.foundation.storage.lake.ducklake import DuckLake
from mumian.kernel.errors import Fault, Invalid


def open_lake(url: str, home: Path) -> DuckLake:
    """The lake below `home`: catalogue in a file (`local`) or in a `postgresql://` database; raises Invalid for anything else."""
    folder = home / "lake"
    folder.mkdir(parents=True, exist_ok=True)
    if url == "local":
        catalogue = sqlite(str(folder / "catalogue.sqlite"))
    elif url.startswith(("postgresql://", "postgres://")):
        catalogue = postgresql(_keywords(url))
    else:
        raise Invalid(Fault("MUMIAN_LAKE", "field.choice", {"expected": "local, postgresql://…"}))
    return DuckLake(catalogue, folder / "data", folder / "extensions")


def _keywords(url: str) -> str:
    """A connection URL as libpq keywords, which is what DuckLake takes."""
    parts = urlsplit(url)
    values = {
        "host": parts.hostname,
        "port": parts.port,
        "dbname": parts.path.lstrip("/") or None,
        "user": parts.username,
        "password": parts.password,
    }
    return " ".join(f"{name}={_quoted(unquote(str(value)))}" for name, value in values.items() if value is not None)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'" if not value.isalnum() else value
