"""Settings: what the person who runs a city may choose, read from `MUMIAN_*` environment variables."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    """The per-user data folder: `$XDG_DATA_HOME/mumian`, or `~/.local/share/mumian`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "mumian"


class Settings(BaseSettings):
    """Settings of the platform itself; components add classes of their own in `settings.py`."""

    model_config = SettingsConfigDict(env_prefix="MUMIAN_", extra="ignore")

    home: Path = Field(default_factory=default_home, description="The data folder; nothing is written elsewhere.")
    host: str = Field("127.0.0.1", description="The address that the server listens on.")
    port: int = Field(8080, ge=0, le=65535, description="The port that the server listens on; 0 takes a free one.")
    records: str = Field("sqlite", description="`sqlite`, or a PostgreSQL connection string (`postgresql://…`).")
    lake: str = Field("local", description="`local`, or a PostgreSQL connection string for the lake's catalogue.")
    objects: str = Field("local", description="`local`, or `s3://bucket/prefix` (keys from AWS_* variables).")
    messages: str = Field("outbox", description="`outbox`, or `nats://host:port` to publish to NATS JetStream too.")
    synchronous: str = Field(
        "full", pattern="^(full|normal)$", description="SQLite: `full` survives power loss, `normal` a crash."
    )
    web: Path | None = Field(None, description="The folder of the built web shell; default: beside the package.")
    city: Path | None = Field(None, description="The folder of declarations that `mumian up` applies at its first start.")
    max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="The largest request body of the own API, in bytes.")
    secure_cookies: bool = Field(False, description="Mark cookies Secure; switch on when the city is served over HTTPS.")
